import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bytes } from "../internal/bytes.ts";
import { later, reasonOf } from "../tests/fixtures/sigstore.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  certificate,
  extendedKeyUsage,
  type Extension,
  keyIdentifier,
  keyUsage,
  subjectKeyIdentifier,
  unknownExtension,
} from "../tools/pki/certificate.ts";
import { distinguishedName } from "../tools/pki/der_writer.ts";
import { END, LEAF_END, LEAF_START, START } from "../tools/pki/instance.ts";
import { type TestKey, testKey } from "../tools/pki/keys.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { findPaths, mayHaveIssued, mayLeadTo, refusalAt } from "./chain.ts";
import type { TrustedAuthority } from "./trusted_root.ts";

const CODE_SIGNING = "1.3.6.1.5.5.7.3.3";

interface Made {
  name: string;
  issuer: string;
  key: string;
  by: string;
  /** `null` leaves the extension out. */
  constraints?: Extension | null;
  usage?: Extension | null;
  purposes?: string[] | null;
  authorityKeyId?: Uint8Array | null;
  extra?: Extension[];
  notBefore?: Date;
  notAfter?: Date;
}

const keys = new Map<string, Promise<TestKey>>();
function keyOf(name: string): Promise<TestKey> {
  const known = keys.get(name) ?? testKey(name);
  keys.set(name, known);
  return known;
}

let serial = 1000;

async function make(made: Made): Promise<Certificate> {
  const key = await keyOf(made.key), by = await keyOf(made.by);
  const extensions: Extension[] = [...made.extra ?? []];
  if (made.usage !== null) extensions.push(made.usage ?? keyUsage("certificates"));
  if (made.constraints !== null) extensions.push(made.constraints ?? basicConstraints(true));
  if (made.purposes) extensions.push(extendedKeyUsage(made.purposes));
  extensions.push(subjectKeyIdentifier(await keyIdentifier(key.spki)));
  if (made.authorityKeyId !== null) {
    const id = made.authorityKeyId ?? await keyIdentifier(by.spki);
    extensions.push(authorityKeyIdentifier(id));
  }
  const der: Bytes = await certificate({
    serial: serial++,
    issuer: distinguishedName("example", made.issuer),
    subject: distinguishedName("example", made.name),
    notBefore: made.notBefore ?? START,
    notAfter: made.notAfter ?? END,
    spki: key.spki,
    extensions,
  }, by);
  return parseCertificate(der);
}

const root = (changes: Partial<Made> = {}) =>
  make({ name: "root", issuer: "root", key: "fulcio-root", by: "fulcio-root", ...changes });
const middle = (changes: Partial<Made> = {}) =>
  make({
    name: "middle",
    issuer: "root",
    key: "fulcio-intermediate",
    by: "fulcio-root",
    purposes: [CODE_SIGNING],
    ...changes,
  });
const leaf = (changes: Partial<Made> = {}) =>
  make({
    name: "leaf",
    issuer: "middle",
    key: "leaf-p256",
    by: "fulcio-intermediate",
    constraints: null,
    usage: keyUsage("sign"),
    purposes: [CODE_SIGNING],
    notBefore: LEAF_START,
    notAfter: LEAF_END,
    ...changes,
  });

function trusting(...chain: Certificate[]): TrustedAuthority {
  return { uri: "https://ca.example", operator: "example", chain, validFor: { start: START } };
}

async function verdictOf(
  subject: Certificate,
  intermediates: Certificate[],
  ...authorities: TrustedAuthority[]
): Promise<string> {
  return await reasonOf(() => findPaths(subject, intermediates, authorities));
}

describe("findPaths()", () => {
  it("finds the path through the trusted chain", async () => {
    const [a, b, c] = [await leaf(), await middle(), await root()];
    const paths = await findPaths(a, [], [trusting(b, c)]);
    deepEqual(paths.map(({ certificates }) => certificates), [[a, b, c]]);
  });

  it("ends at an anchor that is an intermediate", async () => {
    const [a, b] = [await leaf(), await middle()];
    const [path] = await findPaths(a, [], [trusting(b)]);
    deepEqual(path.certificates, [a, b]);
  });

  it("ends at once where the leaf is an anchor itself", async () => {
    const [a, b] = [await leaf(), await middle()];
    for (const chain of [[a], [a, b]]) {
      const paths = await findPaths(a, [b], [trusting(...chain)]);
      deepEqual(paths.map(({ certificates }) => certificates), [chain]);
      // The same certificate, read from the bundle.
      const read = parseCertificate(a.raw);
      const again = await findPaths(read, [b], [trusting(...chain)]);
      deepEqual(again.map(({ certificates }) => certificates), [[read, ...chain.slice(1)]]);
    }
  });

  it("takes intermediates of the bundle in any order, and what does not belong there", async () => {
    const [a, b, c] = [await leaf(), await middle(), await root()];
    const stranger = await middle({ name: "stranger", key: "other-intermediate" });
    for (const given of [[b], [stranger, b], [b, stranger, stranger]]) {
      const [path] = await findPaths(a, given, [trusting(c)]);
      deepEqual(path.certificates, [a, b, c]);
    }
  });

  it("takes no other issuer from the bundle where the root has one, good or not", async () => {
    const [a, b, c] = [await leaf(), await middle(), await root()];
    const old = await middle({ notAfter: START });
    const paths = await findPaths(a, [b], [trusting(old, c)]);
    deepEqual(paths.map(({ certificates }) => certificates), [[a, old, c]]);
  });

  it("finds a path of nine untrusted certificates, and none of ten", async () => {
    const chain: Certificate[] = [await root()];
    for (let i = 1; i <= 9; i++) {
      const issuer = i === 1 ? "root" : `ca ${i - 1}`;
      chain.push(await middle({ name: `ca ${i}`, issuer, key: "fulcio-root", by: "fulcio-root" }));
    }
    const under = (i: number) => leaf({ issuer: `ca ${i}`, by: "fulcio-root" });
    const trust = trusting(chain[0]);
    equal((await findPaths(await under(8), chain.slice(1), [trust]))[0].certificates.length, 10);
    equal(await verdictOf(await under(9), chain.slice(1), trust), "untrusted-certificate");
  });

  it("refuses what no trusted authority issued", async () => {
    const [a, b, c] = [await leaf(), await middle(), await root()];
    const other = await root({ key: "other-root", by: "other-root" });
    equal(await verdictOf(a, []), "untrusted-certificate");
    equal(await verdictOf(a, [], trusting(c)), "untrusted-certificate");
    equal(await verdictOf(a, [b], trusting(other)), "untrusted-certificate");
  });

  it("never trusts a root that came with the bundle", async () => {
    const evil = await root({ key: "other-root", by: "other-root" });
    const mid = await middle({ key: "other-intermediate", by: "other-root" });
    const signed = await leaf({ by: "other-intermediate" });
    equal(await verdictOf(signed, [mid, evil], trusting(await root())), "untrusted-certificate");
  });

  it("refuses a good name and key id with a signature by another key", async () => {
    const id = await keyIdentifier((await keyOf("fulcio-intermediate")).spki);
    const forged = await leaf({ by: "other-intermediate", authorityKeyId: id });
    equal(
      await verdictOf(forged, [], trusting(await middle(), await root())),
      "untrusted-certificate",
    );
    const unnamed = await leaf({ by: "other-intermediate", authorityKeyId: null });
    equal(
      await verdictOf(unnamed, [], trusting(await middle(), await root())),
      "untrusted-certificate",
    );
  });

  it("refuses a trusted chain whose upper link is not signed, or not named", async () => {
    const a = await leaf();
    const c = await root();
    const forged = await middle({ by: "other-root", authorityKeyId: null });
    equal(await verdictOf(a, [], trusting(forged, c)), "untrusted-certificate");
    const renamed = await middle({ issuer: "another root" });
    equal(await verdictOf(a, [], trusting(renamed, c)), "untrusted-certificate");
    const keyed = await middle({ authorityKeyId: new Uint8Array(20) });
    equal(await verdictOf(a, [], trusting(keyed, c)), "untrusted-certificate");
  });

  it("refuses another issuer name and another authority key id", async () => {
    const chain = [await middle(), await root()];
    equal(
      await verdictOf(await leaf({ issuer: "Middle" }), [], trusting(...chain)),
      "untrusted-certificate",
    );
    const other = await leaf({ authorityKeyId: new Uint8Array(20) });
    equal(await verdictOf(other, [], trusting(...chain)), "untrusted-certificate");
    equal(await verdictOf(await leaf({ authorityKeyId: null }), [], trusting(...chain)), "ok");
  });

  it("chooses by signature among issuers of one name", async () => {
    const good = await middle();
    const twin = await middle({ key: "other-intermediate" });
    const a = await leaf({ authorityKeyId: null });
    for (const order of [[twin, good], [good, twin]]) {
      const paths = await findPaths(a, order, [trusting(await root())]);
      deepEqual(paths.map(({ certificates }) => certificates[1]), [good]);
      const two = await findPaths(a, [], order.map((one) => trusting(one)));
      deepEqual(two.map(({ certificates }) => certificates[1]), [good]);
    }
  });

  const misuses: [string, Partial<Made>, string][] = [
    ["no basic constraints", { constraints: null }, "invalid-certificate-usage"],
    ["CA FALSE", { constraints: basicConstraints(false) }, "invalid-certificate-usage"],
    ["no key usage", { usage: null }, "invalid-certificate-usage"],
    ["a key usage without keyCertSign", { usage: keyUsage("sign") }, "invalid-certificate-usage"],
    ["another purpose", { purposes: ["1.3.6.1.5.5.7.3.8"] }, "invalid-certificate-usage"],
    ["an empty list of purposes", { purposes: [] }, "invalid-certificate-usage"],
    [
      "an unknown critical extension",
      { extra: [unknownExtension(true)] },
      "unsupported-critical-extension",
    ],
    ["an unknown extension", { extra: [unknownExtension(false)] }, "ok"],
    ["no purposes at all", { purposes: null }, "ok"],
    ["any purpose", { purposes: ["2.5.29.37.0"] }, "ok"],
    ["more purposes", { purposes: ["1.3.6.1.5.5.7.3.8", CODE_SIGNING] }, "ok"],
  ];
  for (const [what, changes, expected] of misuses) {
    it(`${expected === "ok" ? "accepts" : "refuses"} an issuer with ${what}`, async () => {
      const [a, b, c] = [await leaf(), await middle(changes), await root()];
      equal(await verdictOf(a, [], trusting(b, c)), expected);
      equal(await verdictOf(a, [b], trusting(c)), expected, "from the bundle");
    });
    it(`${expected === "ok" ? "accepts" : "refuses"} an anchor with ${what}`, async () => {
      const [a, b, c] = [await leaf(), await middle(), await root(changes)];
      equal(await verdictOf(a, [], trusting(b, c)), expected);
    });
  }

  it("refuses a leaf with an unknown critical extension", async () => {
    const a = await leaf({ extra: [unknownExtension(true)] });
    equal(await verdictOf(a, [], trusting(await middle())), "unsupported-critical-extension");
  });

  it("refuses a leaf with a purpose that its issuer does not have", async () => {
    const a = await leaf({ purposes: [CODE_SIGNING, "1.3.6.1.5.5.7.3.1"] });
    equal(await verdictOf(a, [], trusting(await middle())), "invalid-certificate-usage");
  });

  it("keeps to path lengths", async () => {
    const second = (issuer: string, by: string) =>
      middle({ name: "second", issuer, key: "other-intermediate", by });
    const a = await leaf({ issuer: "second", by: "other-intermediate" });
    const b2 = await second("middle", "fulcio-intermediate");
    for (const [limit, expected] of [[0, "invalid-certificate-usage"], [1, "ok"]] as const) {
      const b = await middle({ constraints: basicConstraints(true, limit) });
      equal(await verdictOf(a, [], trusting(b2, b, await root())), expected, `${limit}`);
    }
    for (const [limit, expected] of [[1, "invalid-certificate-usage"], [2, "ok"]] as const) {
      const c = await root({ constraints: basicConstraints(true, limit) });
      equal(await verdictOf(a, [], trusting(b2, await middle(), c)), expected, `root ${limit}`);
    }
  });

  it("does not let a leaf issue another leaf", async () => {
    const first = await leaf();
    const second = await leaf({
      name: "second",
      issuer: "leaf",
      by: "leaf-p256",
      key: "leaf-other",
    });
    equal(
      await verdictOf(second, [first], trusting(await middle(), await root())),
      "invalid-certificate-usage",
    );
  });

  it("refuses a signature algorithm that is not the key's", async () => {
    const id = await keyIdentifier((await keyOf("rekor2")).spki);
    const mid = await middle({ key: "rekor2" });
    const a = await leaf({ authorityKeyId: id });
    equal(await verdictOf(a, [], trusting(mid, await root())), "untrusted-certificate");
  });

  it("refuses a signature algorithm that is not supported", async () => {
    const a = { ...await leaf(), scheme: undefined };
    equal(await verdictOf(a, [], trusting(await middle())), "untrusted-certificate");
  });

  it("ends when names lead in circles", async () => {
    // Two names that issue one another, 31 certificates: more orders than there are atoms
    // to count them, and none leads to a trusted one. To try them all would not end.
    const ring: Certificate[] = [];
    for (let i = 0; i < 31; i++) {
      ring.push(
        await middle({ name: `n${i % 2}`, issuer: `n${(i + 1) % 2}`, authorityKeyId: null }),
      );
    }
    const a = await leaf({ issuer: "n0", authorityKeyId: null });
    const trust = Array.from({ length: 8 }, () => trusting());
    equal(mayLeadTo(a, ring, [...trust, trusting(await root())]), false);
    equal(await verdictOf(a, ring, trusting(await root())), "untrusted-certificate");
  });

  it("tries a bounded number of paths", async () => {
    // All claim to be issued by the root; only signatures tell them apart.
    const twins: Certificate[] = [];
    for (let i = 0; i < 31; i++) {
      twins.push(await middle({ by: "other-root", authorityKeyId: null }));
    }
    const a = await leaf({ authorityKeyId: null });
    equal(await verdictOf(a, twins, trusting(await root())), "untrusted-certificate");
    const good = await middle();
    equal(await verdictOf(a, [good, ...twins], trusting(await root())), "ok");
  });
});

describe("refusalAt()", () => {
  const verdictAt = async (
    time: Date,
    changes: {
      middle?: Partial<Made>;
      root?: Partial<Made>;
      validFor?: TrustedAuthority["validFor"];
    },
  ) => {
    const chain = [await middle(changes.middle), await root(changes.root)];
    const authority = {
      ...trusting(...chain),
      ...changes.validFor && { validFor: changes.validFor },
    };
    const [path] = await findPaths(await leaf(), [], [authority]);
    return refusalAt(path, time, "certificate-not-valid")?.reason ?? "ok";
  };

  it("includes both ends of the leaf's validity, and not a second more", async () => {
    const found = [
      await verdictAt(later(LEAF_START, -1000), {}),
      await verdictAt(LEAF_START, {}),
      await verdictAt(LEAF_END, {}),
      await verdictAt(later(LEAF_END, 1000), {}),
      await verdictAt(later(LEAF_END, 1), {}),
    ];
    const late = "certificate-not-valid";
    deepEqual(found, [late, "ok", "ok", late, late]);
  });

  const time = later(LEAF_START, 60_000);
  for (const which of ["middle", "root"] as const) {
    it(`includes both ends of the ${which}'s validity, and not a second more`, async () => {
      const found: string[] = [];
      for (
        const [notBefore, notAfter] of [[time, END], [later(time, 1000), END], [START, time], [
          START,
          later(time, -1000),
        ]]
      ) {
        found.push(await verdictAt(time, { [which]: { notBefore, notAfter } }));
      }
      deepEqual(found, ["ok", "certificate-not-valid", "ok", "certificate-not-valid"]);
    });
  }

  it("says whose validity it is", async () => {
    const [a, b] = [await leaf(), await middle()];
    const cases: [Certificate[], string][] = [
      [[a, b], "the certificate"],
      [[{ ...a, notAfter: later(END, 1000) }, b], "an issuer's certificate"],
    ];
    for (const [certificates, which] of cases) {
      const path = { authority: trusting(), certificates };
      const error = refusalAt(path, later(END, 1000), "certificate-not-valid");
      ok(error?.message.includes(`, ${which} is not valid: `));
    }
  });

  it("includes both ends of the authority's period, and not a second more", async () => {
    const found: string[] = [];
    for (
      const validFor of [
        { start: time },
        { start: later(time, 1000) },
        { start: START, end: time },
        { start: START, end: later(time, -1000) },
        { start: END, end: START },
      ]
    ) found.push(await verdictAt(time, { validFor }));
    const late = "certificate-not-valid";
    deepEqual(found, ["ok", late, "ok", late, late]);
  });
});

describe("mayHaveIssued()", () => {
  it("compares key ids where both certificates have one", () => {
    const name = Uint8Array.of(1), id = Uint8Array.of(2), other = Uint8Array.of(3);
    const may = (issuerId?: Uint8Array, subjectId?: Uint8Array) =>
      mayHaveIssued(
        { subject: name, subjectKeyIdentifier: issuerId } as Partial<Certificate> as Certificate,
        { issuer: name, authorityKeyIdentifier: subjectId } as Partial<Certificate> as Certificate,
      );
    deepEqual([may(), may(id), may(undefined, id), may(id, id)], [true, true, true, true]);
    equal(may(other, id), false);
  });
});
