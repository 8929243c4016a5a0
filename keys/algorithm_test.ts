import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { refusalOf } from "./_fixtures_test.ts";
import {
  algorithmOf,
  defaultAlgorithm,
  type KeyAlgorithm,
  type KeyShape,
  lookupAlgorithm,
} from "./algorithm.ts";

describe("lookupAlgorithm()", () => {
  it("gives a pair of curve and hash its JOSE name where there is one", () => {
    const names: [KeyAlgorithm, KeyAlgorithm][] = [
      ["ECDSA-P256-SHA256", "ES256"],
      ["ECDSA-P384-SHA384", "ES384"],
      ["ECDSA-P521-SHA512", "ES512"],
      ["ECDSA-P384-SHA256", "ECDSA-P384-SHA256"],
      ["ECDSA-P521-SHA256", "ECDSA-P521-SHA256"],
      ["ECDSA-P256-SHA512", "ECDSA-P256-SHA512"],
    ];
    for (const [given, name] of names) equal(lookupAlgorithm(given).alg, name);
  });

  it("knows both paddings of RSA with each hash", () => {
    for (const bits of [256, 384, 512] as const) {
      const hash = `SHA-${bits}` as const;
      deepEqual(lookupAlgorithm(`RS${bits}`).scheme, { name: "RSASSA-PKCS1-v1_5", hash });
      deepEqual(lookupAlgorithm(`PS${bits}`).scheme, { name: "RSA-PSS", hash });
    }
  });

  it("refuses names that it does not know", () => {
    for (
      const alg of ["none", "HS256", "es256", "ES256K", "RS1", "Ed448", "", "__proto__", "toString"]
    ) {
      ok(refusalOf(() => lookupAlgorithm(alg)).startsWith("unsupported-algorithm"), alg);
    }
    for (const alg of [256, null, ["ES256"]] as unknown as string[]) {
      const found = refusalOf(() => lookupAlgorithm(alg));
      equal(found, "TypeError | The algorithm of a key must be a string");
    }
  });
});

describe("algorithmOf()", () => {
  it("takes the default of the kind of key", () => {
    equal(defaultAlgorithm({ kind: "Ed25519" }).alg, "Ed25519");
    equal(defaultAlgorithm({ kind: "EC", curve: "P-256" }).alg, "ES256");
    equal(defaultAlgorithm({ kind: "EC", curve: "P-384" }).alg, "ES384");
    equal(defaultAlgorithm({ kind: "EC", curve: "P-521" }).alg, "ES512");
    equal(defaultAlgorithm({ kind: "RSA" }).alg, "RS256");
  });

  it("refuses an algorithm of another kind or curve", () => {
    const wrong: [KeyShape, string][] = [
      [{ kind: "EC", curve: "P-384" }, "ES256"],
      [{ kind: "EC", curve: "P-256" }, "ECDSA-P384-SHA256"],
      [{ kind: "RSA" }, "ES256"],
      [{ kind: "Ed25519" }, "RS256"],
    ];
    for (const [key, alg] of wrong) {
      ok(refusalOf(() => algorithmOf(key, alg)).startsWith("key-algorithm-mismatch"), alg);
    }
  });
});
