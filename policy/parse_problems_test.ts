import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { ISSUER, KEYS, policyOf, PROVENANCE } from "./_fixtures_test.ts";
import { asks, type Loose, rule, top, trust, where } from "./_policies_test.ts";
import { validatePolicy } from "./parse.ts";

const R = "/rules/0/require/0";
const W = `${R}/predicate/where/0`;
const SIGNERS = { alice: { publicKey: KEYS.alice }, bob: { publicKey: KEYS.bob } };
const OPENPGP = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n-----END PGP PUBLIC KEY BLOCK-----\n";
const keySet = (key: Loose): Loose => ({
  type: "attest-key-set/v1",
  keys: [{ publicKey: KEYS.alice, ...key }],
});
const keySets = (sets: Loose): unknown => trust({ keys: {}, groups: {}, keySets: sets });
const texts = (count: number): string[] => Array.from({ length: count }, (_, i) => `t${i}`);
const groups = (count: number): Loose =>
  Object.fromEntries(texts(count).map((name) => [name, ["alice"]]));
/** An integer that JSON does not keep. */
const INEXACT = 2 ** 53;
const INEXACT_SAID = "JSON does not keep an integer beyond 2^53; compare a text instead";

function problemsOf(policy: unknown): string[] {
  return validatePolicy(policy).map(({ reason, path, message }) => {
    equal(reason, "malformed-policy");
    return `${path}: ${message.replace(/^Cannot read policy: /, "")}`;
  });
}

/** Documents and all that is said of them. */
const PROBLEMS: Readonly<Record<string, [unknown, ...problems: string[]]>> = {
  "null": [null, ": a policy is no JSON object"],
  "a text": ["text", ": a policy is no JSON object"],
  "a type that is no text": [
    top({ type: 7 }),
    "/type: type is no text, wanted one of attest-policy/v1",
  ],
  "another version, of which nothing else is read": [
    { type: "attest-policy/v2", rule: [] },
    '/type: type is "attest-policy/v2", wanted "attest-policy/v1"',
  ],
  "an end that is a number": [top({ expires: 7 }), "/expires: expires is no text"],
  "an end that is empty": [top({ expires: "" }), "/expires: expires is empty"],
  "a long name": [
    top({ name: "a".repeat(257) }),
    "/name: name has more than 256 characters",
  ],
  "signers of waivers who are nobody": [
    top({ waiverSigners: { of: ["alise"] } }),
    '/waiverSigners/of/0: "alise" is no name under trust; did you mean alice?',
  ],
  "a signature policy without issuers": [
    { mode: "enforce", allowedIssuers: [] },
    "/allowedIssuers: allowedIssuers is empty",
  ],

  "10 001 names": [
    trust({ groups: groups(10_001) }),
    "/trust/groups: groups has more than 10000 names",
  ],
  "roots that are no list": [
    trust({ roots: "public-good" }),
    "/trust/roots: roots is no list",
  ],
  "an algorithm of an OpenPGP key": [
    trust({ keys: { ...SIGNERS, carol: { publicKey: OPENPGP, alg: "Ed25519" } } }),
    "/trust/keys/carol/alg: an OpenPGP key has no alg",
  ],
  "a keyid of an OpenPGP key": [
    trust({ keys: { ...SIGNERS, carol: { publicKey: OPENPGP, keyid: "a" } } }),
    "/trust/keys/carol/keyid: an OpenPGP key has no keyid",
  ],
  "an algorithm that a key of a set is not for": [
    keySets({ team: keySet({ name: "a", alg: "ES256" }) }),
    "/trust/keySets/team/keys/0/publicKey: Cannot use a key with the algorithm ES256: the key is " +
    "an Ed25519 key",
  ],
  "a key of two key sets": [
    keySets({ a: keySet({ name: "x" }), b: keySet({ name: "y" }) }),
    '/trust/keySets/b/keys/0/publicKey: it is the key of "a/x" too: one key has one name',
  ],
  "a key of two key sets, without a name": [
    keySets({ a: keySet({}), b: keySet({}) }),
    '/trust/keySets/b/keys/0/publicKey: it is the key of "a/0" too: one key has one name',
  ],
  "an identity that is a text": [
    trust({ identities: { ci: "acme/app" } }),
    "/trust/identities/ci: an identity is no JSON object",
  ],
  "an identity that is null": [
    trust({ identities: { ci: null } }),
    "/trust/identities/ci: an identity is no JSON object",
  ],
  "a pattern that is none": [
    trust({ identities: { ci: { issuer: ISSUER, subjectAlternativeName: { pattern: "(" } } } }),
    '/trust/identities/ci/subjectAlternativeName: subjectAlternativeName: "(" is no regular ' +
    "expression",
  ],

  "a misspelt cross rule": [
    rule({ across: [{ id: "x", signer: { of: ["signed"], min: 1 } }] }),
    '/rules/0/across/0/signer: a rule across has no member "signer"; did you mean signers?',
  ],
  "a cross rule without an id": [
    rule({ across: [{ signers: { of: ["signed"], min: 1 } }] }),
    "/rules/0/across/0/id: a rule across has no id",
  ],
  "cross rules without ids": [
    rule({ across: [1, 2].map(() => ({ signers: { of: ["signed"], min: 1 } })) }),
    "/rules/0/across/0/id: a rule across has no id",
    "/rules/0/across/1/id: a rule across has no id",
  ],
  "a fraction of distinct signers": [
    rule({ across: [{ id: "x", signers: { of: ["signed"], min: 1.5 } }] }),
    "/rules/0/across/0/signers/min: min is no integer from 1 to 10000",
  ],

  "no formats, with a log": [
    asks({ envelope: { formats: [], log: 1 } }),
    `${R}/envelope/formats: formats is empty`,
  ],
  "an unknown name and a threshold": [
    asks({ envelope: { signedBy: { of: ["alise", "alice"], threshold: 2 } } }),
    `${R}/envelope/signedBy/of/0: "alise" is no name under trust; did you mean alice?`,
  ],
  "no name and a threshold": [
    asks({ envelope: { signedBy: { of: [], threshold: 1 } } }),
    `${R}/envelope/signedBy/of: of is empty`,
  ],
  "an unknown name beside a holder, of bare envelopes": [
    asks({ envelope: { formats: ["dsse"], signedBy: { of: ["release", "alise"] } } }),
    `${R}/envelope/signedBy/of/1: "alise" is no name under trust; did you mean alice?`,
  ],
  "no name, of bare envelopes": [
    asks({ envelope: { formats: ["dsse"], signedBy: { of: [] } } }),
    `${R}/envelope/signedBy/of: of is empty`,
  ],
  "an unknown name where trust names nobody": [
    {
      type: "attest-policy/v1",
      rules: [{ id: "a", require: [{ id: "b", envelope: { signedBy: { of: ["x"] } } }] }],
    },
    `${R}/envelope/signedBy/of/0: "x" is no name under trust`,
  ],
  "provenance without a source where trust names nobody": [
    {
      type: "attest-policy/v1",
      rules: [{ id: "a", require: [{ id: "b", predicate: { provenance: { minLevel: 1 } } }] }],
    },
    `${R}: nobody can meet it: trust names no key, key set or identity`,
  ],
  "a predicate type that is no URI": [
    asks({ statement: { predicateTypes: ["provenance v1"] } }),
    `${R}/statement/predicateTypes/0: "provenance v1" is no absolute URI, as predicate types are`,
  ],
  "no predicate types of provenance": [
    asks({ statement: { predicateTypes: [] }, predicate: { provenance: { minLevel: 1 } } }),
    `${R}/statement/predicateTypes: predicateTypes is empty`,
  ],

  "a condition whose id is a number": [
    where({ exists: true, id: "7" }),
    `${W}/id: "7" is no id: letters, digits, . _ and -, and no number`,
  ],
  "a condition whose id has a slash": [
    where({ exists: true, id: "a/b" }),
    `${W}/id: "a/b" is no id: letters, digits, . _ and -, and no number`,
  ],
  "nothing at the path, in other words": [
    where({ exists: true, quantifier: "none" }),
    `${W}/quantifier: for nothing at the path write exists: false`,
  ],
  "numbers that JSON does not keep": [
    where({ oneOf: [1, { a: [INEXACT] }, -INEXACT] }),
    `${W}/oneOf/1: ${INEXACT_SAID}`,
    `${W}/oneOf/2: ${INEXACT_SAID}`,
  ],
  "bounds that JSON does not keep": [
    where({ number: { min: -INEXACT, max: INEXACT } }),
    `${W}/number/min: min is no number that JSON keeps`,
    `${W}/number/max: max is no number that JSON keeps`,
  ],
  "two conditions of one id": [
    asks({
      predicate: {
        where: ["a", undefined, "a", undefined].map((id) => ({
          ...(id === undefined ? {} : { id }),
          path: "/predicate/a",
          exists: true,
        })),
      },
    }),
    `${R}/predicate/where/2/id: the id "a" is there twice`,
  ],
  "times in the wrong order": [
    where({ time: { after: "2026-01-02T00:00:00Z", before: "2026-01-01T00:00:00Z" } }),
    `${W}/time: no time is within: after is later than before`,
  ],
  "durations in the wrong order": [
    where({ time: { after: "P1D", before: "P1DT1S" } }),
    `${W}/time: no time is within: after is later than before`,
  ],
};

/** Documents at the very limit. */
const SOUND: Readonly<Record<string, unknown>> = {
  "10 000 names": trust({ groups: groups(10_000) }),
  "an OpenPGP key, which says itself what it is": trust({
    keys: { carol: { publicKey: OPENPGP, description: "OpenPGP" } },
    groups: {},
  }),
  "texts of 4096 and 256 characters": top({
    description: "a".repeat(4096),
    name: "a".repeat(256),
  }),
  "a bare envelope without an age": asks({ envelope: { formats: ["dsse"] } }),
  "an age of other formats": asks({
    envelope: { formats: ["dsse", "sigstore-bundle"], log: 1, timestamp: 1 },
    freshness: { maxAge: "P1D" },
  }),
  "an age of any format": asks({ freshness: { maxAge: "P1D" } }),
  "no log and no time of a bare envelope": asks({
    envelope: { formats: ["dsse"], log: 0, timestamp: 0 },
  }),
  "a key beside a holder, of bare envelopes": asks({
    envelope: { formats: ["dsse"], signedBy: { of: ["release", "alice"] } },
  }),
  "as many signers as there are": asks({
    envelope: { signedBy: { of: ["maintainers", "release"], threshold: 3 } },
  }),
  "a thousand attestations": asks({ count: 1000 }),
  "a hundred payload types": asks({ envelope: { payloadTypes: texts(100) } }),
  "the latest of one": asks({ count: 1, conflict: "latest" }),
  "a list of one": rule({ select: { name: ["a"] } }),
  "provenance of its types": asks({
    statement: { predicateTypes: [PROVENANCE] },
    predicate: { provenance: { minLevel: 1 } },
  }),
  "a condition with an id": where({ exists: true, id: "7a" }),
  "something at every path": where({ exists: true, quantifier: "every" }),
  "numbers that JSON keeps": where({ oneOf: [INEXACT - 1, 1 - INEXACT, 0.5] }),
  "one number": where({ number: { min: 1, max: 1 } }),
  "no least number": where({ number: { max: -1 } }),
  "no greatest number": where({ number: { min: 1 } }),
  "one moment": where({ time: { after: "2026-01-01T00:00:00Z", before: "2026-01-01T00:00:00Z" } }),
  "times in order": where({
    time: { after: "2026-01-01T00:00:00Z", before: "2026-01-02T00:00:00Z" },
  }),
  "one duration": where({ time: { after: "P1D", before: "P1D" } }),
  "a time and a duration": where({ time: { after: "2026-01-01T00:00:00Z", before: "P1D" } }),
  "a duration and a time": where({ time: { after: "P1D", before: "2026-01-01T00:00:00Z" } }),
  "a first time": where({ time: { after: "2026-01-01T00:00:00Z" } }),
  "a last duration": where({ time: { before: "P1D" } }),
  "a signature policy": {
    allowedIssuers: [{ keyId: "ci", publicKey: KEYS.alice }],
  },
};

describe("validatePolicy() of one part", () => {
  for (const [name, [policy, ...problems]] of Object.entries(PROBLEMS)) {
    it(`refuses ${name}`, () => deepEqual(problemsOf(policy), problems));
  }

  for (const [name, policy] of Object.entries(SOUND)) {
    it(`accepts ${name}`, () => deepEqual(problemsOf(policy), []));
  }

  it("accepts no more than so many", () => {
    equal(problemsOf(asks({ count: 1001 })).length, 1);
    deepEqual(problemsOf(asks({ envelope: { payloadTypes: texts(101) } })), [
      `${R}/envelope/payloadTypes: payloadTypes has 101 entries, at most 100 are accepted`,
    ]);
    const rules = (count: number) => ({
      ...(policyOf({}) as Loose),
      rules: texts(count).map((id) => ({
        id,
        select: { name: id },
        require: [{ id: "s", count: 0 }],
      })),
    });
    equal(problemsOf(rules(999)).length, 999);
    equal(problemsOf(rules(1000)).length, 1000);
    equal(problemsOf(rules(1001)).length, 1000);
  });
});
