import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { canonicalJson, type Json, type JsonObject } from "../internal/json.ts";
import {
  ARTIFACT,
  BLOB,
  bundleOf,
  edited,
  ENVELOPE,
  later,
  reasonOf,
  rootOf,
  SIGNED_ARTIFACT,
  theInstance,
} from "../tests/fixtures/sigstore.ts";
import { checkpointText, logSignature, signedNote } from "../tools/pki/checkpoint.ts";
import {
  bodyOf,
  bodyV2Of,
  END,
  logged,
  type Made,
  type Recipe,
  rekor2,
  SIGNED,
  stamped,
  START,
} from "../tools/pki/instance.ts";
import { testKey } from "../tools/pki/keys.ts";
import { intotoBody } from "../tools/pki/rekor_v1.ts";
import { pae } from "../dsse/pae.ts";
import { defaultScheme } from "../keys/public_key.ts";
import { parseSigstoreBundle } from "./bundle.ts";
import type { SignedFacts } from "./log_body.ts";
import { type LogFinding, verifyLogEntry } from "./transparency_log.ts";
import type { TrustedLog } from "./trusted_root.ts";

const ENTRY = "/verificationMaterial/tlogEntries/0";

/** What the bundle says was signed, as the verifier of bundles puts it. */
function factsOf(json: JsonObject): SignedFacts {
  const { signer, content } = parseSigstoreBundle(json);
  if (signer.kind !== "certificate") throw new TypeError("no certificate");
  const key = signer.leaf.publicKey;
  return {
    signature: content.signature,
    verifier: { kind: "certificate", der: signer.leaf.raw },
    key,
    scheme: defaultScheme(key),
    envelope: content.kind === "envelope"
      ? { ...content.envelope, pae: pae(content.envelope.payloadType, content.envelope.payload) }
      : undefined,
    artifact: SIGNED_ARTIFACT.digest,
  };
}

async function check(
  json: JsonObject,
  logs?: readonly TrustedLog[],
): Promise<LogFinding | undefined> {
  const [entry] = parseSigstoreBundle(json).logEntries;
  return await verifyLogEntry(entry, factsOf(json), logs ?? (await rootOf()).logs);
}

async function verdictOf(json: JsonObject, logs?: readonly TrustedLog[]): Promise<string> {
  return await reasonOf(() => check(json, logs));
}

/** A bundle whose entry has another body; promise and proof are good. */
async function withBody(
  recipe: Omit<Recipe, "entries">,
  change: (body: JsonObject, made: Made) => Json,
  base: (made: Made) => JsonObject = bodyOf,
): Promise<JsonObject> {
  return await bundleOf({
    ...recipe,
    entries: async (made) => [await logged(made, { body: change(base(made), made) as JsonObject })],
  });
}

const v2 = { timestamps: stamped(), entries: rekor2() };
const set =
  (pointer: string, value: Json | undefined | ((old: Json | undefined) => Json | undefined)) =>
  (body: JsonObject) => edited(body, pointer, value);

describe("verifyLogEntry()", () => {
  it("accepts entries of both versions and gives the promised time", async () => {
    const found = await check(await bundleOf({ ...BLOB }));
    equal(found?.log.baseUrl, "https://rekor.sigstore.example");
    equal(found?.time?.getTime(), SIGNED.getTime());
    const second = await check(await bundleOf({ ...ENVELOPE, ...v2 }));
    equal(second?.log.baseUrl, "https://log2025-1.rekor.sigstore.example");
    equal(second?.time, undefined);
  });

  it("takes a promise without a time for none of a time", async () => {
    const entries = async (made: Made) => [await logged(made, { integratedTime: new Date(0) })];
    const found = await check(await bundleOf({ ...BLOB, entries }));
    equal(found?.log.baseUrl, "https://rekor.sigstore.example");
    equal(found?.time, undefined);
  });

  it("knows no log but those that are trusted", async () => {
    const { otherRekor } = await theInstance();
    const json = await bundleOf({
      ...BLOB,
      entries: async (made) => [await logged(made, { log: otherRekor })],
    });
    equal(await check(json), undefined);
    equal(await check(await bundleOf({ ...BLOB }), []), undefined);
  });

  it("refuses an entry under the id of a trusted log by another one", async () => {
    const good = await bundleOf({ ...BLOB });
    const { otherRekor } = await theInstance();
    const json = await bundleOf({
      ...BLOB,
      entries: async (made) => [await logged(made, { log: otherRekor })],
    });
    const keyId =
      (good.verificationMaterial as { tlogEntries: { logId: Json }[] }).tlogEntries[0].logId;
    equal(await verdictOf(edited(json, `${ENTRY}/logId`, keyId)), "invalid-inclusion-promise");
  });

  describe("promise", () => {
    const changes: Record<string, [string, Json]> = {
      "another time": ["integratedTime", String(SIGNED.getTime() / 1000 + 1)],
      "another index": ["logIndex", "1"],
      "no signature in it": ["inclusionPromise/signedEntryTimestamp", "MAYCAQECAQE="],
    };
    for (const [what, [pointer, value]] of Object.entries(changes)) {
      it(`refuses ${what}`, async () => {
        const json = edited(await bundleOf({ ...BLOB }), `${ENTRY}/${pointer}`, value);
        equal(await verdictOf(json), "invalid-inclusion-promise");
      });
    }

    it("is of the log's key alone", async () => {
      const promiseKey = await testKey("rekor-other");
      const json = await bundleOf({
        ...BLOB,
        entries: async (made) => [await logged(made, { promiseKey })],
      });
      equal(await verdictOf(json), "invalid-inclusion-promise");
    });

    it("counts indices above 2^53 exactly", async () => {
      const { rekor } = await theInstance();
      const index = 9007199254740993n;
      const json = await bundleOf({ ...BLOB });
      const [{ body, integratedTime }] = parseSigstoreBundle(json).logEntries;
      const signed = `{"body":"${encodeBase64(body)}","integratedTime":${integratedTime},"logID":"${
        (await rootOf()).logs[0].keyIds[0]
      }","logIndex":${index}}`;
      const promise = encodeBase64(await rekor.key.sign(utf8(signed)));
      const big = edited(
        edited(json, `${ENTRY}/inclusionPromise/signedEntryTimestamp`, promise),
        `${ENTRY}/logIndex`,
        `${index}`,
      );
      equal(await verdictOf(big), "ok");
      equal(
        await verdictOf(edited(big, `${ENTRY}/logIndex`, `${index - 1n}`)),
        "invalid-inclusion-promise",
      );
    });

    it("does not come from a Rekor v2 log", async () => {
      const v1 = await bundleOf({ ...BLOB });
      const [{ promise }] = parseSigstoreBundle(v1).logEntries;
      const json = await bundleOf({ ...BLOB, ...v2 });
      const both = edited(json, `${ENTRY}/inclusionPromise`, {
        signedEntryTimestamp: encodeBase64(promise ?? new Uint8Array()),
      });
      equal(await verdictOf(both), "invalid-inclusion-promise");
    });

    it("lies in the log's validity, both ends included, to the second", async () => {
      const json = await bundleOf({ ...BLOB });
      const logs = (await rootOf()).logs;
      const found: string[] = [];
      for (
        const validFor of [
          { start: SIGNED },
          { start: later(SIGNED, 1000) },
          { start: START, end: SIGNED },
          { start: START, end: later(SIGNED, -1000) },
          { start: END },
        ]
      ) found.push(await verdictOf(json, logs.map((log) => ({ ...log, validFor }))));
      const late = "log-not-valid";
      deepEqual(found, ["ok", late, "ok", late, late]);
    });

    it("is found among periods of one key", async () => {
      const json = await bundleOf({ ...BLOB });
      const [log] = (await rootOf()).logs;
      const first = { ...log, validFor: { start: START, end: START } };
      equal(await verdictOf(json, [first, log]), "ok");
    });
  });

  describe("proof", () => {
    const proof = `${ENTRY}/inclusionProof`;
    const flip = (old: Json | undefined) => {
      const bytes = decodeBase64(String(old));
      bytes[0] ^= 1;
      return encodeBase64(bytes);
    };
    const changes: Record<string, [string, Json | ((old: Json | undefined) => Json), string]> = {
      "another index": ["logIndex", "3", "invalid-inclusion-proof"],
      "another size": ["treeSize", "8", "checkpoint-mismatch"],
      "another root": ["rootHash", flip, "checkpoint-mismatch"],
      "another hash": ["hashes/0", flip, "invalid-inclusion-proof"],
      "a hash less": ["hashes", (old) => (old as Json[]).slice(1), "invalid-inclusion-proof"],
      "a hash more": [
        "hashes",
        (old) => [...old as Json[], (old as Json[])[0]],
        "invalid-inclusion-proof",
      ],
      "no hashes": ["hashes", [], "invalid-inclusion-proof"],
      "hashes in another order": [
        "hashes",
        (old) => (old as Json[]).toReversed(),
        "invalid-inclusion-proof",
      ],
    };
    for (const [what, [pointer, value, reason]] of Object.entries(changes)) {
      it(`refuses ${what}`, async () => {
        equal(
          await verdictOf(edited(await bundleOf({ ...BLOB }), `${proof}/${pointer}`, value)),
          reason,
        );
      });
    }

    it("refuses a checkpoint of another tree of the same log", async () => {
      const [a, b] = [await bundleOf({ ...BLOB }), await bundleOf({ ...ENVELOPE })];
      const [{ proof: other }] = parseSigstoreBundle(b).logEntries;
      const json = edited(a, `${proof}/checkpoint/envelope`, other!.checkpoint);
      equal(await verdictOf(json), "checkpoint-mismatch");
      // With root and size to go with it, the leaf is not in that tree.
      const fitted = edited(json, `${proof}/rootHash`, encodeBase64(other!.rootHash));
      equal(await verdictOf(fitted), "invalid-inclusion-proof");
      const all = edited(fitted, `${proof}/hashes`, other!.hashes.map((one) => encodeBase64(one)));
      equal(await verdictOf(all), "invalid-inclusion-proof");
    });

    it("refuses the proof of another leaf", async () => {
      const [a, b] = [await bundleOf({ ...BLOB }), await bundleOf({ ...ENVELOPE })];
      const other = (b.verificationMaterial as { tlogEntries: JsonObject[] }).tlogEntries[0];
      equal(await verdictOf(edited(a, proof, other.inclusionProof)), "invalid-inclusion-proof");
    });

    it("is by the shard's index for v1, and for v2 by the one that both state", async () => {
      const v1 = await bundleOf({ ...BLOB });
      const [entry] = parseSigstoreBundle(v1).logEntries;
      equal(entry.logIndex === entry.proof!.logIndex, false);
      const json = await bundleOf({ ...BLOB, ...v2 });
      equal(await verdictOf(edited(json, `${ENTRY}/logIndex`, "4")), "invalid-inclusion-proof");
      const other = edited(json, `${ENTRY}/inclusionProof/logIndex`, "4");
      equal(await verdictOf(other), "invalid-inclusion-proof");
    });
  });

  describe("checkpoint", () => {
    const note = `${ENTRY}/inclusionProof/checkpoint/envelope`;

    it("refuses one that is malformed", async () => {
      equal(
        await verdictOf(edited(await bundleOf({ ...BLOB }), note, "x")),
        "malformed-checkpoint",
      );
    });

    it("refuses another key, for v1 and v2", async () => {
      const checkpointKey = await testKey("rekor-other");
      const one = await bundleOf({
        ...BLOB,
        entries: async (made) => [await logged(made, { checkpointKey })],
      });
      equal(await verdictOf(one), "invalid-checkpoint-signature");
      const other = await testKey("rekor2-other");
      const two = await bundleOf({ ...BLOB, ...v2, entries: rekor2({ checkpointKey: other }) });
      equal(await verdictOf(two), "invalid-checkpoint-signature");
    });

    it("refuses a v2 origin that is not the log's", async () => {
      const { rekor2: log } = await theInstance();
      const json = await bundleOf({ ...BLOB, ...v2 });
      const [{ proof }] = parseSigstoreBundle(json).logEntries;
      const found: string[] = [];
      for (
        const origin of ["log2025-2.rekor.sigstore.example", `${log.name}/`, ` ${log.name}`, "x"]
      ) {
        const text = checkpointText(origin, Number(proof!.treeSize), proof!.rootHash);
        const lines = [await logSignature(text, log.name, log.key)];
        found.push(await verdictOf(edited(json, note, signedNote(text, lines))));
      }
      deepEqual(new Set(found), new Set(["invalid-checkpoint-signature"]));
    });

    it("refuses a v1 origin under a name that did not sign", async () => {
      const json = await bundleOf({
        ...BLOB,
        entries: async (made) => [await logged(made, { origin: "evil.example - 1" })],
      });
      equal(await verdictOf(json), "invalid-checkpoint-signature");
    });

    it("refuses a signed tree of the wrong root", async () => {
      const checkpointRoot = new Uint8Array(32);
      const one = await bundleOf({
        ...BLOB,
        entries: async (made) => [await logged(made, { checkpointRoot })],
      });
      equal(await verdictOf(one), "checkpoint-mismatch");
      const two = await bundleOf({ ...BLOB, ...v2, entries: rekor2({ checkpointRoot }) });
      equal(await verdictOf(two), "checkpoint-mismatch");
      const fitted = edited(two, `${ENTRY}/inclusionProof/rootHash`, encodeBase64(checkpointRoot));
      equal(await verdictOf(fitted), "invalid-inclusion-proof");
    });
  });
});

describe("compareLogBody()", () => {
  const other64 = encodeBase64(utf8("another"));
  const zeros = "0".repeat(64);
  const otherPem = async () =>
    encodeBase64(
      utf8(
        `-----BEGIN PUBLIC KEY-----\n${
          encodeBase64((await testKey("leaf-other")).spki)
        }\n-----END PUBLIC KEY-----\n`,
      ),
    );
  type Change = (body: JsonObject, made: Made) => Json;
  const kinds: {
    kind: string;
    recipe: Omit<Recipe, "entries">;
    base: (made: Made) => JsonObject;
    digest: string;
    signature: string;
    key: string;
    pem: boolean;
    hex: boolean;
  }[] = [
    {
      kind: "hashedrekord 0.0.1",
      recipe: BLOB,
      base: bodyOf,
      digest: "/spec/data/hash/value",
      signature: "/spec/signature/content",
      key: "/spec/signature/publicKey/content",
      pem: true,
      hex: true,
    },
    {
      kind: "dsse 0.0.1",
      recipe: ENVELOPE,
      base: bodyOf,
      digest: "/spec/payloadHash/value",
      signature: "/spec/signatures/0/signature",
      key: "/spec/signatures/0/verifier",
      pem: true,
      hex: true,
    },
    {
      kind: "intoto 0.0.2",
      recipe: ENVELOPE,
      base: (made) => intotoBody(made.envelope!, made.verifier),
      digest: "/spec/content/payloadHash/value",
      signature: "/spec/content/envelope/signatures/0/sig",
      key: "/spec/content/envelope/signatures/0/publicKey",
      pem: true,
      hex: true,
    },
    {
      kind: "intoto 0.0.1",
      recipe: ENVELOPE,
      base: intotoV1Of,
      digest: "/spec/content/payloadHash/value",
      signature: "",
      key: "/spec/publicKey",
      pem: true,
      hex: true,
    },
    {
      kind: "hashedrekord 0.0.2 of a blob",
      recipe: BLOB,
      base: bodyV2Of,
      digest: "/spec/hashedRekordV002/data/digest",
      signature: "/spec/hashedRekordV002/signature/content",
      key: "/spec/hashedRekordV002/signature/verifier/x509Certificate/rawBytes",
      pem: false,
      hex: false,
    },
    {
      kind: "hashedrekord 0.0.2 of an envelope",
      recipe: ENVELOPE,
      base: bodyV2Of,
      digest: "/spec/hashedRekordV002/data/digest",
      signature: "/spec/hashedRekordV002/signature/content",
      key: "/spec/hashedRekordV002/signature/verifier/x509Certificate/rawBytes",
      pem: false,
      hex: false,
    },
  ];
  for (const { kind, recipe, base, digest, signature, key, pem, hex } of kinds) {
    const verdict = async (change: Change) => await verdictOf(await withBody(recipe, change, base));

    it(`${kind}: accepts what the bundle says`, async () => {
      equal(await verdict((body) => body), "ok");
    });

    it(`${kind}: refuses another digest`, async () => {
      const value = hex ? zeros : encodeBase64(new Uint8Array(32));
      equal(await verdict(set(digest, value)), "log-digest-mismatch");
      // A digest that is a prefix, or that goes on, is another one.
      const cut = (old: Json | undefined) =>
        hex ? String(old).slice(0, -2) : encodeBase64(decodeBase64(String(old)).subarray(1));
      equal(await verdict(set(digest, cut)), "log-digest-mismatch");
      equal(await verdict(set(digest, undefined)), "malformed-log-entry");
    });

    it(`${kind}: refuses another key`, async () => {
      const value = pem ? await otherPem() : encodeBase64((await testKey("leaf-other")).spki);
      equal(await verdict(set(key, value)), "log-key-mismatch");
      equal(await verdict(set(key, undefined)), "malformed-log-entry");
      equal(await verdict(set(key, "!")), "malformed-log-entry");
      if (pem) equal(await verdict(set(key, other64)), "malformed-log-entry");
    });

    if (signature !== "") {
      it(`${kind}: refuses another signature`, async () => {
        const value = kind.startsWith("intoto") ? encodeBase64(utf8(other64)) : other64;
        equal(await verdict(set(signature, value)), "log-signature-mismatch");
        equal(await verdict(set(signature, undefined)), "malformed-log-entry");
      });
    }

    it(`${kind}: refuses another kind or version than the bundle states`, async () => {
      for (const stated of [{ kind: "dsse", version: "0.0.2" }, { kind: "x", version: "0.0.1" }]) {
        const json = edited(
          await withBody(recipe, (body) => body, base),
          `${ENTRY}/kindVersion`,
          stated,
        );
        equal(await verdictOf(json), "malformed-log-entry");
      }
    });

    it(`${kind}: refuses a hash function that is not accepted`, async () => {
      const algorithm = digest.replace(/[a-z]+$/, "algorithm");
      for (const name of ["sha1", "SHA1", "md5", "constructor", "__proto__", "SHA256"]) {
        equal(await verdict(set(algorithm, name)), "unsupported-log-entry", name);
      }
    });
  }

  function intotoV1Of(made: Made): JsonObject {
    const second = intotoBody(made.envelope!, made.verifier) as { spec: { content: JsonObject } };
    const { hash, payloadHash, envelope } = second.spec.content;
    const [{ publicKey }] = (envelope as { signatures: { publicKey: Json }[] }).signatures;
    return {
      apiVersion: "0.0.1",
      kind: "intoto",
      spec: { content: { hash, payloadHash }, publicKey },
    };
  }

  const v2Spec = "/spec/hashedRekordV002/signature/verifier";
  it("hashedrekord 0.0.2: refuses another kind of key, no key, and two", async () => {
    const verdict = async (change: Change) =>
      await verdictOf(await withBody(BLOB, change, bodyV2Of));
    equal(
      await verdict(set(`${v2Spec}/keyDetails`, "PKIX_ECDSA_P384_SHA_384")),
      "log-key-mismatch",
    );
    equal(await verdict(set(`${v2Spec}/keyDetails`, "PKIX_ED25519")), "log-key-mismatch");
    equal(await verdict(set(`${v2Spec}/keyDetails`, "toString")), "log-key-mismatch");
    equal(await verdict(set(`${v2Spec}/keyDetails`, undefined)), "malformed-log-entry");
    equal(await verdict(set(`${v2Spec}/publicKey`, { rawBytes: "AAAA" })), "malformed-log-entry");
    equal(await verdict(set(`${v2Spec}/x509Certificate`, undefined)), "malformed-log-entry");
    // The certificate's own key is another verifier than the certificate.
    const key = encodeBase64((await testKey("leaf-p256")).spki);
    const bare = (body: JsonObject) =>
      edited(edited(body, `${v2Spec}/x509Certificate`, undefined), `${v2Spec}/publicKey`, {
        rawBytes: key,
      });
    equal(await verdict(bare), "log-key-mismatch");
  });

  it("dsse 0.0.1 and intoto 0.0.2: refuse a second signature, and none", async () => {
    const twice = (old: Json | undefined) => [...old as Json[], ...old as Json[]];
    const intoto = (made: Made) => intotoBody(made.envelope!, made.verifier);
    for (
      const [base, pointer] of [[bodyOf, "/spec/signatures"], [
        intoto,
        "/spec/content/envelope/signatures",
      ]] as const
    ) {
      for (const value of [twice, []]) {
        equal(
          await verdictOf(await withBody(ENVELOPE, set(pointer, value), base)),
          "log-signature-mismatch",
        );
      }
    }
  });

  it("intoto 0.0.2: refuses another payload type, and takes a signature encoded once", async () => {
    const base = (made: Made) => intotoBody(made.envelope!, made.verifier);
    const content = "/spec/content/envelope";
    const type = await withBody(ENVELOPE, set(`${content}/payloadType`, "text/plain"), base);
    equal(await verdictOf(type), "log-digest-mismatch");
    const once = await withBody(
      ENVELOPE,
      (body, made) => edited(body, `${content}/signatures/0/sig`, encodeBase64(made.signature)),
      base,
    );
    equal(await verdictOf(once), "ok");
  });

  it("refuses an envelope's kind for a blob, and kinds that are not known", async () => {
    const cases: [string, string][] = [
      ["dsse", "0.0.1"],
      ["intoto", "0.0.1"],
      ["intoto", "0.0.2"],
      ["dsse", "0.0.2"],
      ["hashedrekord", "0.0.3"],
      ["rfc3161", "0.0.1"],
      ["constructor", "0.0.1"],
    ];
    for (const [kind, apiVersion] of cases) {
      const json = await withBody(BLOB, (body) => ({ ...body, kind, apiVersion }));
      equal(await verdictOf(json), "unsupported-log-entry", `${kind} ${apiVersion}`);
    }
  });

  it("refuses a body that is not strict JSON, or no object", async () => {
    const good = await bundleOf({ ...BLOB });
    const text = new TextDecoder().decode(parseSigstoreBundle(good).logEntries[0].body);
    const bodies = [
      "",
      "{",
      "[]",
      "null",
      "1",
      `${text}x`,
      text.replace("{", `{"kind":"hashedrekord",`),
      `\ufeff${text}`,
    ];
    for (const body of bodies.slice(1)) {
      const json = edited(good, `${ENTRY}/canonicalizedBody`, encodeBase64(utf8(body)));
      equal(await verdictOf(json), "malformed-log-entry", body.slice(0, 20));
    }
  });

  it("covers the bytes of the body, not what they mean", async () => {
    const good = await bundleOf({ ...BLOB });
    const text = new TextDecoder().decode(parseSigstoreBundle(good).logEntries[0].body);
    const spaced = edited(good, `${ENTRY}/canonicalizedBody`, encodeBase64(utf8(` ${text}`)));
    equal(await verdictOf(spaced), "invalid-inclusion-promise");
    equal(canonicalJson(JSON.parse(text)), text);
    equal(ARTIFACT.length > 0, true);
  });
});
