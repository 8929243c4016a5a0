import { deepStrictEqual as deepEqual, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { KEYS } from "./_fixtures_test.ts";
import { parsePolicy, validatePolicy } from "./parse.ts";

const JWK = {
  kty: "OKP",
  crv: "Ed25519",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
};
const alice = { keyId: "alice", publicKey: KEYS.alice };
const bob = { keyId: "bob", publicKey: KEYS.bob };

const problemsOf = (value: unknown) =>
  validatePolicy(value).map(({ path, message }) => `${path} ${message}`);

describe("a signature-policy.json", () => {
  it("is told by its issuers, and by having no type", () => {
    deepEqual(problemsOf({ allowedIssuers: [alice] }), []);
    const typed = problemsOf({ type: "attest-policy/v1", allowedIssuers: [alice] });
    deepEqual(typed, [
      '/allowedIssuers Cannot read policy: a policy has no member "allowedIssuers"',
      "/rules Cannot read policy: a policy has no rules",
    ]);
    deepEqual(problemsOf({ mode: "enforce" }), [
      "/type Cannot read policy: a policy has no type",
      "/rules Cannot read policy: a policy has no rules",
    ]);
    for (const none of [null, 7, "allowedIssuers", [{ allowedIssuers: [alice] }]]) {
      deepEqual(problemsOf(none), [" Cannot read policy: a policy is no JSON object"]);
    }
    throws(() => parsePolicy("null"), {
      reason: "malformed-policy",
      message: "Cannot read policy: a policy is no JSON object",
    });
  });

  it("has keys as PEM text or as JWK", () => {
    const policy = parsePolicy({ allowedIssuers: [{ keyId: "alice", publicKey: JWK }, bob] });
    deepEqual(policy.trust?.keys, {
      alice: { publicKey: JWK, keyid: "alice" },
      bob: { publicKey: KEYS.bob, keyid: "bob" },
    });
  });

  it("says what is wrong with an issuer, once", () => {
    const at = (what: string) => `/allowedIssuers/1/${what}`;
    const twice = "Cannot read policy: the same key is there twice";
    const rows: [issuer: unknown, problems: string[]][] = [
      [7, ["/allowedIssuers/1 Cannot read policy: an issuer is no JSON object"]],
      [{ publicKey: 7 }, [at("keyId Cannot read policy: an issuer has no keyId")]],
      [{ keyId: "b" }, [at("publicKey Cannot read policy: an issuer has no publicKey")]],
      [{}, [
        at("keyId Cannot read policy: an issuer has no keyId"),
        at("publicKey Cannot read policy: an issuer has no publicKey"),
      ]],
      [{ keyId: 7, publicKey: 7 }, [at("keyId Cannot read policy: keyId is no text")]],
      [{ ...bob, description: 7 }, [at("description Cannot read policy: description is no text")]],
      [
        { keyId: "b", publicKey: 7 },
        [at("publicKey Cannot read policy: publicKey is neither PEM text nor a JWK")],
      ],
      [
        { keyId: "b", publicKey: [KEYS.bob] },
        [at("publicKey Cannot read policy: publicKey is neither PEM text nor a JWK")],
      ],
      [{ ...alice, publicKey: KEYS.bob }, [
        at("keyId Cannot read policy: the keyId is there twice"),
      ]],
      [{ ...alice, keyId: "b" }, [at(`publicKey ${twice}`)]],
      [{ keyId: "b", publicKey: JWK }, [at(`publicKey ${twice}`)]],
      [alice, [at("keyId Cannot read policy: the keyId is there twice"), at(`publicKey ${twice}`)]],
    ];
    for (const [issuer, problems] of rows) {
      deepEqual(problemsOf({ allowedIssuers: [alice, issuer] }), problems);
    }
  });
});
