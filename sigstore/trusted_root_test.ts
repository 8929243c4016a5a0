import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import {
  edited,
  later,
  reasonOf,
  rootJson,
  rootOf,
  theInstance,
} from "../tests/fixtures/sigstore.ts";
import { noteKeyId } from "../tools/pki/checkpoint.ts";
import { SIGNED } from "../tools/pki/instance.ts";
import { testKey } from "../tools/pki/keys.ts";
import { hostOf, isWithin, parseTrustedRoot, parseTrustedRoots } from "./trusted_root.ts";

const reason = (json: JsonObject | string) => reasonOf(() => parseTrustedRoot(json));

describe("parseTrustedRoot()", () => {
  it("reads logs, authorities and their periods", async () => {
    const root = parseTrustedRoot(await rootJson());
    equal(root.logs.length, 3);
    equal(root.ctLogs.length, 1);
    equal(root.certificateAuthorities[0].chain.length, 2);
    equal(root.timestampAuthorities[0].chain.length, 3);
    equal(root.name, "https://fulcio.sigstore.example");
    equal(root.logs[0].validFor.end, undefined);
    const text = JSON.stringify(await rootJson());
    for (const same of [text, utf8(text)]) deepEqual(parseTrustedRoot(same), root);
  });

  it("says once that it is no trusted root, and why", async () => {
    const json = await rootJson();
    const chain = "/certificateAuthorities/0/certChain/certificates/0/rawBytes";
    const refusal = (value: JsonObject) => {
      try {
        parseTrustedRoot(value);
      } catch (error) {
        if (isAttestationError(error)) return error;
      }
      throw new Error("accepted");
    };
    const { message, cause } = refusal(edited(json, "/mediaType", "text/html"));
    equal(cause, undefined);
    equal(message.split("Cannot read").length, 2, message);
    const inner = refusal(edited(json, chain, "AAAA"));
    equal(isAttestationError(inner.cause) && inner.cause.reason, "malformed-certificate");
    equal(inner.path, chain);
  });

  it("derives the ids by which logs are called", async () => {
    const { rekor, rekor2 } = await theInstance();
    const root = await rootOf();
    deepEqual(root.logs[0].keyIds, [encodeHex(sha256(rekor.key.spki))]);
    deepEqual(root.logs[2].keyIds, [
      encodeHex(sha256(rekor2.key.spki)),
      encodeHex(noteKeyId(rekor2.name, rekor2.key)),
    ]);
    // Both follow from the key, whatever the document says of them.
    let json = await rootJson();
    for (const name of ["logId", "checkpointKeyId"]) {
      json = edited(json, `/tlogs/2/${name}`, undefined);
    }
    deepEqual(parseTrustedRoot(json).logs[2].keyIds, root.logs[2].keyIds);
  });

  it("takes an operator from the document, or else the address", async () => {
    const json = await rootJson();
    equal(parseTrustedRoot(json).logs[0].operator, "https://rekor.sigstore.example");
    equal(parseTrustedRoot(edited(json, "/tlogs/0/operator", "one")).logs[0].operator, "one");
    equal(
      parseTrustedRoot(edited(json, "/tlogs/0/operator", "")).logs[0].operator,
      "https://rekor.sigstore.example",
    );
    equal(
      parseTrustedRoot(edited(json, "/timestampAuthorities/0/operator", "two"))
        .timestampAuthorities[0].operator,
      "two",
    );
  });

  it("reads its three media types only", async () => {
    const json = await rootJson();
    const of = (type: Json | undefined) => reason(edited(json, "/mediaType", type));
    for (
      const type of [
        "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json",
        "application/vnd.dev.sigstore.trustedroot.v0.2+json",
      ]
    ) equal(await of(type), "ok");
    for (
      const type of [
        undefined,
        "",
        "application/json",
        "application/vnd.dev.sigstore.trustedroot.v0.3+json",
        "application/vnd.dev.sigstore.trustedroot.v0.1+json\n",
        "application/vnd.dev.sigstore.bundle.v0.3+json",
      ]
    ) equal(await of(type), "malformed-trusted-root");
  });

  const log = "/tlogs/0";
  const authority = "/certificateAuthorities/0";
  const cases: [string, string, Json | undefined][] = [
    ["logs that are no list", "/tlogs", {}],
    ["a log that is null", log, null],
    ["a log without key", `${log}/publicKey`, undefined],
    ["a log without validity", `${log}/publicKey/validFor`, undefined],
    ["a validity without start", `${log}/publicKey/validFor`, { end: "2030-01-01T00:00:00Z" }],
    ["an empty validity", `${log}/publicKey/validFor`, {}],
    ["a start that is null", `${log}/publicKey/validFor/start`, null],
    ["a start without zone", `${log}/publicKey/validFor/start`, "2025-01-01T00:00:00"],
    ["a start with an offset", `${log}/publicKey/validFor/start`, "2025-01-01T00:00:00+01:00"],
    ["a start that is a number", `${log}/publicKey/validFor/start`, 0],
    ["an end that is no time", `${log}/publicKey/validFor/end`, "never"],
    ["an end that is empty", `${log}/publicKey/validFor/end`, ""],
    ["a log without address", `${log}/baseUrl`, undefined],
    ["a key without kind", `${log}/publicKey/keyDetails`, undefined],
    ["a key of another kind", `${log}/publicKey/keyDetails`, "PKIX_ED25519"],
    ["a key of another curve", `${log}/publicKey/keyDetails`, "PKIX_ECDSA_P384_SHA_384"],
    ["a key that is none", `${log}/publicKey/rawBytes`, "AAAA"],
    ["a key that is not base64", `${log}/publicKey/rawBytes`, "!"],
    ["an empty key id", `${log}/logId/keyId`, ""],
    ["a CT log without start", "/ctlogs/0/publicKey/validFor", {}],
    ["an authority without validity", `${authority}/validFor`, undefined],
    ["an authority without start", `${authority}/validFor`, {}],
    ["an authority without chain", `${authority}/certChain`, undefined],
    ["an empty chain", `${authority}/certChain/certificates`, []],
    ["a certificate that is none", `${authority}/certChain/certificates/0/rawBytes`, "AAAA"],
    ["a timestamp authority without start", "/timestampAuthorities/0/validFor", {}],
  ];
  for (const [what, pointer, value] of cases) {
    it(`refuses ${what}`, async () => {
      equal(await reason(edited(await rootJson(), pointer, value)), "malformed-trusted-root");
    });
  }

  it("leaves out a log whose kind of key is not known, and no other", async () => {
    const json = await rootJson();
    for (const kind of ["PKIX_ML_DSA_65", "toString", "__proto__"]) {
      equal(parseTrustedRoot(edited(json, `${log}/publicKey/keyDetails`, kind)).logs.length, 2);
    }
  });

  it("bounds the number of everything", async () => {
    const json = await rootJson();
    const many = (count: number) => (old: Json | undefined) =>
      Array<Json>(count).fill((old as Json[])[0]);
    for (
      const pointer of ["/tlogs", "/ctlogs", "/certificateAuthorities", "/timestampAuthorities"]
    ) {
      equal(await reason(edited(json, pointer, many(257))), "malformed-trusted-root", pointer);
    }
    const chain = `${authority}/certChain/certificates`;
    equal(await reason(edited(json, chain, many(16))), "ok");
    equal(await reason(edited(json, chain, many(17))), "malformed-trusted-root");
  });

  it("refuses what is no strict JSON", async () => {
    equal(await reason("<html>"), "malformed-json");
    equal(await reason(""), "empty-input");
    equal(await reason(`{"mediaType":"a","mediaType":"b"}`), "duplicate-json-key");
    equal(await reason("[]"), "malformed-trusted-root");
    equal(await reason(" ".repeat((8 << 20) + 1)), "limit-exceeded");
  });

  it("throws a TypeError for an option that it does not have", async () => {
    const json = await rootJson();
    let thrown: unknown;
    try {
      parseTrustedRoot(json, { nam: "x" } as { name?: string });
    } catch (error) {
      thrown = error;
    }
    equal(thrown instanceof TypeError, true);
  });

  it("does not take a stated id for more than a name: the key verifies", async () => {
    const other = encodeBase64(sha256((await testKey("rekor-other")).spki));
    const root = parseTrustedRoot(edited(await rootJson(), `${log}/logId/keyId`, other));
    equal(root.logs[0].keyIds.length, 2);
  });
});

describe("parseTrustedRoots()", () => {
  it("reads one document over many lines, or one per line", async () => {
    const json = await rootJson();
    equal(parseTrustedRoots(JSON.stringify(json, null, 2)).length, 1);
    const line = JSON.stringify(json);
    const roots = parseTrustedRoots(`${line}\n\n${line}\r\n`, { name: "both" });
    deepEqual(roots.map(({ name }) => name), ["both#1", "both#2"]);
    deepEqual(parseTrustedRoots(line, { name: "one" }).map(({ name }) => name), ["one"]);
    equal(await reasonOf(() => parseTrustedRoots("\n")), "empty-input");
    equal(await reasonOf(() => parseTrustedRoots("")), "empty-input");
  });

  it("takes a document over several lines for one, however it is broken", () => {
    const start = `{"mediaType":"application/vnd.dev.sigstore.trustedroot.v0.1+json"`;
    for (const text of [`${start},"a":{}\n,"b":{}}`, `${start},"a":\n{},"b":\n{}}`]) {
      equal(parseTrustedRoots(text).length, 1);
    }
  });

  it("refuses all lines for one that is bad, and more than 64", async () => {
    const line = `{"mediaType":"application/vnd.dev.sigstore.trustedroot.v0.1+json"}`;
    equal(await reasonOf(() => parseTrustedRoots(`${line}\n{}\n`)), "malformed-trusted-root");
    equal(await reasonOf(() => parseTrustedRoots(`${line}\n`.repeat(64))), "ok");
    equal(await reasonOf(() => parseTrustedRoots(`${line}\n`.repeat(65))), "limit-exceeded");
  });
});

describe("isWithin()", () => {
  it("includes both ends", () => {
    const period = { start: SIGNED, end: later(SIGNED, 5) };
    const found = [-1, 0, 5, 6].map((ms) => isWithin(later(SIGNED, ms), period));
    deepEqual(found, [false, true, true, false]);
    equal(isWithin(new Date(8.64e15), { start: SIGNED }), true);
    equal(isWithin(new Date(NaN), { start: SIGNED }), false);
  });
});

describe("hostOf()", () => {
  it("takes host and port of an address", () => {
    equal(hostOf("https://log.example:8443/api/"), "log.example:8443");
    equal(hostOf("log.example"), "log.example");
  });
});
