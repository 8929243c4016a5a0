import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import type { KeyAlgorithm } from "../keys/mod.ts";
import {
  ABC_SHA256,
  b64,
  compact,
  joseSignature,
  keyOf,
  raw,
  STATEMENT,
  verdict,
} from "./_fixtures_test.ts";
import { parseJose } from "./_jose.ts";
import { verifyFormat } from "./mod.ts";

const TYPE = "vnd.in-toto+json";
const GOOD = { alg: "EdDSA", cty: TYPE };
const ci = async () => ({ keys: [(await keyOf("Ed25519")).trustedKey] });

async function signers(source: string, names: readonly string[]): Promise<string[]> {
  const keys = await Promise.all(names.map(async (n) => (await keyOf("Ed25519", n)).trustedKey));
  const result = await verifyFormat(source, { keys });
  return (result.envelope?.signers ?? []).map((one) => one.ok ? one.name : one.error.reason);
}

async function general(...names: string[]): Promise<Record<string, unknown>> {
  const all = await Promise.all(
    names.map((name) => joseSignature(GOOD, STATEMENT, "Ed25519", name)),
  );
  return {
    payload: all[0].payload,
    signatures: all.map(({ protected: p, signature }) => ({ protected: p, signature })),
  };
}

describe("verifyFormat() of a JWS", () => {
  it("accepts each algorithm of a trusted key, and reads the Statement", async () => {
    for (const alg of ["Ed25519", "ES256", "ES384", "ES512", "RS256", "PS384"] as KeyAlgorithm[]) {
      const token = await compact(
        { alg: alg === "Ed25519" ? "EdDSA" : alg, cty: TYPE },
        STATEMENT,
        alg,
      );
      const result = await verifyFormat(token, { keys: [(await keyOf(alg)).trustedKey] });
      ok(result.ok, alg);
      equal(result.envelope.format, "jws");
      deepEqual(result.envelope.messageType, { value: TYPE, authenticated: true });
      ok("statement" in result.statement);
      equal(result.statement.statement.subject[0].digest?.sha256, ABC_SHA256);
      deepEqual(result.statement.implicit, []);
    }
  });

  it("accepts the flattened and the general form, and white space after a compact one", async () => {
    const one = await joseSignature(GOOD, STATEMENT);
    equal(await verdict(JSON.stringify(one, null, 2), await ci()), "ok");
    equal(await verdict(JSON.stringify(await general("ci")), await ci()), "ok");
    equal(await verdict(`${await compact(GOOD)}\n`, await ci()), "ok");
    equal(await verdict(await compact({ ...GOOD, alg: "Ed25519" }), await ci()), "ok");
  });

  it("is told by a header of any length, such as one with a chain of certificates", async () => {
    const x5c = Array.from({ length: 4 }, () => "A".repeat(2000));
    equal(await verdict(await compact({ x5c, ...GOOD }), await ci()), "ok");
    equal(await verdict(`${"eyJ".padEnd(9000, "A")}`, await ci()), "unknown-format");
  });

  it("refuses no signature at all, and HMAC keyed with the public key", async () => {
    const payload = b64(STATEMENT);
    equal(
      await verdict(`${b64({ alg: "none" })}.${payload}.`, await ci()),
      "unsupported-algorithm",
    );
    const { trustedKey } = await keyOf("RS256");
    const header = b64({ alg: "HS256" });
    const secret = await crypto.subtle.importKey(
      "raw",
      trustedKey.spki,
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    const mac = await crypto.subtle.sign("HMAC", secret, utf8(`${header}.${payload}`));
    equal(
      await verdict(`${header}.${payload}.${b64(new Uint8Array(mac))}`, { keys: [trustedKey] }),
      "unsupported-algorithm",
    );
  });

  it("refuses an algorithm that is not the key's", async () => {
    const { trustedKey } = await keyOf("RS256");
    equal(
      await verdict(await compact({ alg: "PS256" }, STATEMENT, "RS256"), { keys: [trustedKey] }),
      "key-algorithm-mismatch",
    );
    equal(
      await verdict(await compact({ alg: "ES256" }, STATEMENT), await ci()),
      "key-algorithm-mismatch",
    );
  });

  it("refuses an algorithm that is not in the protected header, or twice", async () => {
    const one = await joseSignature({ cty: TYPE }, STATEMENT);
    const unprotected = { ...one, header: { alg: "EdDSA" } };
    equal(await verdict(JSON.stringify(unprotected), await ci()), "malformed-envelope");
    const both = { ...await joseSignature(GOOD, STATEMENT), header: { alg: "EdDSA" } };
    equal(await verdict(JSON.stringify(both), await ci()), "malformed-envelope");
    const twice = await compact('{"alg":"none","alg":"EdDSA"}');
    // Not even told for a JWS: no two readers would see the same header.
    equal(await verdict(twice, await ci()), "unknown-format");
    const flat = await joseSignature('{"alg":"none","alg":"EdDSA"}', STATEMENT);
    equal(await verdict(JSON.stringify(flat), await ci()), "duplicate-json-key");
  });

  it("refuses critical headers that it does not know, and lists that are none", async () => {
    const bad: [unknown, string][] = [
      [["exp"], "malformed-envelope"],
      [[], "malformed-envelope"],
      ["exp", "malformed-envelope"],
      [["cty", "cty"], "malformed-envelope"],
      [["cty"], "unsupported-critical-header"],
      ["x", "malformed-envelope"],
      [[1], "malformed-envelope"],
      [["x", 1], "unsupported-critical-header"],
    ];
    for (const [crit, reason] of bad) {
      equal(await verdict(await compact({ ...GOOD, x: 1, 1: 1, crit }), await ci()), reason);
    }
    const b64False = { ...GOOD, b64: false, crit: ["b64"] };
    equal(await verdict(await compact(b64False), await ci()), "unsupported-critical-header");
  });

  it("refuses base64url that is not canonical", async () => {
    const token = await compact(GOOD);
    const last = token.at(-1) ?? "";
    const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const other = alphabet[alphabet.indexOf(last) ^ 1];
    equal(await verdict(token.slice(0, -1) + other, await ci()), "invalid-base64");
    const one = await joseSignature(GOOD, STATEMENT);
    const padded = { ...one, signature: `${one.signature}==` };
    equal(await verdict(JSON.stringify(padded), await ci()), "invalid-base64");
  });

  it("believes no key that comes in the header", async () => {
    const { signer } = await keyOf("Ed25519", "mallory");
    const jwk = await crypto.subtle.exportKey(
      "jwk",
      await crypto.subtle.importKey("spki", await signer.publicKey(), "Ed25519", true, ["verify"]),
    );
    const token = await compact({ ...GOOD, jwk }, STATEMENT, "Ed25519", "mallory");
    equal(await verdict(token, await ci()), "invalid-signature");
  });

  it("takes r‖s and never DER for ECDSA", async () => {
    const { signer, trustedKey } = await keyOf("ES256");
    const header = b64({ alg: "ES256" });
    const data = utf8(`${header}.${b64(STATEMENT)}`);
    const signature = await signer.sign(data);
    const keys = [trustedKey];
    const token = (bytes: Uint8Array) => `${new TextDecoder().decode(data)}.${b64(bytes)}`;
    equal(await verdict(token(raw("ES256", signature)), { keys }), "ok");
    const der = signature[0] === 0x30 ? signature : new Uint8Array(70).fill(0x30);
    equal(await verdict(token(der), { keys }), "invalid-signature");
  });

  it("gives every signature a result of its own, and counts a key once", async () => {
    const two = await general("ci", "mallory");
    deepEqual(await signers(JSON.stringify(two), ["ci"]), ["ci", "invalid-signature"]);
    equal(await verdict(JSON.stringify(two), await ci()), "ok");
    const twice = JSON.stringify(await general("ci", "ci"));
    equal(await verdict(twice, await ci()), "ok");
    equal(await verdict(twice, { ...await ci(), threshold: 2 }), "threshold-not-met");
    const both = [
      (await keyOf("Ed25519")).trustedKey,
      (await keyOf("Ed25519", "mallory")).trustedKey,
    ];
    equal(await verdict(JSON.stringify(two), { keys: both, threshold: 2 }), "ok");
  });

  it("refuses signatures that state different types, and a form that is two", async () => {
    const one = await joseSignature(GOOD, STATEMENT);
    const other = await joseSignature(
      { alg: "EdDSA", cty: "text/plain" },
      STATEMENT,
      "Ed25519",
      "x",
    );
    const keys = [(await keyOf("Ed25519")).trustedKey, (await keyOf("Ed25519", "x")).trustedKey];
    const signatures = [one, other].map(({ protected: p, signature }) => ({
      protected: p,
      signature,
    }));
    const mixed = { payload: one.payload, signatures };
    equal(await verdict(JSON.stringify(mixed), { keys }), "malformed-envelope");
    const hybrid = { ...await general("ci"), signature: one.signature, protected: one.protected };
    equal(await verdict(JSON.stringify(hybrid), await ci()), "malformed-envelope");
    equal(
      await verdict(JSON.stringify({ payload: one.payload, signatures: [] }), await ci()),
      "unknown-format",
    );
  });

  it("judges exp and nbf of a JWT, and of a JWT alone", async () => {
    const at = (seconds: number) => ({ now: new Date(seconds * 1000) });
    const token = await compact({ alg: "EdDSA", typ: "JWT" }, { ...STATEMENT, nbf: 100, exp: 200 });
    equal(await verdict(token, { ...await ci(), ...at(150) }), "ok");
    equal(await verdict(token, { ...await ci(), ...at(200) }), "attestation-expired");
    equal(await verdict(token, { ...await ci(), ...at(99) }), "attestation-not-yet-valid");
    equal(await verdict(token, { ...await ci(), ...at(100) }), "ok");
    equal(await verdict(token, at(150)), "missing-trusted-key");
    const text = await compact({ alg: "EdDSA", typ: "JWT" }, { exp: "200" });
    equal(await verdict(text, await ci()), "malformed-envelope");
    const statement = await compact(GOOD, { ...STATEMENT, exp: 1 });
    equal(await verdict(statement, await ci()), "ok");
    const expired = { ...STATEMENT, exp: 1 };
    const of = async (header: object, payload: string | object = expired) =>
      await verdict(await compact({ alg: "EdDSA", ...header }, payload), await ci());
    // What the payload is said to be makes it no other thing, nor does saying nothing.
    for (
      const header of [
        {},
        { typ: "JWT", cty: TYPE },
        { typ: "application/at+jwt", cty: "text/plain" },
        { typ: "application/jose+json" },
        { typ: "JOSE" },
        { cty: "json" },
        { cty: "JWT" },
        { cty: "at+jwt" },
      ]
    ) equal(await of(header), "attestation-expired", JSON.stringify(header));
    // Claims that cannot be read have no time that could be judged.
    equal(await of({ typ: "JWT" }, '{"exp":1,"exp":9999999999}'), "duplicate-json-key");
    equal(await of({ typ: "JWT" }, '["exp"]'), "malformed-envelope");
    equal(await of({ typ: "JWT" }, "hello"), "malformed-json");
    equal(await of({ typ: "JWT", cty: "JWT" }, await compact(GOOD)), "ok");
    equal(await of({}, "hello"), "ok");
  });

  it("refuses a payload without its encoding, and a crit that nobody signed", async () => {
    equal(await verdict(await compact({ ...GOOD, b64: true }), await ci()), "ok");
    for (const b64 of [false, 0, "false"]) {
      const token = await compact({ ...GOOD, b64 });
      equal(await verdict(token, await ci()), "unsupported-critical-header");
    }
    const one = { ...await joseSignature(GOOD, STATEMENT), header: { crit: ["x"], x: 1 } };
    equal(await verdict(JSON.stringify(one), await ci()), "malformed-envelope");
  });

  it("makes a Statement of a payload whose type is one that is read", async () => {
    const of = async (header: object, payload: object) => {
      const result = await verifyFormat(await compact(header, payload), await ci());
      ok(result.ok);
      return "statement" in result.statement
        ? result.statement.implicit.join()
        : result.statement.reason;
    };
    equal(await of({ alg: "EdDSA" }, STATEMENT), "messageType");
    equal(await of({ alg: "EdDSA", typ: "JOSE" }, STATEMENT), "messageType");
    equal(await of({ alg: "EdDSA", cty: "text/plain" }, STATEMENT), "unsupported-payload-type");
    equal(await of({ alg: "EdDSA" }, { hello: 1 }), "unsupported-payload-type");
    const two = { ...STATEMENT, critical: {} };
    equal(await of({ alg: "EdDSA" }, two), "ambiguous-format");
  });

  it("refuses what has the marks of a DSSE envelope too", async () => {
    const hybrid = { ...await general("ci"), payloadType: "application/vnd.in-toto+json" };
    equal(await verdict(JSON.stringify(hybrid), await ci()), "ambiguous-format");
  });
});

describe("parseJose()", () => {
  const limits = { maxBytes: 1000, maxSignatures: 2 };
  const refusal = (source: string | object): string => {
    const text = typeof source === "string" ? source : JSON.stringify(source);
    try {
      return parseJose(utf8(text), limits).serialization;
    } catch (error) {
      return isAttestationError(error) ? error.reason : String(error);
    }
  };
  const protectedHeader = b64({ alg: "EdDSA" });
  const one = { protected: protectedHeader, signature: "AA" };
  const compactOne = `${protectedHeader}.AA.AA`;

  it("tells the three serialisations, and bounds what it reads", () => {
    equal(refusal(compactOne), "compact");
    equal(refusal(`${protectedHeader}..`), "compact");
    equal(refusal({ ...one, payload: "AA" }), "flattened");
    equal(refusal({ payload: "AA", signatures: [one] }), "general");
    equal(refusal({ payload: "AA", signatures: [one, one] }), "general");
    equal(refusal({ payload: "AA", signatures: [one, one, one] }), "limit-exceeded");
    equal(refusal(compactOne.padEnd(1000)), "compact");
    equal(refusal(compactOne.padEnd(1001)), "limit-exceeded");
  });

  it("refuses what is in none of them", () => {
    const flat = { ...one, payload: "AA" };
    const cases: [string | object, string][] = [
      ["", "empty-input"],
      [`${protectedHeader}.AA`, "malformed-envelope"],
      [`${compactOne}.AA.AA`, "malformed-envelope"],
      [`${protectedHeader}.A+.AA`, "invalid-base64"],
      [`${protectedHeader}.AA.A`, "invalid-base64"],
      [` ${compactOne}`, "malformed-json"],
      ["[]", "malformed-envelope"],
      [{ ...flat, payload: 1 }, "malformed-envelope"],
      [{ ...one }, "malformed-envelope"],
      [{ ...flat, payload: "AB" }, "invalid-base64"],
      [{ payload: "AA", signatures: {} }, "malformed-envelope"],
      [{ payload: "AA", signatures: null }, "malformed-envelope"],
      [{ payload: "AA", signatures: [] }, "missing-signatures"],
      [{ payload: "AA", signatures: [one, 1] }, "malformed-envelope"],
      [{ payload: "AA", signatures: [one], signature: "AA" }, "malformed-envelope"],
      [{ payload: "AA", signatures: [one], protected: "AA" }, "malformed-envelope"],
      [{ payload: "AA", signatures: [one], header: {} }, "malformed-envelope"],
      [{ ...flat, protected: undefined }, "malformed-envelope"],
      [{ ...flat, protected: "" }, "malformed-envelope"],
      [{ ...flat, protected: { alg: "EdDSA" } }, "malformed-envelope"],
      [{ ...flat, protected: b64("[]") }, "malformed-envelope"],
      [{ ...flat, protected: b64({}) }, "malformed-envelope"],
      [{ ...flat, protected: b64({ alg: 1 }) }, "malformed-envelope"],
      [{ ...flat, protected: b64({}), header: { alg: "EdDSA" } }, "malformed-envelope"],
      [{ ...flat, protected: `${protectedHeader}=` }, "invalid-base64"],
      [{ ...flat, signature: 1 }, "malformed-envelope"],
      [{ ...flat, signature: undefined }, "malformed-envelope"],
      [{ ...flat, header: [] }, "malformed-envelope"],
      [{ ...flat, header: null }, "malformed-envelope"],
      [{ ...flat, header: { alg: "none" } }, "malformed-envelope"],
    ];
    for (const [source, reason] of cases) equal(refusal(source), reason, JSON.stringify(source));
  });
});
