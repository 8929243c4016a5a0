import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import type { AttestationError, Reason } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { AttestationStore, PrunableStore, StoreEntry } from "./store.ts";

/** Predicate type of the attestations of these tests. */
export const REVIEW = "https://example.com/review/v1";

/** Digest of a text. */
export function digestOf(text: string): { sha256: string } {
  return { sha256: encodeHex(sha256(utf8(text))) };
}

/** An attestation about subjects with these digests; stores do not look at its signature. */
export function attestation(
  subjects: readonly DigestSet[],
  note = "",
): Uint8Array<ArrayBuffer> {
  const statement = {
    _type: "https://in-toto.io/Statement/v1",
    subject: subjects.map((digest, i) => ({ name: `file-${i}`, digest })),
    predicateType: REVIEW,
    predicate: { note },
  };
  return utf8(JSON.stringify({
    payloadType: "application/vnd.in-toto+json",
    payload: encodeBase64(utf8(JSON.stringify(statement))),
    signatures: [{ keyid: "", sig: encodeBase64(utf8("nobody looks at this")) }],
  }));
}

/** Checks that something is refused with a reason. */
export async function refused(reason: Reason, work: () => Promise<unknown>): Promise<void> {
  await rejects(work, (error: AttestationError) => {
    equal(error.name, "AttestationError", String(error));
    equal(error.reason, reason, error.message);
    return true;
  });
}

/** All entries of a store. */
export async function entriesOf(store: AttestationStore): Promise<StoreEntry[]> {
  const entries: StoreEntry[] = [];
  for await (const entry of store.list()) entries.push(entry);
  return entries;
}

/** What stores may differ in. */
export interface ContractOptions {
  /** It keeps one line for each, so that line breaks are not kept. Default false. */
  lines?: boolean;
}

/** What every store must do. `create` gives an empty one, each time another. */
export function testStore(
  what: string,
  create: () => AttestationStore | Promise<AttestationStore>,
  { lines = false }: ContractOptions = {},
): void {
  const idOf = (content: Uint8Array) => `sha256:${encodeHex(sha256(content))}`;

  describe(`${what} is a store that`, () => {
    it("gives back the bytes that were put, by the digest of the subject", async () => {
      const store = await create();
      const content = attestation([digestOf("app")]);
      const put = await store.put(content);
      deepEqual([put.id, put.created], [idOf(content), true]);
      const found = await store.find(digestOf("app"));
      equal(found?.length, 1);
      equal(found?.[0].id, put.id);
      deepEqual([...found![0].content], [...content]);
      ok(found![0].source.length > 0 && store.name.length > 0);
    });

    it("answers undefined for what is not there, also when it is empty", async () => {
      const store = await create();
      equal(await store.find(digestOf("app")), undefined);
      await store.put(attestation([digestOf("app")]));
      equal(await store.find(digestOf("other")), undefined);
      // The same value under another algorithm is another digest.
      equal(await store.find({ sha512_256: digestOf("app").sha256 }), undefined);
    });

    it("keeps the same bytes once", async () => {
      const store = await create();
      const content = attestation([digestOf("app")]);
      const [first, second] = [await store.put(content), await store.put(content)];
      deepEqual([first.created, second.created, second.id], [true, false, first.id]);
      equal((await store.find(digestOf("app")))?.length, 1);
      equal((await entriesOf(store)).length, 1);
    });

    it("finds by each digest of each subject, and gives each attestation once", async () => {
      const store = await create();
      const subjects: DigestSet[] = [
        { ...digestOf("a"), sha512: "0a".repeat(64) },
        { gitCommit: "ab".repeat(20) },
        digestOf("b"),
      ];
      await store.put(attestation(subjects));
      for (const subject of subjects) equal((await store.find(subject))?.length, 1);
      equal((await store.find({ sha512: "0a".repeat(64) }))?.length, 1);
      equal((await store.find({ ...digestOf("not"), sha512: "0a".repeat(64) }))?.length, 1);
    });

    it("finds all attestations of one subject", async () => {
      const store = await create();
      const all = ["one", "two", "three"].map((note) => attestation([digestOf("app")], note));
      for (const content of all) await store.put(content);
      await store.put(attestation([digestOf("other")]));
      const found = await store.find(digestOf("app"));
      deepEqual(found?.map(({ id }) => id).sort(), all.map(idOf).sort());
    });

    it("compares hex without regard to case", async () => {
      const store = await create();
      const { sha256 } = digestOf("app");
      await store.put(attestation([{ sha256: sha256.toUpperCase() }]));
      equal((await store.find({ sha256 }))?.length, 1);
      equal((await store.find({ sha256: sha256.toUpperCase() }))?.length, 1);
    });

    it("keeps algorithms that it does not know, whatever they are called", async () => {
      const store = await create();
      const names = [
        "../../../../tmp/x",
        "a/b",
        "__proto__",
        "constructor",
        "C:\\x",
        "é\0",
        "SHA256",
      ];
      const values = ["../..", "/etc/passwd", ".", "x".repeat(5000), "a\0b"];
      for (const name of names) {
        for (const value of values) {
          const subject = JSON.parse(`{${JSON.stringify(name)}:${JSON.stringify(value)}}`);
          equal(await store.find(subject), undefined);
          await store.put(attestation([subject]));
          equal((await store.find(subject))?.length, 1, `${name}: ${value}`);
        }
      }
      equal((await entriesOf(store)).length, names.length * values.length);
    });

    it("keeps bare Statements and Sigstore bundles over a blob", async () => {
      const store = await create();
      const statement = {
        _type: "https://in-toto.io/Statement/v1",
        subject: [{ digest: digestOf("bare") }],
        predicateType: REVIEW,
      };
      await store.put(utf8(JSON.stringify(statement)));
      equal((await store.find(digestOf("bare")))?.length, 1);
      const digest = sha256(utf8("blob"));
      await store.put(utf8(JSON.stringify({
        mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
        verificationMaterial: { publicKey: { hint: "key" }, tlogEntries: [] },
        messageSignature: {
          messageDigest: { algorithm: "SHA2_256", digest: encodeBase64(digest) },
          signature: encodeBase64(utf8("signature")),
        },
      })));
      equal((await store.find(digestOf("blob")))?.length, 1);
      const types = (await entriesOf(store)).map(({ predicateType }) => predicateType);
      deepEqual(types.sort(), [REVIEW, undefined].sort());
    });

    it("lists what it has in the order of the ids, with what each is about", async () => {
      const store = await create();
      const all = Array.from({ length: 20 }, (_, i) => attestation([digestOf(`file ${i}`)]));
      await Promise.all(all.map((content) => store.put(content)));
      const entries = await entriesOf(store);
      deepEqual(entries.map(({ id }) => id), all.map(idOf).sort());
      for (const { id, subjects, size, predicateType, source } of entries) {
        const at = all.findIndex((content) => idOf(content) === id);
        deepEqual(subjects, [digestOf(`file ${at}`)]);
        deepEqual([size, predicateType], [all[at].length, REVIEW]);
        ok(source.length > 0);
      }
    });

    it("refuses what nothing could find again, and is not changed by it", async () => {
      const store = await create();
      const bad: [Reason, string][] = [
        ["malformed-json", "{"],
        ["empty-input", " \n"],
        ["unknown-format", "[]"],
        ["unknown-format", '"text"'],
        ["unknown-format", '{"a":1}'],
        ["duplicate-json-key", '{"payload":"","payload":"","signatures":[]}'],
        ["unknown-format", JSON.stringify({ attestations: [{ bundle: {} }] })],
        ["unknown-format", `[${new TextDecoder().decode(attestation([digestOf("x")]))}]`],
        ["missing-subject", new TextDecoder().decode(attestation([]))],
        ["missing-subject-digest", new TextDecoder().decode(attestation([{}]))],
        ["invalid-digest", new TextDecoder().decode(attestation([{ sha256: "../x" }]))],
      ];
      for (const [reason, text] of bad) await refused(reason, () => store.put(utf8(text)));
      const two = attestation([digestOf("x")]);
      const twice = utf8(new TextDecoder().decode(two).repeat(2));
      await refused("malformed-json", () => store.put(twice));
      await rejects(() => store.put("text" as never), TypeError);
      deepEqual(await entriesOf(store), []);
    });

    it("refuses to look for nothing, and for what is no digest", async () => {
      const store = await create();
      await rejects(() => store.find({}), TypeError);
      await refused("invalid-digest", () => store.find({ sha256: "../../x" }));
      await refused("invalid-digest", () => store.find({ sha256: 5 as unknown as string }));
    });

    it("takes many puts at once, also of the same bytes", async () => {
      const store = await create();
      const contents = Array.from({ length: 12 }, (_, i) => attestation([digestOf("app")], `${i}`));
      const results = await Promise.all(
        [...contents, ...contents].map((content) => store.put(content)),
      );
      equal(results.filter(({ created }) => created).length, contents.length);
      equal((await store.find(digestOf("app")))?.length, contents.length);
    });

    it("shares no memory with its callers", async () => {
      const store = await create();
      const content = attestation([digestOf("app")]);
      const id = idOf(content);
      const put = store.put(content);
      content.fill(32);
      equal((await put).id, id);
      const [first] = await store.find(digestOf("app")) ?? [];
      first.content.fill(32);
      const [second] = await store.find(digestOf("app")) ?? [];
      equal(idOf(second.content), id);
    });

    it("stops when it is told, with the reason of the signal", async () => {
      const store = await create();
      const content = attestation([digestOf("app")]);
      const reason = new Error("enough");
      const signal = AbortSignal.abort(reason);
      const isReason = (error: unknown) => error === reason;
      await rejects(() => store.put(content, { signal }), isReason);
      equal(await store.find(digestOf("app")), undefined);
      await store.put(content);
      await rejects(() => store.find(digestOf("app"), { signal }), isReason);
      await rejects(async () => {
        for await (const _ of store.list({ signal }));
      }, isReason);
      if (isPrunable(store)) {
        await rejects(() => store.remove(idOf(content), { signal }), isReason);
        equal((await store.find(digestOf("app")))?.length, 1);
      }
    });

    it(
      lines ? "keeps what has line breaks on one line" : "keeps white space as it is",
      async () => {
        const store = await create();
        const value = JSON.parse(new TextDecoder().decode(attestation([digestOf("app")])));
        const content = utf8(` \r\n${JSON.stringify(value, null, 2)}\n\n`);
        const { id } = await store.put(content);
        const [found] = await store.find(digestOf("app")) ?? [];
        equal(found.id, id);
        equal(idOf(found.content), id);
        if (lines) deepEqual(JSON.parse(new TextDecoder().decode(found.content)), value);
        else deepEqual([...found.content], [...content]);
        equal((await store.put(content)).created, false);
      },
    );

    it("forgets what is removed, and nothing else", async () => {
      const store = await create();
      if (!isPrunable(store)) return;
      const [one, two] = ["one", "two"].map((note) => attestation([digestOf("app")], note));
      await store.put(one);
      await store.put(two);
      equal(await store.remove(idOf(one)), true);
      equal(await store.remove(idOf(one)), false);
      deepEqual((await store.find(digestOf("app")))?.map(({ id }) => id), [idOf(two)]);
      equal((await store.put(one)).created, true);
      equal((await store.find(digestOf("app")))?.length, 2);
      for (const id of ["", "sha256:", "../x", idOf(one).toUpperCase(), `${idOf(one)}/..`]) {
        await refused("invalid-digest", () => store.remove(id));
      }
    });
  });
}

function isPrunable(store: AttestationStore): store is PrunableStore {
  return "remove" in store;
}
