import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { concat, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { parseSpki } from "../keys/public_key.ts";
import { ABC_SHA256, b64, keyOf, raw, STATEMENT, verdict } from "./_fixtures_test.ts";
import { encodePieces } from "./paseto.ts";
import { importPaserk, verifyFormat } from "./mod.ts";

interface Made {
  version?: "v3" | "v4";
  message?: object | string;
  footer?: string;
  implicit?: string;
  name?: string;
}

async function token(made: Made = {}): Promise<string> {
  const { version = "v4", message = STATEMENT, footer = "", implicit = "", name } = made;
  const { signer, trustedKey } = await keyOf(version === "v4" ? "Ed25519" : "ES384", name);
  const text = utf8(typeof message === "string" ? message : JSON.stringify(message));
  const header = utf8(`${version}.public.`);
  const point = parseSpki(trustedKey.spki).spki.subarray(-97);
  const own = concat(Uint8Array.of(2 + (point[96] & 1)), point.subarray(1, 49));
  const pieces = [header, text, utf8(footer), utf8(implicit)];
  const signed = encodePieces(...version === "v3" ? [own, ...pieces] : pieces);
  const signature = raw(version === "v4" ? "Ed25519" : "ES384", await signer.sign(signed));
  const body = b64(concat(text, version === "v3" ? signature : signature.subarray(0, 64)));
  return `${version}.public.${body}${footer === "" ? "" : `.${b64(footer)}`}`;
}

const trust = async () => ({
  keys: [(await keyOf("Ed25519")).trustedKey, (await keyOf("ES384")).trustedKey],
});

describe("verifyFormat() of a PASETO token", () => {
  it("accepts v3 and v4, and reads the Statement", async () => {
    for (const version of ["v3", "v4"] as const) {
      const result = await verifyFormat(await token({ version, footer: "kid" }), await trust());
      ok(result.ok, version);
      ok("statement" in result.statement);
      equal(result.statement.statement.subject[0].digest?.sha256, ABC_SHA256);
      // The token does not say how its message is to be read.
      deepEqual(result.statement.implicit, ["messageType"]);
      deepEqual(result.envelope.authenticated, { footer: "kid" });
    }
  });

  it("tells the footer only if it is signed and there is one", async () => {
    const bare = await verifyFormat(await token(), await trust());
    ok(bare.ok);
    equal(bare.envelope.authenticated, undefined);
    const stranger = await verifyFormat(
      await token({ footer: "a", name: "stranger" }),
      await trust(),
    );
    ok(!stranger.ok && stranger.envelope !== undefined);
    equal(stranger.envelope.authenticated, undefined);
  });

  it("refuses a swapped footer, and an implicit assertion that is missing", async () => {
    const good = await token({ footer: "a" });
    const other = await token({ footer: "b" });
    const swapped = `${good.slice(0, good.lastIndexOf("."))}.${other.split(".")[3]}`;
    equal(await verdict(swapped, await trust()), "invalid-signature");
    equal(await verdict(good.slice(0, good.lastIndexOf(".")), await trust()), "invalid-signature");
    const bound = await token({ implicit: "tenant" });
    equal(await verdict(bound, await trust()), "invalid-signature");
    const implicitAssertion = utf8("tenant");
    equal(await verdict(bound, { ...await trust(), implicitAssertion }), "ok");
  });

  it("refuses other versions and purposes, and keys of another version", async () => {
    const good = await token();
    for (const form of ["v1.public.", "v2.public.", "v4.local."]) {
      equal(
        await verdict(good.replace("v4.public.", form), await trust()),
        "unsupported-algorithm",
      );
    }
    const keys = [(await keyOf("ES384")).trustedKey];
    equal(await verdict(good, { keys }), "key-algorithm-mismatch");
    equal(await verdict(good, { keys: [] }), "missing-trusted-key");
    equal(await verdict(await token({ name: "mallory" }), await trust()), "invalid-signature");
    const v3 = await token({ version: "v3", name: "mallory" });
    equal(await verdict(v3, await trust()), "invalid-signature");
  });

  it("refuses standard base64, and what is shorter than a signature", async () => {
    const body = b64(Uint8Array.from({ length: 64 }, () => 255));
    equal(
      await verdict(`v4.public.${body.replaceAll("_", "/")}`, await trust()),
      "malformed-envelope",
    );
    equal(
      await verdict(`v4.public.${b64(new Uint8Array(63))}`, await trust()),
      "malformed-envelope",
    );
    equal(
      await verdict(`v3.public.${b64(new Uint8Array(95))}`, await trust()),
      "malformed-envelope",
    );
    equal(await verdict(`${await token()}.a.b`, await trust()), "malformed-envelope");
    // Blanks are white space only at the end, and cost no more than they are long.
    equal(await verdict(`${await token()} \t\r\n`, await trust()), "ok");
    const blanks = " ".repeat(1 << 20);
    equal(await verdict(`${await token()}${blanks}.`, await trust()), "malformed-envelope");
  });

  it("judges exp and nbf, of claims and of a Statement", async () => {
    const now = new Date("2026-01-01T00:00:00Z");
    const of = async (message: object) =>
      await verdict(await token({ message }), { ...await trust(), now });
    equal(await of({ exp: "2026-01-01T00:00:00Z" }), "attestation-expired");
    equal(await of({ exp: "2026-01-01T00:00:00-01:00" }), "ok");
    equal(await of({ nbf: "2026-01-01T01:00:00+00:30" }), "attestation-not-yet-valid");
    equal(await of({ exp: 5 }), "malformed-envelope");
    const over = { ...STATEMENT, exp: "2025-12-31T23:59:59Z" };
    equal(await of(over), "attestation-expired");
    equal(await of({ ...over, exp: "2026-01-02T00:00:00Z" }), "ok");
    equal(await of({ ...STATEMENT, exp: 5 }), "malformed-envelope");
  });
});

describe("importPaserk()", () => {
  it("reads keys of both versions, and no others", async () => {
    const { trustedKey } = await keyOf("ES384");
    const point = trustedKey.spki.subarray(-97);
    const compressed = concat(Uint8Array.of(2 + (point[96] & 1)), point.subarray(1, 49));
    const key = await importPaserk(`k3.public.${b64(compressed)}`);
    equal(encodeHex(key.spki), encodeHex(trustedKey.spki));
    const own = (await keyOf("Ed25519")).trustedKey;
    const v4 = await importPaserk(`k4.public.${b64(own.spki.subarray(-32))}`);
    equal(v4.fingerprint, own.fingerprint);
    const bad: [string, string][] = [
      [`k2.public.${b64(own.spki.subarray(-32))}`, "unsupported-algorithm"],
      [`k4.secret.${b64(own.spki.subarray(-32))}`, "unsupported-algorithm"],
      [`k3.public.${b64(own.spki.subarray(-32))}`, "malformed-key"],
      [`k3.public.${b64(concat(Uint8Array.of(2), new Uint8Array(48).fill(255)))}`, "malformed-key"],
      ["k4.public", "malformed-key"],
    ];
    for (const [text, reason] of bad) await rejects(importPaserk(text), { reason });
  });
});
