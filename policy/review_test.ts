import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { KEYS, NOW, policyOf, TEST } from "./_fixtures_test.ts";
import type { PolicyDocument, Requirement, Selector } from "./document.ts";
import { parsePolicy } from "./parse.ts";
import { type PolicyWarning, reviewPolicy } from "./review.ts";

const DAY = 86_400_000;
const R = "/rules/0/require/0";
const signedBy = { of: ["alice"] };
/** A requirement of which there is nothing to say. */
const SOUND: Requirement = {
  id: "signed",
  envelope: { signedBy: { of: ["maintainers", "release"] } },
  statement: { predicateTypes: [TEST] },
};

function at(ms: number): string {
  return new Date(NOW.getTime() + ms).toISOString();
}

function review(policy: unknown): PolicyWarning[] {
  return reviewPolicy(parsePolicy(policy as object), NOW);
}

/** Warnings on a policy of which there is nothing to say but for this. */
function ofPolicy(more: Partial<PolicyDocument>): PolicyWarning[] {
  return review(policyOf({ require: [SOUND] }, more));
}

function ofRequirement(more: Partial<Requirement>): PolicyWarning[] {
  return review(policyOf({ require: [SOUND, { ...SOUND, id: "b", ...more }] }))
    .map((one) => ({ ...one, path: one.path.replace("/rules/0/require/1", R) }));
}

describe("reviewPolicy()", () => {
  it("says nothing of a policy that is meant as it is", () => {
    deepEqual(ofPolicy({ mode: "enforce", unselected: "fail", expires: at(30 * DAY) }), []);
    deepEqual(ofPolicy({}), []);
  });

  it("tells what refuses nothing", () => {
    deepEqual(ofPolicy({ mode: "permissive", unselected: "pass" }), [{
      path: "/mode",
      message: "The policy refuses nothing: it only warns",
      suggestion: 'Say "enforce" when all is signed',
    }, {
      path: "/unselected",
      message: "An artifact that no rule selects passes, whatever its name is",
      suggestion: 'Say "fail", and select what may pass by a rule',
    }]);
  });

  it("tells a policy's end, thirty days before", () => {
    const ended = (time: string) => [{
      path: "/expires",
      message: `The policy ended at ${time}: every verdict fails`,
      suggestion: "Set a later end",
    }];
    const ends = (days: number) => [{
      path: "/expires",
      message: `The policy ends in ${days} days`,
      suggestion: "Review it and set a later end",
    }];
    for (const ms of [-DAY, 0]) deepEqual(ofPolicy({ expires: at(ms) }), ended(at(ms)));
    const near: [ms: number, days: number][] = [[1, 1], [DAY, 1], [2 * DAY, 2], [30 * DAY - 1, 29]];
    for (const [ms, days] of near) deepEqual(ofPolicy({ expires: at(ms) }), ends(days));
    deepEqual(ofPolicy({ expires: at(30 * DAY) }), []);
  });

  it("tells requirements that anybody or anything meets", () => {
    const anybody = {
      path: R,
      message: "Anybody whom the policy names may sign, whatever for",
      suggestion: "Say in envelope.signedBy who it is",
    };
    const anything = {
      path: R,
      message: "Any attestation is enough, whatever it says",
      suggestion: "Say in statement.predicateTypes what must be attested",
    };
    const provenance = { sourceUri: "github.com/acme/app" };
    deepEqual(ofRequirement({ envelope: undefined }), [anybody]);
    deepEqual(ofRequirement({ envelope: { log: 1 } }), [anybody]);
    const level = { statement: undefined, predicate: { provenance: { minLevel: 1 as const } } };
    deepEqual(ofRequirement({ ...level, envelope: undefined }), [anybody]);
    const built = { statement: undefined, predicate: { provenance } };
    deepEqual(ofRequirement({ ...built, envelope: undefined }), []);
    deepEqual(ofRequirement(built), []);
    deepEqual(ofRequirement({ statement: undefined }), [anything]);
    deepEqual(ofRequirement({ statement: { subjects: "all" } }), [anything]);
    deepEqual(ofRequirement({ statement: undefined, predicate: { cel: "true" } }), []);
    deepEqual(ofRequirement({ statement: undefined, envelope: undefined }), [anybody, anything]);
  });

  it("tells patterns that match everything", () => {
    const everything = ["**", "**/*", "**?", "**/**", "*"];
    const something = ["*.tgz", "?", "*?", "*/*", "a**", "**a", "**/app"];
    for (const pattern of everything) {
      const quoted = JSON.stringify(pattern);
      deepEqual(
        ofRequirement({ statement: { predicateTypes: [TEST], subjectNames: ["a", pattern] } }),
        [{
          path: `${R}/statement/subjectNames/1`,
          message: `The pattern ${quoted} matches every name`,
          suggestion: "Leave subjectNames out, or name the subjects",
        }],
      );
      deepEqual(ofRequirement({ predicate: { dependencies: { allowed: ["a", pattern] } } }), [{
        path: `${R}/predicate/dependencies/allowed/1`,
        message: `The pattern ${quoted} allows every dependency`,
        suggestion: "Name the sources that are allowed",
      }]);
      const selects = (path: string) => ({
        path,
        message: `The pattern ${quoted} selects everything`,
        suggestion: "Leave the selector out if that is meant, else narrow it",
      });
      for (const member of ["name", "oci", "npm"]) {
        for (const value of [pattern, ["a", pattern]]) {
          const select: Selector = { [member]: value };
          deepEqual(review(policyOf({ select, require: [SOUND] })), [
            selects(`/rules/0/select/${member}`),
          ]);
        }
      }
      const waiver = { rule: "release", reason: "x", owner: "me", until: at(DAY) };
      deepEqual(ofPolicy({ waivers: [{ ...waiver, artifact: { name: pattern } }] }), [
        selects("/waivers/0/artifact/name"),
      ]);
    }
    for (const pattern of something) {
      const subjectNames = [pattern];
      deepEqual(ofRequirement({ statement: { predicateTypes: [TEST], subjectNames } }), []);
      deepEqual(ofRequirement({ predicate: { dependencies: { allowed: [pattern] } } }), []);
      deepEqual(review(policyOf({ select: { name: pattern }, require: [SOUND] })), []);
    }
  });

  it("tells waivers that have ended, or count for more than a year", () => {
    const ofWaiver = (ms: number) =>
      ofPolicy({
        waivers: [{
          rule: "release/signed",
          artifact: { name: "app" },
          reason: "x",
          owner: "me",
          until: at(ms),
        }],
      });
    const ended = [{
      path: "/waivers/0/until",
      message: 'The waiver for "release/signed" has ended',
      suggestion: "Remove it",
    }];
    deepEqual(ofWaiver(-1), ended);
    deepEqual(ofWaiver(0), ended);
    deepEqual(ofWaiver(1), []);
    deepEqual(ofWaiver(366 * DAY), []);
    deepEqual(ofWaiver(366 * DAY + 1), [{
      path: "/waivers/0/until",
      message: 'The waiver for "release/signed" counts for more than a year',
      suggestion: "Set an earlier end, so that somebody looks at it again",
    }]);
  });

  it("lists a thousand warnings, and no more", () => {
    const many = (count: number) => {
      const require = Array.from({ length: count }, (_, i) => ({ ...SOUND, id: `${i}` }));
      const anybody = require.map((one) => ({ ...one, envelope: undefined }));
      const rule = (id: string, require: Requirement[]) => ({ id, select: { name: id }, require });
      const rules = [rule("a", anybody.slice(0, 600)), rule("b", anybody.slice(600))];
      return review(policyOf({}, { rules })).length;
    };
    equal(many(999), 999);
    equal(many(1000), 1000);
    equal(many(1001), 1000);
  });
});

describe("reviewPolicy() of trust", () => {
  const keys = { alice: { publicKey: KEYS.alice } };
  const unused = (path: string, name: string) => ({
    path,
    message: `Nothing asks for "${name}"`,
    suggestion: "Use it in a rule, or remove it",
  });
  const ofTrust = (
    trust: PolicyDocument["trust"],
    more: Partial<Requirement> = {},
    rest: Partial<PolicyDocument> = {},
  ) => {
    const require = [{ ...SOUND, envelope: { signedBy }, ...more }];
    return review(policyOf({ require }, { trust: { keys, ...trust }, ...rest }));
  };

  it("tells roots without an identity", () => {
    const warning = {
      path: "/trust/roots",
      message: "Roots are trusted, but no identity: no certificate counts",
      suggestion: "Name the identities that may sign, or trust no root: []",
    };
    deepEqual(ofTrust({ roots: ["public-good"] }), [warning]);
    deepEqual(ofTrust({ roots: [] }), []);
    deepEqual(ofTrust({}), []);
    // The builder of the source is whoever the certificate says.
    const predicate = { provenance: { sourceUri: "github.com/acme/app" } };
    deepEqual(ofTrust({ roots: ["public-good"] }, { predicate, statement: undefined }), []);
    const minLevel = { provenance: { minLevel: 1 as const } };
    deepEqual(
      ofTrust({ roots: ["public-good"] }, { predicate: minLevel, statement: undefined }),
      [warning],
    );
    const identities = { ci: { github: { repository: "acme/app" } } };
    const of = { envelope: { signedBy: { of: ["alice", "ci"] } } };
    deepEqual(ofTrust({ roots: ["public-good"], identities }, of), []);
  });

  it("tells names that nothing asks for", () => {
    const bob = { publicKey: KEYS.bob };
    const set = { type: "attest-key-set/v1" as const, keys: [{ name: "x", publicKey: KEYS.bob }] };
    const ci = { github: { repository: "acme/app" } };
    const own = { keys: { ...keys, bob } };
    deepEqual(ofTrust(own), [unused("/trust/keys/bob", "bob")]);
    deepEqual(ofTrust({ keySets: { team: set as never } }), [
      unused("/trust/keySets/team", "team"),
    ]);
    deepEqual(ofTrust({ identities: { ci } }), [unused("/trust/identities/ci", "ci")]);
    deepEqual(ofTrust({ ...own, groups: { all: ["bob"] } }), [
      unused("/trust/keys/bob", "bob"),
      unused("/trust/groups/all", "all"),
    ]);
    // By a group, by a second list of signers, by who signs waivers, by an expectation.
    const by = (of: string[]) => ({ envelope: { signedBy: { of } } });
    deepEqual(ofTrust({ ...own, groups: { all: ["alice", "bob"] } }, by(["all"])), []);
    deepEqual(ofTrust(own, { envelope: { signedBy: [{ of: ["alice"] }, { of: ["bob"] }] } }), []);
    deepEqual(ofTrust(own, {}, { waiverSigners: { of: ["bob"] } }), []);
    deepEqual(
      ofTrust({ ...own, groups: { all: ["bob"] } }, {}, { waiverSigners: { of: ["all"] } }),
      [],
    );
    const vsa = { verifierId: "https://v.example", resourceUri: "a", signer: { keys: ["bob"] } };
    deepEqual(ofTrust(own, { statement: undefined, predicate: { vsa } }), []);
  });

  it("tells of no name where anybody whom the policy names may sign", () => {
    const found = ofTrust({ keys: { ...keys, bob: { publicKey: KEYS.bob } } }, {
      envelope: undefined,
    });
    deepEqual(found.map(({ path }) => path), [R]);
  });
});
