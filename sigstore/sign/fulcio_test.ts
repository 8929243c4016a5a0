import { ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { attempt, BLOB, reasons, setting } from "./_fixtures_test.ts";
import type { KeylessOptions } from "./options.ts";

/** Options whose authority's answer has another list of certificates. */
function listing(options: KeylessOptions, change: (certificates: Json[]) => Json): KeylessOptions {
  return {
    ...options,
    fetch: async (input, init) => {
      const answer = await (options.fetch ?? fetch)(input, init);
      if (!input.endsWith("/api/v2/signingCert")) return answer;
      const { signedCertificateEmbeddedSct: { chain } } = await answer.json();
      const changed = { chain: { certificates: change(chain.certificates) } };
      return Response.json({ signedCertificateEmbeddedSct: changed });
    },
  };
}

describe("requestCertificate()", () => {
  const lists: Record<string, [(certificates: Json[]) => Json, string]> = {
    "no list": [() => ({}), "not a short list"],
    "a certificate that is in no list": [([leaf]) => leaf, "not a short list"],
    "an empty list": [() => [], "not a short list"],
    "11 certificates": [(list) => [...list, ...Array(8).fill(list[2])], "not a short list"],
    "a number": [([, ...issuers]) => [7, ...issuers], "not a string"],
    "a list in a list": [(list) => [list], "not a string"],
  };
  for (const [what, [change, told]] of Object.entries(lists)) {
    it(`refuses an answer with ${what}`, async () => {
      const { options } = await setting();
      const outcome = await attempt(BLOB, listing(options(), change));
      ok(isAttestationError(outcome) && outcome.cause instanceof Error, `${outcome}`);
      equal(outcome.reason, "malformed-response");
      ok(outcome.cause.message.includes(told), outcome.cause.message);
    });
  }

  it("takes an answer with 10 certificates, of which it reads the first", async () => {
    const { options } = await setting();
    const rest = (list: Json[]) => [list[0], ...Array(9).fill("not read")];
    equal(reasons(await attempt(BLOB, listing(options(), rest))), "ok");
  });

  it("lets the clocks differ by five minutes, whichever is ahead", async () => {
    const MINUTE = 60_000;
    const start = Date.parse("2026-03-04T05:06:07Z");
    // A certificate is of ten minutes.
    const cases: [ahead: number, wanted: string][] = [
      [5 * MINUTE, "ok"],
      [5 * MINUTE + 1000, "response-mismatch"],
      [-15 * MINUTE, "ok"],
      [-15 * MINUTE - 1000, "response-mismatch"],
    ];
    for (const [ahead, wanted] of cases) {
      let clock = start;
      const exp = start / 1000 + 3600;
      const { options } = await setting({ now: () => new Date(clock), claims: { exp } });
      const now = new Date(ahead < 0 ? start - ahead : start);
      if (ahead > 0) clock += ahead;
      const outcome = await attempt(BLOB, { ...options(), now: () => now });
      equal(reasons(outcome), wanted, `${ahead} ms`);
    }
  });

  it("takes a certificate for the holder of the token only, as far as its rules are known", async () => {
    const gitlab = "gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main";
    const cases: [JsonObject, string][] = [
      // Of GitLab the name is its configuration (sigstore/fulcio, docs/oidc.md).
      [{ sub: `https://${gitlab}`, ci_config_ref_uri: gitlab }, "ok"],
      [
        { sub: `https://${gitlab}`, ci_config_ref_uri: gitlab.replace("acme", "evil") },
        "response-mismatch",
      ],
      [{ sub: `https://evil.example/${gitlab}`, ci_config_ref_uri: gitlab }, "response-mismatch"],
    ];
    for (const [claims, wanted] of cases) {
      const { options } = await setting({ claims: { ...claims, job_workflow_ref: null } });
      equal(reasons(await attempt(BLOB, options())), wanted, JSON.stringify(claims));
    }
  });

  it("leaves it to the authority what it calls a subject that is no URI", async () => {
    const claims = { sub: "repo:acme/app", job_workflow_ref: null };
    const { options } = await setting({ claims, faults: { fulcio: "other-subject" } });
    const made = await attempt(BLOB, options());
    ok(!(made instanceof Error), `${made}`);
    ok(made.identity?.subjectAlternativeName.startsWith("https://github.com/mallory/"));
  });
});
