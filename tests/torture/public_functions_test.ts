import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { pae, verifyEnvelope } from "../../dsse/mod.ts";
import { isAttestationError } from "../../errors.ts";
import { decodeBase64, encodeBase64, encodeBase64Url } from "../../internal/base64.ts";
import { decodeHex } from "../../internal/hex.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { parseStatement, readJsonLines } from "../../intoto/mod.ts";
import {
  decryptPrivateKey,
  findKeyEncryption,
  generateSigner,
  importSigner,
  importTrustedKey,
  parseKeySet,
} from "../../keys/mod.ts";
import { parseNpmAttestations, parseNpmKeys } from "../../npm/mod.ts";
import { parseCheckpoint, parseSigstoreBundle, parseTrustedRoot } from "../../sigstore/mod.ts";
import { parseIdentityToken } from "../../sigstore/oidc/mod.ts";
import { parseSigningConfig } from "../../sigstore/sign/mod.ts";
import { verify } from "../../verify/mod.ts";
import { load, options, ran } from "./corpus.ts";

/* The corpora of codecs through the public functions that use them. */

async function reasonOf(run: () => unknown): Promise<string> {
  try {
    await run();
    return "accepted";
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

const { signer, trustedKey } = await generateSigner("Ed25519", { name: "torture" });

interface JsonCase {
  name: string;
  expected?: "accept" | "reject" | "either";
  base64: string;
}

function jsonCases(): { name: string; bytes: Bytes }[] {
  return ["test_parsing", "test_transform"].flatMap((name) =>
    load<{ cases: JsonCase[] }>(`jsontestsuite/${name}.json`).cases
  ).map(({ name, base64 }) => ({ name, bytes: decodeBase64(base64) }));
}

describe("public functions on nst/JSONTestSuite", options, () => {
  const PARSERS: Readonly<Record<string, (bytes: Bytes) => unknown>> = {
    "parseStatement()": (bytes) => parseStatement(bytes),
    "parseSigstoreBundle()": (bytes) => parseSigstoreBundle(bytes),
    "parseTrustedRoot()": (bytes) => parseTrustedRoot(bytes),
    "parseSigningConfig()": (bytes) => parseSigningConfig(bytes),
    "parseKeySet()": (bytes) => parseKeySet(bytes),
    "parseNpmAttestations()": (bytes) => parseNpmAttestations(bytes),
    "parseNpmKeys()": (bytes) => parseNpmKeys(bytes),
  };
  for (const [name, parse] of Object.entries(PARSERS)) {
    it(`${name} refuses all with a reason`, async () => {
      const accepted: string[] = [];
      const cases = jsonCases();
      for (const { name, bytes } of cases) {
        if (await reasonOf(() => parse(bytes)) === "accepted") accepted.push(name);
      }
      deepEqual(accepted, []);
      ran("jsontestsuite", cases.length);
    });
  }

  it("readJsonLines(), verifyEnvelope() and verify() refuse all with a reason", async () => {
    const accepted: string[] = [];
    const cases = jsonCases();
    for (const { name, bytes } of cases) {
      await reasonOf(() => readJsonLines(bytes));
      const envelope = await verifyEnvelope(bytes, { keys: [trustedKey] });
      const report = await verify(bytes, utf8("artifact"), {
        trust: { keys: [trustedKey], trustedRoots: [], onlyRoot: true },
      });
      if (envelope.ok || report.ok) accepted.push(name);
      ok(envelope.errorReason !== "internal-error" && report.errorReason !== "internal-error");
    }
    deepEqual(accepted, []);
    ran("jsontestsuite", cases.length);
  });

  it("verify() accepts a signed Statement iff its predicate is JSON as we read it", async () => {
    const sha256 = "c3ab8ff13720e8ad9047dd39466b3c8974e592c2fa383d4a3960714caef0c4f2"; // foobar
    const wrong: string[] = [];
    const cases = jsonCases();
    for (const { name, bytes } of cases) {
      const before = utf8(
        `{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{"sha256":"${sha256}"}}],` +
          `"predicateType":"https://example.com/torture/v1","predicate":{"value":`,
      );
      const payload = Uint8Array.from([...before, ...bytes, ...utf8("}}")]);
      const report = await verify(await signed(payload, encodeBase64(payload)), utf8("foobar"), {
        trust: { keys: [trustedKey] },
      });
      const alone = await reasonOf(() => parseStatement(payload));
      if (report.ok !== (alone === "accepted")) {
        wrong.push(`${name} ${report.errorReason} ${alone}`);
      }
      // What the runtime's own parser cannot read is never accepted.
      if (report.ok) JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(payload));
    }
    deepEqual(wrong, []);
    ran("jsontestsuite", cases.length);
  });
});

/** An envelope with a good signature over the payload, however it is spelt. */
async function signed(payload: Uint8Array, spelt: string, sig?: string): Promise<string> {
  const payloadType = "application/vnd.in-toto+json";
  const signature = await signer.sign(pae(payloadType, payload));
  return JSON.stringify({
    payloadType,
    payload: spelt,
    signatures: [{ sig: sig ?? encodeBase64(signature) }],
  });
}

describe("verifyEnvelope() on the cases of base64", options, () => {
  it("accepts a good signature only over a payload that is spelt strictly", async () => {
    const { cases } = load<
      { cases: { input: string; forgiving: string | null; strict: "valid" | "invalid" }[] }
    >("base64/cases.json");
    const wrong: string[] = [];
    let otherwise = 0;
    for (const { input, forgiving, strict } of cases) {
      const payload = decodeHex(forgiving ?? "");
      const result = await verifyEnvelope(await signed(payload, input), { keys: [trustedKey] });
      if (result.ok === (strict === "valid")) continue;
      // An envelope may leave out the padding: what differs in no other way is accepted.
      const isUnpadded = forgiving !== null && input === encodeBase64(payload).replace(/=+$/, "");
      if (result.ok && isUnpadded) otherwise++;
      else wrong.push(`${JSON.stringify(input)} ${result.errorReason}`);
    }
    deepEqual(wrong, []);
    equal(otherwise, 3);
    ran("base64", cases.length, otherwise);
  });
});

interface TokenGroup {
  public?: Record<string, unknown>;
  tests: { tcId: number; comment: string; jws?: string; result: string }[];
}

describe("tokens and keys of wycheproof", options, () => {
  const names = ["json_web_signature", "json_web_key", "json_web_crypto"];
  const groups = (name: string) =>
    load<{ testGroups: TokenGroup[] }>(`wycheproof/${name}_test.json`).testGroups;

  it("parseIdentityToken() takes none of the tokens: their claims are none", async () => {
    const accepted: number[] = [];
    let run = 0;
    for (const { tests } of names.flatMap(groups)) {
      for (const { tcId, jws } of tests) {
        if (typeof jws !== "string") continue;
        run++;
        if (await reasonOf(() => parseIdentityToken(jws)) === "accepted") accepted.push(tcId);
      }
    }
    deepEqual(accepted, []);
    ran("wycheproof", run);
  });

  it("parseIdentityToken() takes good claims below a strict header only", async () => {
    const now = new Date("2026-01-01T00:00:00Z");
    const seconds = now.getTime() / 1000;
    const claims = encodeBase64Url(utf8(JSON.stringify({
      iss: "https://issuer.example",
      sub: "ci",
      aud: "sigstore",
      iat: seconds,
      exp: seconds + 600,
    })));
    const wrong: string[] = [];
    let accepted = 0, refused = 0;
    for (const { tests } of names.flatMap(groups)) {
      for (const { tcId, comment, jws } of tests) {
        const parts = typeof jws === "string" ? jws.split(".") : [];
        if (parts.length !== 3) continue;
        const token = `${parts[0]}.${claims}.${parts[2]}`;
        if (await reasonOf(() => parseIdentityToken(token, { now })) !== "accepted") {
          refused++;
          continue;
        }
        accepted++;
        const isStrict = (part: string) => encodeBase64Url(decodeBase64(part)) === part;
        const header = JSON.parse(new TextDecoder().decode(decodeBase64(parts[0])));
        if (
          !isStrict(parts[0]) || !isStrict(parts[2]) || parts[2] === "" ||
          typeof header.alg !== "string" || /^none$/i.test(header.alg) || "crit" in header
        ) wrong.push(`${tcId} ${comment}`);
      }
    }
    deepEqual(wrong, []);
    ok(accepted > 100 && refused > 20, `${accepted} accepted, ${refused} refused`);
    ran("wycheproof", accepted + refused);
  });

  it("importTrustedKey() refuses every symmetric key and every set of keys", async () => {
    let run = 0;
    const accepted: string[] = [];
    for (const { public: key } of names.flatMap(groups)) {
      if (key === undefined || (key.kty !== "oct" && key.keys === undefined)) continue;
      run++;
      if (await reasonOf(() => importTrustedKey(JSON.stringify(key))) === "accepted") {
        accepted.push(JSON.stringify(key).slice(0, 80));
      }
    }
    deepEqual(accepted, []);
    ok(run > 0);
    ran("wycheproof", run);
  });

  it("importSigner() and decryptPrivateKey() refuse every public key in PEM", async () => {
    let run = 0;
    for (const size of [256, 384, 521]) {
      const { cases } = load<{ cases: { encoding: string; public: unknown }[] }>(
        `wycheproof/public_keys_p${size}.json`,
      );
      for (const { encoding, public: pem } of cases) {
        if (encoding !== "pem" || typeof pem !== "string") continue;
        run++;
        ok(await reasonOf(() => importSigner(pem)) !== "accepted");
        ok(await reasonOf(() => decryptPrivateKey(pem, "passphrase")) !== "accepted");
        equal(findKeyEncryption(pem), undefined);
      }
    }
    ok(run > 100);
    ran("wycheproof", run);
  });
});

describe("parseCheckpoint() on transparency-dev's proofs", options, () => {
  it("takes no proof file and no key of a witness for a checkpoint", async () => {
    const { cases: proofs } = load<{ cases: Record<string, unknown>[] }>(
      "tdev-formats/tlog-proofs.json",
    );
    const { cases: keys } = load<{ cases: Record<string, unknown>[] }>(
      "tdev-formats/cosignature-vkeys.json",
    );
    const cases = [...proofs, ...keys];
    for (const one of cases) {
      for (const text of Object.values(one).filter((value) => typeof value === "string")) {
        ok(await reasonOf(() => parseCheckpoint(text)) !== "accepted");
      }
    }
    ran("tdev-formats", cases.length);
  });
});
