import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import { KEYS } from "./_fixtures_test.ts";
import { type ImportedPolicy, importPolicy, type NotCarriedOver } from "./import.ts";

const hex = "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a";
const ALICE = { kty: "OKP", crv: "Ed25519", x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo" };
const keys = {
  aa: { keytype: "ed25519", scheme: "ed25519", keyval: { public: hex } },
  bb: { keytype: "ed25519", keyval: { public: KEYS.bob } },
};
const step = { _type: "step", name: "build", pubkeys: ["aa"], threshold: 1 };
const layout = { _type: "layout", expires: "2030-01-01T00:00:00Z", keys, steps: [step] };
const UNSIGNED: NotCarriedOver = {
  path: "/signatures",
  what: "signatures of the layout",
  why: "They were not verified: import a layout that you know to be yours",
};
const LINKS = ["https://in-toto.io/Link/v1", "https://in-toto.io/attestation/link/v0.3"];

function imported(layout: Json): ImportedPolicy {
  return importPolicy({ kind: "in-toto-layout", layout });
}

/** What a requirement of a step is, without the conditions that never hold. */
function stepOf(name: string, signedBy: JsonObject): JsonObject {
  return {
    id: name,
    envelope: { signedBy },
    statement: { predicateTypes: LINKS },
    predicate: { where: [{ id: "step", path: "/predicate/name", equals: name }] },
  };
}

/** Losses besides the signatures, and the ids of the conditions of every requirement. */
function outcomeOf(more: JsonObject): [losses: string[], conditions: string[][]] {
  const { document, notCarriedOver } = imported({ ...layout, ...more });
  deepEqual(notCarriedOver[0], UNSIGNED);
  return [
    notCarriedOver.slice(1)
      .map(({ path, what, why }) => `${path}: ${what}: ${why}`),
    document.rules[0].require.map(({ predicate }) =>
      (predicate?.where ?? []).map(({ id }) => id ?? "")
    ),
  ];
}

const REFUSES = (n: number) =>
  `the condition "replace-${n}" refuses everything until it is replaced`;

describe("importPolicy() of an in-toto layout: what it is", () => {
  it("reads it bare, signed and in an envelope, with the keys that steps name", () => {
    const full: JsonObject = {
      ...layout,
      readme: "r".repeat(1001),
      steps: [
        step,
        { name: "re view", pubkeys: ["bb", "aa", "bb"], threshold: 2, expected_command: [] },
        {
          name: "ship",
          pubkeys: ["bb"],
          cert_constraints: [],
          expected_materials: [["allow", "*"]],
        },
      ],
      inspect: [],
      rootcas: {},
      intermediatecas: {},
    };
    const found = imported(full);
    deepEqual(found, {
      document: {
        type: "attest-policy/v1",
        name: "in-toto-layout",
        description: "r".repeat(1000),
        mode: "enforce",
        expires: "2030-01-01T00:00:00Z",
        trust: {
          keys: {
            "key-aa": { publicKey: ALICE, keyid: "aa" },
            "key-bb": { publicKey: KEYS.bob, keyid: "bb" },
          },
          roots: [],
        },
        rules: [{
          id: "layout",
          require: [
            stepOf("build", { of: ["key-aa"] }),
            { ...stepOf("re view", { of: ["key-bb", "key-aa"], threshold: 2 }), id: "re-view" },
            stepOf("ship", { of: ["key-bb"] }),
          ],
        }],
      },
      notCarriedOver: [UNSIGNED, {
        path: "/steps/1/threshold",
        what: "2",
        why: "Links of several functionaries: here they must sign the same one",
      }],
    });
    deepEqual(imported({ signed: full, signatures: [] }), found);
    const payload = encodeBase64(utf8(JSON.stringify(full)));
    deepEqual(imported({ payload, payloadType: "application/vnd.in-toto+json" }), found);
    const keys = imported(layout).document.trust?.keys;
    deepEqual(keys, { "key-aa": { publicKey: ALICE, keyid: "aa" } });
  });

  it("takes a readme over if it says something", () => {
    const descriptionOf = (readme: Json) => imported({ ...layout, readme }).document.description;
    equal(descriptionOf("Release"), "Release");
    equal(descriptionOf(" \n"), undefined);
    equal(descriptionOf(7), undefined);
  });

  it("refuses what is no layout, has no end, and of which nothing is left", () => {
    const cases: [Json, message: string][] = [
      ["text", "Cannot import layout: its _type is not layout"],
      [null, "Cannot import layout: its _type is not layout"],
      [[], "Cannot import layout: its _type is not layout"],
      [{ ...layout, _type: "link" }, "Cannot import layout: its _type is not layout"],
      [{ signed: "text" }, "Cannot import layout: its _type is not layout"],
      [{ payload: 7 }, "Cannot import layout: its _type is not layout"],
      [{ ...layout, expires: "soon" }, "Cannot import layout: it has no end"],
      [{ ...layout, expires: 2030 }, "Cannot import layout: it has no end"],
      [
        { ...layout, steps: [] },
        "Cannot import policy: nothing of it can be carried over (/signatures: " +
        `${UNSIGNED.why})`,
      ],
      [
        { ...layout, keys: { aa: {} } },
        "Cannot import policy: nothing of it can be carried over (/signatures: " +
        `${UNSIGNED.why}; /keys/aa: The key has no public half; /steps/0/pubkeys: ` +
        `Only 0 of their keys can be used; ${REFUSES(1)})`,
      ],
    ];
    for (const [source, message] of cases) {
      throws(
        () => imported(source),
        (error) =>
          error instanceof AttestationError && error.reason === "malformed-policy" &&
          error.message === message,
        message,
      );
    }
    const without: JsonObject = { ...layout };
    delete without.expires;
    throws(() => imported(without), { path: "/expires" });
  });

  it("tells of keys that cannot be read", () => {
    const bad: [Json, why: string][] = [
      [7, "The key has no public half"],
      [null, "The key has no public half"],
      [{ keyval: null }, "The key has no public half"],
      [{ keyval: "text" }, "The key has no public half"],
      [{ public: hex }, "The key has no public half"],
      [{ keyval: { public: 7 } }, "The key has no public half"],
      [{ keyval: { public: KEYS.alice.replace("PUBLIC", "SECRET") } }, ""],
      [{ keyval: { public: hex.slice(2) } }, ""],
    ];
    for (const [key, why] of bad) {
      const { document, notCarriedOver } = imported({ ...layout, keys: { ...keys, "c/c": key } });
      deepEqual(Object.keys(document.trust?.keys ?? {}), ["key-aa"]);
      const [, told, ...others] = notCarriedOver;
      deepEqual(others, []);
      deepEqual(told, { path: "/keys/c~1c", what: "c/c", why: why === "" ? told.why : why });
    }
  });
});

describe("importPolicy() of an in-toto layout: what cannot be written", () => {
  const withStep = (more: JsonObject) => outcomeOf({ steps: [{ ...step, ...more }] });

  it("refuses everything where functionaries are lost, and never asks for fewer", () => {
    const cases: [JsonObject, wanted: string, keys: number][] = [
      [{ pubkeys: [] }, "1", 0],
      [{ pubkeys: ["cc"] }, "1", 0],
      [{ pubkeys: { aa: 1 } }, "1", 0],
      [{ pubkeys: [{ toString: "aa" }] }, "1", 0],
      [{ pubkeys: "aa" }, "1", 0],
      [{ threshold: 2 }, "2", 1],
      [{ pubkeys: ["aa", "aa"], threshold: 2 }, "2", 1],
      [{ threshold: 0 }, "0", 1],
      [{ threshold: -1 }, "-1", 1],
      [{ pubkeys: ["aa", "bb"], threshold: 1.5 }, "1.5", 2],
      [{ pubkeys: ["aa", "bb"], threshold: "2" }, "2", 2],
      [{ pubkeys: ["aa", "bb"], threshold: [2] }, "[2]", 2],
      [{ threshold: null }, "null", 1],
    ];
    for (const [more, wanted, keys] of cases) {
      const [losses, conditions] = withStep(more);
      deepEqual(conditions, [["step", "replace-1"]], JSON.stringify(more));
      equal(
        losses[0],
        `/steps/0/pubkeys: ${wanted} functionaries of the step build: ` +
          `Only ${keys} of their keys can be used; ${REFUSES(1)}`,
      );
      equal(losses.length, wanted === "2" && keys === 1 ? 2 : 1);
    }
    // What is no text is the id of no key, whatever it looks like.
    const odd = outcomeOf({
      keys: { '{"a":1}': keys.aa, bb: keys.bb },
      steps: [{ ...step, pubkeys: [{ a: 1 }] }, { ...step, pubkeys: ["bb"] }],
    });
    deepEqual(odd[1], [["step", "replace-1"], ["step"]]);
    const { threshold: _, ...one } = step;
    deepEqual(outcomeOf({ steps: [one] }), [[], [["step"]]]);
    deepEqual(imported({ ...layout, steps: [one] }).document.rules[0].require, [
      stepOf("build", { of: ["key-aa"] }),
    ]);
  });

  it("refuses everything where rules of artifacts are lost", () => {
    const open = [["ALLOW", "*"], ["allow", "*"]];
    const told = (member: string, what: string) => [
      [`/steps/0/${member}: ${what}: Artifact rules are not read; ${REFUSES(1)}`],
      [["step", "replace-1"]],
    ];
    for (const member of ["expected_materials", "expected_products"]) {
      for (const rules of [[], [open[0]], open]) {
        deepEqual(withStep({ [member]: rules }), [[], [["step"]]]);
      }
      const create = ["CREATE", "app"];
      deepEqual(withStep({ [member]: [open[0], create] }), told(member, "ALLOW *; CREATE app"));
      deepEqual(withStep({ [member]: [["DISALLOW", "*"]] }), told(member, "DISALLOW *"));
      deepEqual(withStep({ [member]: [["ALLOW", "app"]] }), told(member, "ALLOW app"));
      deepEqual(withStep({ [member]: ["DISALLOW *"] }), told(member, "DISALLOW *"));
      deepEqual(withStep({ [member]: { a: create } }), told(member, '{"a":["CREATE","app"]}'));
      deepEqual(withStep({ [member]: null }), told(member, "null"));
    }
  });

  it("refuses everything where inspections are lost, or members that it does not know", () => {
    const inspection = (path: string, name: string) =>
      `${path}: inspection ${name}: No command is run; ${REFUSES(1)}`;
    deepEqual(outcomeOf({ inspect: [{ name: "untar", run: ["tar"] }] }), [
      [inspection("/inspect/0", "untar")],
      [["step"], ["replace-1"]],
    ]);
    deepEqual(outcomeOf({ inspect: [{ name: 7 }] })[0], [inspection("/inspect/0", "inspection")]);
    deepEqual(outcomeOf({ inspect: ["text"] })[0], [inspection("/inspect/0", "inspection")]);
    deepEqual(outcomeOf({ inspect: [null] })[0], [inspection("/inspect/0", "inspection")]);
    deepEqual(outcomeOf({ inspect: { name: "untar" } })[0], [inspection("/inspect/0", "untar")]);
    deepEqual(outcomeOf({ "un/less": {} }), [
      [`/un~1less: un/less: It is not known; ${REFUSES(1)}`],
      [["step"], ["replace-1"]],
    ]);
    deepEqual(withStep({ "un/less": {} }), [
      [`/steps/0/un~1less: un/less: It is not known; ${REFUSES(1)}`],
      [["step", "replace-1"]],
    ]);
  });

  it("asks for the step of a name that it cannot read, too", () => {
    const { document } = imported({ ...layout, steps: ["text", { ...step, name: 7 }] });
    deepEqual(document.rules[0].require.map(({ id, predicate }) => [id, predicate?.where?.[0]]), [
      ["step", { id: "step", path: "/predicate/name", equals: "" }],
      ["step-2", { id: "step", path: "/predicate/name", equals: "" }],
    ]);
    deepEqual(document.rules[0].require[0].envelope?.signedBy, { of: ["key-aa"] });
    deepEqual(document.rules[0].require[0].predicate?.where?.length, 2);
  });

  it("lists hints and constraints of certificates", () => {
    const why = "It is a hint in a layout too; ask for it in a condition on /predicate/command";
    deepEqual(withStep({ expected_command: ["make", "all"] }), [
      [`/steps/0/expected_command: make all: ${why}`],
      [["step"]],
    ]);
    deepEqual(withStep({ expected_command: [{ toString: 1 }] })[0], [
      `/steps/0/expected_command: {"toString":1}: ${why}`,
    ]);
    deepEqual(withStep({ cert_constraints: [{ common_name: "x" }] }), [
      ['/steps/0/cert_constraints: {"common_name":"x"}: Left out'],
      [["step"]],
    ]);
  });
});
