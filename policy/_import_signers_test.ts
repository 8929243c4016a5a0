import { deepStrictEqual as deepEqual, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json, JsonObject } from "../internal/json.ts";
import { ISSUER, KEYS } from "./_fixtures_test.ts";
import { cip, imported, ofSignatures } from "./_imports_test.ts";
import type { NotCarriedOver } from "./import.ts";

const images = [{ glob: "ghcr.io/acme/**" }];
const key = { data: KEYS.alice };
const subject = "https://github.com/acme/app/.github/workflows/r.yml@refs/heads/main";
const keyless = { identities: [{ issuer: ISSUER, subject }] };

function lossesOf(spec: JsonObject): NotCarriedOver[] {
  return imported(cip(spec)).notCarriedOver;
}

describe("importPolicy() of the signers of a ClusterImagePolicy", () => {
  const other = { name: "ok", key: { data: KEYS.bob } };
  /** What is told of an authority that is left out, beside one that is not. */
  const leftOut = (authority: Json): NotCarriedOver[] => {
    const { document, notCarriedOver } = imported(cip({ images, authorities: [authority, other] }));
    deepEqual(document.rules[0].require[0].envelope?.signedBy, { of: ["ok"] });
    return notCarriedOver.slice(0, -1).map((one) => ({
      ...one,
      path: one.path.replace("/spec/authorities/0", ""),
    }));
  };
  const gone = {
    path: "",
    what: "authority",
    why: "No signer of it is left: the authority is left out",
  };

  it("leaves out keys that are not there, or cannot be read", () => {
    const cases: [JsonObject, path: string, what: string, why: string][] = [
      [
        { kms: "awskms:///x" },
        "/key",
        "awskms:///x",
        "The key is not in the document: put its public half into trust.keys",
      ],
      [
        { secretRef: { name: "x" } },
        "/key",
        '{"name":"x"}',
        "The key is not in the document: put its public half into trust.keys",
      ],
      [
        { ...key, hashAlgorithm: "sha512" },
        "/key/hashAlgorithm",
        "sha512",
        "State it as alg in trust.keys",
      ],
      [{ ...key, unless: "x" }, "/key/unless", "unless", "It is not known: left out"],
    ];
    for (const [key, path, what, why] of cases) {
      deepEqual(leftOut({ key }), [{ path, what, why }, gone]);
    }
    deepEqual(leftOut({ key: { data: "no key" } })[0].path, "/key/data");
    deepEqual(leftOut({ key: KEYS.alice }), [gone]);
    deepEqual(leftOut("text"), [{ path: "", what: '"text"', why: "It is no object" }]);
    deepEqual(leftOut({ key, attestations: { predicateType: "spdx" } }), [
      { path: "/attestations", what: '{"predicateType":"spdx"}', why: "It is no list" },
    ]);
    const { document } = imported(
      cip({ images, authorities: [{ key: { ...key, hashAlgorithm: "sha256" } }] }),
    );
    deepEqual(document.rules[0].require[0].envelope?.signedBy, { of: ["authority"] });
  });

  it("leaves out certificates of other instances and roots", () => {
    const root = "Its certificates are of an own root: put that into trust.roots by hand";
    const instance = "Its certificates are of another instance";
    const cases: [JsonObject, path: string, what: string, why: string][] = [
      [{ trustRootRef: "own" }, "/keyless", "authority", root],
      [{ "ca-cert": {} }, "/keyless", "authority", root],
      [
        { url: "https://fulcio.acme.example" },
        "/keyless/url",
        "https://fulcio.acme.example",
        instance,
      ],
      [
        { url: ["https://fulcio.sigstore.dev"] },
        "/keyless/url",
        '["https://fulcio.sigstore.dev"]',
        instance,
      ],
      [{ unless: "x" }, "/keyless/unless", "unless", "It is not known: left out"],
      [
        { identities: {} },
        "/keyless",
        "authority",
        "It names no identity: anybody can get a certificate",
      ],
    ];
    for (const [more, path, what, why] of cases) {
      deepEqual(leftOut({ keyless: { ...keyless, ...more } }), [{ path, what, why }, gone]);
    }
  });

  it("leaves out identities that name nobody, or that it would read otherwise", () => {
    const good = { issuer: ISSUER, subject };
    const cases: [Json, path: string, what: string, why: string][] = [
      [{ subject }, "/issuer", "", "It states no issuer"],
      [{ issuer: ISSUER }, "/subject", "", "It states no subject"],
      [{ issuer: ISSUER, subject: "" }, "/subject", "", "It states no subject"],
      [{ issuer: ISSUER, subjectRegExp: "" }, "/subject", "", "It states no subject"],
      [{ issuer: ISSUER, subjectRegExp: 7 }, "/subject", "", "It states no subject"],
      [{ ...good, subjectRegExp: "^x$" }, "/subjectRegExp", "^x$", "There is a text too"],
      [{ ...good, issuerRegExp: "^x$" }, "/issuerRegExp", "^x$", "There is a text too"],
      [{ issuer: ISSUER, subjectRegExp: "^(?:.*)+$" }, "/subjectRegExp", "^(?:.*)+$", ""],
      [
        { issuer: ISSUER, subjectRegExp: "^.*$" },
        "/subjectRegExp",
        "^.*$",
        "It accepts every subject",
      ],
      [
        { issuer: ISSUER, subjectRegExp: "^(?:.+)*$" },
        "/subjectRegExp",
        "^(?:.+)*$",
        "It accepts every subject",
      ],
      [{ subject, issuerRegExp: "^.*.+$" }, "/issuerRegExp", "^.*.+$", "It accepts every issuer"],
      [
        { issuer: ISSUER, subjectRegExp: "^.{9,}$" },
        "/subjectRegExp",
        "^.{9,}$",
        "It accepts every subject",
      ],
      [{ issuer: ISSUER, subjectRegExp: "^$" }, "/subjectRegExp", "^$", "It accepts no subject"],
      [
        { issuer: ISSUER, subjectRegExp: "^a(?i)b$" },
        "/subjectRegExp",
        "^a(?i)b$",
        "It has parts that mean something else in JavaScript",
      ],
      [
        { issuer: ISSUER, subjectRegExp: "^a\\sb$" },
        "/subjectRegExp",
        "^a\\sb$",
        "It has parts that mean something else in JavaScript",
      ],
      [
        { issuer: ISSUER, subjectRegExp: "^[[:alpha:]]$" },
        "/subjectRegExp",
        "^[[:alpha:]]$",
        "It has parts that mean something else in JavaScript",
      ],
      [
        { issuer: ISSUER, subjectRegExp: "^\\Aa$" },
        "/subjectRegExp",
        "^\\Aa$",
        '"\\Aa" is no regular expression',
      ],
    ];
    for (const [identity, path, what, why] of cases) {
      const { document, notCarriedOver } = imported(
        cip({ images, authorities: [{ name: "ci", keyless: { identities: [identity, good] } }] }),
      );
      deepEqual(Object.keys(document.trust?.identities ?? {}), ["ci-2"], JSON.stringify(identity));
      const at = "/spec/authorities/0/keyless/identities/0";
      const [first, second] = notCarriedOver;
      deepEqual(first, { path: at + path, what, why: why === "" ? first.why : why });
      deepEqual(second, {
        path: at,
        what: JSON.stringify(identity),
        why: "The identity is left out",
      });
    }
    const odd: [Json, path: string, what: string, why: string][] = [
      ["text", "", '"text"', "It is no object"],
      [{ ...good, unless: "x" }, "/unless", "unless", "It is not known: left out"],
    ];
    for (const [identity, path, what, why] of odd) {
      const losses = lossesOf({
        images,
        authorities: [{ keyless: { identities: [good, identity] } }],
      });
      const at = "/spec/authorities/0/keyless/identities/1";
      deepEqual(losses, [{ path: at + path, what, why }, ...ofSignatures(1)]);
    }
  });

  it("anchors expressions at both ends, and tells where they were not", () => {
    const told = (subjectRegExp: string) =>
      lossesOf({
        images,
        authorities: [{ keyless: { identities: [{ issuer: ISSUER, subjectRegExp }] } }],
      })
        .slice(0, -1).map(({ what, why }) => `${what}: ${why}`);
    const why = "It is not anchored: here it must match the whole text";
    deepEqual(told("^a$"), []);
    deepEqual(told("a$"), [`a$: ${why}`]);
    deepEqual(told("^a"), [`^a: ${why}`]);
    deepEqual(told("a"), [`a: ${why}`]);
  });

  it("refuses what names nobody in another way", () => {
    for (const subjectRegExp of ["^(.*)$", "^.{1,}$", "^[^x]*$"]) {
      const identities = [{ issuer: ISSUER, subjectRegExp }];
      throws(() => imported(cip({ images, authorities: [{ keyless: { identities } }] })), {
        reason: "malformed-policy",
      });
    }
  });
});
