import { ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeHex } from "../internal/hex.ts";
import { decodeOnePem } from "../internal/pem.ts";
import { ED25519_POINT, OID, P256_SPKI, refusalOf, RSA_JWK, spki } from "./_fixtures_test.ts";
import { jwkThumbprint, opensshFingerprint, spkiFingerprint } from "./key_id.ts";
import { importTrustedKey } from "./trusted_key.ts";

const ED25519 = spki(OID.ed25519, ED25519_POINT);

describe("spkiFingerprint()", () => {
  it("is the SHA-256 of the bytes", () => {
    const fingerprint = "f793580060562d6ff075d814ea698c282fcc779b0cde64d79ffc6301df00d14b";
    equal(spkiFingerprint(decodeHex(P256_SPKI)), fingerprint);
    equal(spkiFingerprint({ spki: decodeHex(P256_SPKI) }), fingerprint);
  });
});

describe("jwkThumbprint()", () => {
  it("gives the values of RFC 7638 and RFC 8037", async () => {
    equal(jwkThumbprint(ED25519), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
    const rsa = await importTrustedKey(RSA_JWK);
    equal(jwkThumbprint(rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
  });

  it("refuses what is no key", () => {
    ok(refusalOf(() => jwkThumbprint(new Uint8Array(91))).startsWith("malformed-key"));
  });
});

describe("opensshFingerprint()", () => {
  it("gives the values that ssh-keygen -l prints", async () => {
    equal(opensshFingerprint(ED25519), "SHA256:bbXpuKG6zhzdmnxq256TlqzFBzRl2f6OOg722cYNbU8");
    const rsa = await importTrustedKey(RSA_JWK);
    equal(opensshFingerprint(rsa), "SHA256:h+PAyXb3n4bqtmzZtsfJYZi/Ru2NzBNfXOe72fMggoU");
    // Key and fingerprint of slsa-verifier, verifiers/internal/vsa.
    const { der } = decodeOnePem(
      "-----BEGIN PUBLIC KEY-----\n" +
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEeGa6ZCZn0q6WpaUwJrSk+PPYEsca\n" +
        "3Xkk3UrxvbQtoZzTmq0zIYq+4QQl0YBedSyy+XcwAMaUWTouTrB05WhYtg==\n" +
        "-----END PUBLIC KEY-----\n",
      "PUBLIC KEY",
    );
    equal(opensshFingerprint(der), "SHA256:Zphi7kubaI7RnOrkqPgkRdVhF5a2JOFB4gor/Zajiiw");
  });
});
