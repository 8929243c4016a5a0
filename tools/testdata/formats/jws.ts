import { encodeBase64Url } from "../../../internal/base64.ts";
import { utf8 } from "../../../internal/bytes.ts";
import type { Reason } from "../../../errors.ts";
import type { JsonObject } from "../../../internal/json.ts";
import { testKey } from "../../pki/keys.ts";
import type { Collection } from "../collection.ts";
import { statementAbout } from "../statements.ts";
import { ARTIFACT, FormatCases } from "./format_cases.ts";
import { b64, compact, signJose } from "./signing.ts";

const STATEMENT = statementAbout(utf8(ARTIFACT));
const TYPE = "vnd.in-toto+json";
const GOOD = { alg: "EdDSA", cty: TYPE };
const UNSUPPORTED = "unsupported-algorithm";

/** JWS and JWT. */
export async function addJws(collection: Collection): Promise<void> {
  const cases = new FormatCases(collection, "jws", "RFC 7515; RFC 7519");
  const one = await signJose(GOOD, STATEMENT);
  const token = compact(one);
  const { protected: header, payload, signature } = one;

  await cases.add({ id: "compact", why: "compact form, Ed25519", document: token });
  for (const [alg, key] of [["ES256", "dsse-p256"], ["ES384", "dsse-p384"]]) {
    const document = compact(await signJose({ alg, cty: TYPE }, STATEMENT, key));
    await cases.add({ id: alg.toLowerCase(), why: `${alg}, r and s`, document, keys: [key] });
  }
  for (const alg of ["RS256", "PS256"]) {
    const document = compact(await signJose({ alg, cty: TYPE }, STATEMENT, "dsse-rsa"));
    await cases.add({ id: alg.toLowerCase(), why: alg, document, keys: [await rsaJwk(alg)] });
  }
  await cases.add({ id: "flattened", why: "flattened form", document: text(one) });
  const general = { payload, signatures: [{ protected: header, signature }] };
  await cases.add({ id: "general", why: "general form", document: text(general) });
  const stranger = await signJose(GOOD, STATEMENT, "witness");
  const two = {
    payload,
    signatures: [one, stranger].map((part) => ({
      protected: part.protected,
      signature: part.signature,
    })),
  };
  await cases.add({
    id: "stranger-beside",
    why: "a second signature by a stranger, and one is enough",
    document: text(two),
  });
  await cases.add({
    id: "untyped",
    why: "no cty and no typ: the message is told by its content",
    document: compact(await signJose({ alg: "EdDSA" }, STATEMENT)),
  });

  const rsa = await testKey("dsse-rsa");
  const hmac = await signHmac({ alg: "HS256", cty: TYPE }, rsa.spki);
  const mallory = await testKey("witness");
  const jwk = { kty: "OKP", crv: "Ed25519", x: encodeBase64Url(mallory.spki.slice(-32)) };
  const exp = Date.parse("2025-02-01T00:00:00Z") / 1000;
  const ec = await testKey("dsse-p256");
  const esHeader = b64({ alg: "ES256", cty: TYPE });
  const der = await ec.sign(utf8(`${esHeader}.${payload}`));
  const unprotected = await signJose({ cty: TYPE }, STATEMENT);
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const last = alphabet[alphabet.indexOf(token.at(-1) ?? "A") ^ 1];
  const retyped = `${b64({ ...GOOD, cty: "vnd.in-toto.other+json" })}.${payload}.${signature}`;
  const altered = `${header}.${b64({ ...STATEMENT, predicate: {} })}.${signature}`;

  const bad: [id: string, why: string, document: string, reason: Reason, keys?: string[]][] = [
    ["alg-none", "no algorithm, no signature", `${b64({ alg: "none" })}.${payload}.`, UNSUPPORTED],
    ["hmac", "HMAC with the public RSA key as its secret", hmac, UNSUPPORTED, ["dsse-rsa"]],
    [
      "algorithm-of-another-key",
      "the header states PS256, the key is for RS256",
      compact(await signJose({ alg: "PS256", cty: TYPE }, STATEMENT, "dsse-rsa")),
      "key-algorithm-mismatch",
      ["dsse-rsa"],
    ],
    [
      "alg-unprotected",
      "the algorithm is not in the protected header",
      text({ ...unprotected, header: { alg: "EdDSA" } }),
      "malformed-envelope",
    ],
    [
      "alg-in-both",
      "the algorithm is in both headers",
      text({ ...one, header: { alg: "EdDSA" } }),
      "malformed-envelope",
    ],
    [
      "alg-twice",
      "the protected header has two algorithms",
      text(await signJose('{"alg":"none","alg":"EdDSA"}', STATEMENT)),
      "duplicate-json-key",
    ],
    [
      "crit-unknown",
      "a critical header that nobody here knows",
      compact(await signJose({ ...GOOD, crit: ["x"], x: 1 }, STATEMENT)),
      "unsupported-critical-header",
    ],
    [
      "crit-empty",
      "an empty list of critical headers",
      compact(await signJose({ ...GOOD, crit: [] }, STATEMENT)),
      "malformed-envelope",
    ],
    [
      "last-character",
      "the last character has bits that stand for nothing",
      token.slice(0, -1) + last,
      "invalid-base64",
    ],
    ["padding", "a signature with padding", `${token}==`, "invalid-base64"],
    [
      "embedded-key",
      "a stranger's signature, with the stranger's key in the header",
      compact(await signJose({ ...GOOD, jwk }, STATEMENT, "witness")),
      "invalid-signature",
    ],
    ["payload-altered", "another payload", altered, "invalid-signature"],
    ["type-altered", "another cty", retyped, "invalid-signature"],
    [
      "es256-der",
      "ES256 with the signature in DER",
      `${esHeader}.${payload}.${b64(der)}`,
      "invalid-signature",
      ["dsse-p256"],
    ],
    [
      "expired",
      "a JWT after its exp",
      compact(await signJose({ alg: "EdDSA", typ: "JWT" }, { ...STATEMENT, exp })),
      "attestation-expired",
    ],
    [
      "other-type",
      "a message that is none of those that are read",
      compact(await signJose({ alg: "EdDSA", cty: "text/plain" }, STATEMENT)),
      "unsupported-payload-type",
    ],
    [
      "also-dsse",
      "the marks of a DSSE envelope too",
      text({ ...general, payloadType: "application/vnd.in-toto+json" }),
      "ambiguous-format",
    ],
  ];
  for (const [id, why, document, reason, keys] of bad) {
    await cases.add({ id, why, document, reason, ...(keys === undefined ? {} : { keys }) });
  }
  await cases.add({
    id: "one-of-two",
    why: "two signers are needed, and one of two signatures is good",
    document: text(two),
    options: { threshold: 2 },
    keys: ["dsse-ed25519", "dsse-p256"],
    reason: "threshold-not-met",
  });
  await cases.add({
    id: "other-artifact",
    why: "a good signature about another artifact",
    document: token,
    artifact: "other\n",
    reason: "subject-mismatch",
  });
}

/** A public RSA key that says what it is for: PEM is for RS256. */
async function rsaJwk(alg: string): Promise<{ name: string; text: string }> {
  const { spki } = await testKey("dsse-rsa");
  const usage = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("spki", spki, usage, true, ["verify"]);
  const { kty, n, e } = await crypto.subtle.exportKey("jwk", key);
  return { name: `dsse-rsa.${alg}.json`, text: `${JSON.stringify({ kty, alg, n, e }, null, 1)}\n` };
}

async function signHmac(header: JsonObject, secret: Uint8Array<ArrayBuffer>): Promise<string> {
  const data = `${b64(header)}.${b64(STATEMENT)}`;
  const parameters = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", secret, parameters, false, ["sign"]);
  return `${data}.${b64(new Uint8Array(await crypto.subtle.sign("HMAC", key, utf8(data))))}`;
}

function text(value: object): string {
  return `${JSON.stringify(value, null, 1)}\n`;
}
