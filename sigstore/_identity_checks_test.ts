import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import {
  BLOB,
  bundleOf,
  ENVELOPE,
  IDENTITY,
  verdict,
  verifyAgainst,
} from "../tests/fixtures/sigstore.ts";

describe("checkExpectation()", () => {
  it("records that anybody is accepted", async () => {
    const trust = { identity: undefined, unsafelyAcceptAnyIdentity: true };
    const { checks } = await verifyAgainst(await bundleOf({ ...ENVELOPE }), trust);
    deepEqual(checks.filter(({ outcome }) => outcome !== "passed").map(({ id }) => id), [
      "envelope.identity-expectation",
    ]);
    equal(checks.find(({ id }) => id === "envelope.identity-expectation")?.outcome, "skipped");
  });

  it("says what is not expected", async () => {
    const { subjectAlternativeName } = IDENTITY;
    const said = async (identity: typeof IDENTITY | undefined) => {
      const result = await verifyAgainst(await bundleOf({ ...ENVELOPE }), { identity });
      return result.ok ? "" : result.error.message;
    };
    ok((await said(undefined)).endsWith("no expected identity is given"));
    ok((await said({ subjectAlternativeName })).endsWith("no expected OIDC issuer is given"));
  });
});

describe("checkIdentity()", () => {
  it("refuses a certificate that names two issuers", async () => {
    const claims = { 1: String(IDENTITY.issuer), 8: "https://evil.example" };
    const json = await bundleOf({ ...BLOB, leaf: { claims } });
    equal(await verdict(json), "issuer-conflict");
    const trust = { identity: undefined, unsafelyAcceptAnyIdentity: true };
    equal(await verdict(json, trust), "issuer-conflict");
  });

  it("tells of the expectation that is the nearest, in any order", async () => {
    const near = { ...IDENTITY, issuer: "https://other.example" };
    const far = { ...near, subjectAlternativeName: "https://other.example/workflow" };
    for (const identity of [[near, far], [far, near]]) {
      const { checks } = await verifyAgainst(await bundleOf({ ...ENVELOPE }), { identity });
      deepEqual(
        checks.filter(({ id }) => id === "envelope.identity")
          .map(({ outcome, reason }) => reason ?? outcome),
        ["passed", "issuer-mismatch"],
      );
    }
  });
});
