import { strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { KEYID, keysFile } from "../tests/fixtures/npm.ts";
import { reasonOf } from "../tests/fixtures/sigstore.ts";
import { isValidAt, parseNpmKeys } from "./keys.ts";

const P256 = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEY6Ya7W++7aUPzvMTrezH6Ycx3c+HOKYCcNGybJZSCJq/" +
  "fd7Qa8uuAKtdIkUQtQiEKERhAmE5lMMJhP8OkDOa2g==";

describe("parseNpmKeys()", () => {
  it("reads the target of the TUF repository", async () => {
    const [key] = await parseNpmKeys(JSON.stringify(await keysFile()));
    equal(key.keyid, KEYID);
    equal(key.usage, "npm:attestations");
    equal(key.key.alg, "ES256");
    equal(key.validFrom?.toISOString(), "2025-01-01T00:00:00.000Z");
    equal(key.validUntil, undefined);
  });

  it("reads the registry's own list, where a key is for every use", async () => {
    const entry = { keyid: "SHA256:a", keytype: "ecdsa-sha2-nistp256", scheme: "x", key: P256 };
    const expires = "2025-01-29T00:00:00.000Z";
    const document = { keys: [{ ...entry, expires }, { ...entry, expires: null }] };
    const [old, current] = await parseNpmKeys(JSON.stringify(document));
    equal(old.usage, undefined);
    equal(old.validUntil?.toISOString(), expires);
    equal(current.validUntil, undefined);
    equal(old.key.name === current.key.name, false);
  });

  it("refuses what is not of its form, and says where", async () => {
    const refused = async (document: unknown) =>
      await reasonOf(() => parseNpmKeys(JSON.stringify(document)));
    for (const document of [[], {}, { keys: {} }, { keys: [1] }]) {
      equal(await refused(document), "malformed-key");
    }
    equal(await refused(await keysFile({ keyId: "" })), "malformed-key");
    equal(await refused(await keysFile({ keyUsage: 1 })), "malformed-key");
    equal(await refused(await keysFile({ publicKey: "a" })), "malformed-key");
    equal(await refused(await keysFile({}, { validFor: [] })), "malformed-key");
    equal(await refused(await keysFile({}, { validFor: { start: "2025" } })), "malformed-key");
    equal(await refused(await keysFile({}, { rawBytes: "AAAA" })), "malformed-key");
    equal(await refused(await keysFile({}, { rawBytes: "?" })), "invalid-base64");
    equal(
      await refused(await keysFile({}, { keyDetails: "PKIX_ED25519" })),
      "key-algorithm-mismatch",
    );
    equal(await refused(await keysFile({}, { keyDetails: "toString" })), "unsupported-algorithm");
    equal(await refused({ keys: Array(1001).fill({}) }), "limit-exceeded");
    equal(await reasonOf(() => parseNpmKeys('{"keys":[],"keys":[]}')), "duplicate-json-key");
  });
});

describe("isValidAt()", () => {
  it("counts both ends", async () => {
    const [key] = await parseNpmKeys(
      JSON.stringify(
        await keysFile({}, {
          validFor: { start: "2025-01-01T00:00:00Z", end: "2025-02-01T00:00:00Z" },
        }),
      ),
    );
    const at = (text: string) => isValidAt(key, new Date(text));
    equal(at("2025-01-01T00:00:00Z"), true);
    equal(at("2025-02-01T00:00:00Z"), true);
    equal(at("2024-12-31T23:59:59.999Z"), false);
    equal(at("2025-02-01T00:00:00.001Z"), false);
  });
});
