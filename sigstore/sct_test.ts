import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bytes, concat } from "../internal/bytes.ts";
import { later, reasonOf, rootOf, theInstance } from "../tests/fixtures/sigstore.ts";
import { issueLeaf } from "../tools/pki/ca.ts";
import { leafIndexExtension, type SctOptions } from "../tools/pki/ct_log.ts";
import { END, LEAF_END, LEAF_START, START, WORKFLOW } from "../tools/pki/instance.ts";
import { testKey } from "../tools/pki/keys.ts";
import { type Certificate, parseCertificate } from "./certificate.ts";
import { parseSctList, verifyScts } from "./sct.ts";

async function leafWith(scts: SctOptions[]): Promise<Certificate> {
  const { authority } = await theInstance();
  return parseCertificate(
    await issueLeaf(authority, {
      key: await testKey("leaf-p256"),
      san: { type: "uri", value: WORKFLOW },
      issuer: "https://issuer.example",
      notBefore: LEAF_START,
      notAfter: LEAF_END,
      scts,
    }),
  );
}

async function sct(changes: Partial<SctOptions> = {}): Promise<SctOptions> {
  return { log: (await theInstance()).ctLog, timestamp: LEAF_START, ...changes };
}

async function issuer(): Promise<Certificate> {
  return parseCertificate((await theInstance()).authority.intermediate);
}

const trusted = async () => (await rootOf()).ctLogs;

async function verdictOf(...scts: SctOptions[]): Promise<string> {
  const leaf = await leafWith(scts);
  const by = await issuer(), logs = await trusted();
  return await reasonOf(async () => {
    const { logs: found } = await verifyScts(leaf, by, logs);
    if (found.length === 0) throw new RangeError("none");
  }).catch((error) => error.message);
}

describe("verifyScts()", () => {
  it("finds the log that promised, with extensions or without", async () => {
    equal(await verdictOf(await sct()), "ok");
    equal(await verdictOf(await sct({ extensions: leafIndexExtension(2 ** 39) })), "ok");
  });

  it("counts none in a certificate without a list", async () => {
    deepEqual(await verifyScts(await leafWith([]), await issuer(), await trusted()), {
      logs: [],
      unknown: 0,
    });
  });

  it("counts a log once and ignores an unknown one", async () => {
    const { otherCtLog } = await theInstance();
    const all = [await sct(), await sct({ log: otherCtLog }), await sct({ timestamp: LEAF_END })];
    const found = await verifyScts(await leafWith(all), await issuer(), await trusted());
    equal(found.logs.length, 1);
    equal(found.unknown, 1);
  });

  it("counts logs of one operator once", async () => {
    const { ctLog, otherCtLog } = await theInstance();
    const validFor = { start: START };
    const root = await rootOf({
      ctlogs: [
        { key: ctLog, baseUrl: "https://one.example", validFor },
        { key: otherCtLog, baseUrl: "https://two.example", validFor },
      ],
    });
    const leaf = await leafWith([await sct(), await sct({ log: otherCtLog })]);
    equal((await verifyScts(leaf, await issuer(), root.ctLogs)).logs.length, 2);
    const same = root.ctLogs.map((log) => ({ ...log, operator: "one" }));
    equal((await verifyScts(leaf, await issuer(), same)).logs.length, 1);
  });

  it("refuses a bad signature by a known log, also beside a good one", async () => {
    equal(await verdictOf(await sct({ corrupt: true })), "invalid-sct");
    equal(await verdictOf(await sct(), await sct({ corrupt: true })), "invalid-sct");
  });

  it("refuses another issuer key: the promise is for one issuer", async () => {
    const { otherAuthority } = await theInstance();
    const other = parseCertificate(otherAuthority.intermediate);
    const leaf = await leafWith([await sct()]), logs = await trusted();
    equal(await reasonOf(() => verifyScts(leaf, other, logs)), "invalid-sct");
  });

  it("refuses the list of another certificate", async () => {
    const leaf = await leafWith([await sct()]);
    const { ctLog } = await theInstance();
    const other = await leafWith([{ log: ctLog, timestamp: LEAF_END }]);
    const by = await issuer(), logs = await trusted();
    const swapped = { ...leaf, serialNumber: leaf.serialNumber, sctList: other.sctList };
    // The certificates differ in nothing but the list, which is not signed: still good.
    equal(await reasonOf(() => verifyScts(swapped, by, logs)), "ok");
    const { authority } = await theInstance();
    const stranger = parseCertificate(
      await issueLeaf(authority, {
        key: await testKey("leaf-other"),
        san: { type: "uri", value: WORKFLOW },
        issuer: "https://issuer.example",
        notBefore: LEAF_START,
        notAfter: LEAF_END,
        scts: [],
      }),
    );
    const forged = { ...stranger, sctList: leaf.sctList };
    equal(await reasonOf(() => verifyScts(forged, by, logs)), "invalid-sct");
  });

  it("includes both ends of the log's validity, and not a second more", async () => {
    const leaf = await leafWith([await sct()]);
    const by = await issuer(), [log] = await trusted();
    const found: string[] = [];
    for (
      const validFor of [
        { start: LEAF_START },
        { start: later(LEAF_START, 1000) },
        { start: START, end: LEAF_START },
        { start: START, end: later(LEAF_START, -1000) },
        { start: END },
      ]
    ) found.push(await reasonOf(() => verifyScts(leaf, by, [{ ...log, validFor }])));
    deepEqual(found, ["ok", "invalid-sct", "ok", "invalid-sct", "invalid-sct"]);
  });

  it("chooses among periods of one key", async () => {
    const leaf = await leafWith([await sct()]);
    const by = await issuer(), [log] = await trusted();
    const periods = [{ start: END }, { start: START, end: END }];
    equal(
      await reasonOf(() => verifyScts(leaf, by, periods.map((validFor) => ({ ...log, validFor })))),
      "ok",
    );
  });
});

/** The list of a good leaf, for changes by hand. */
async function list(): Promise<Bytes> {
  return (await leafWith([await sct({ extensions: leafIndexExtension(1) })])).sctList!.slice();
}

describe("parseSctList()", () => {
  it("reads the fields of an SCT", async () => {
    const [one, ...more] = parseSctList(await list());
    equal(more.length, 0);
    equal(one.timestamp.getTime(), LEAF_START.getTime());
    equal(one.algorithm, 0x0403);
    equal(one.extensions.length, 8);
  });

  const changes: Record<string, (bytes: Bytes) => Bytes> = {
    "nothing": () => new Uint8Array(),
    "one byte": () => Uint8Array.of(0),
    "a list that is too short": (bytes) => bytes.subarray(0, -1),
    "bytes after the list": (bytes) => concat(bytes, Uint8Array.of(0)),
    "a length of the list that is too small": (bytes) => (bytes[1]--, bytes),
    "a length of the SCT that is too large": (bytes) => (bytes[3]++, bytes),
    "a length of the SCT that is too small": (bytes) => (bytes[3]--, bytes),
    "version 2": (bytes) => (bytes[4] = 1, bytes),
    "extensions that are too long": (bytes) => (bytes[45] = 0xff, bytes),
    "a length of the signature that is too small": (bytes) => (bytes[58]--, bytes),
    "a length of the signature that is too large": (bytes) => (bytes[58]++, bytes),
    "a time that is cut": (bytes) => concat(Uint8Array.of(0, 39, 0, 37), bytes.slice(4, 41)),
  };
  for (const [what, change] of Object.entries(changes)) {
    it(`refuses ${what}`, async () => {
      const bytes = change(await list());
      equal(await reasonOf(() => parseSctList(bytes)), "invalid-sct");
    });
  }

  it("reads 32 SCTs and refuses 33", async () => {
    const one = (await list()).subarray(2);
    const listOf = (count: number) => {
      const all = concat(...Array<Bytes>(count).fill(one));
      return concat(Uint8Array.of(all.length >> 8, all.length), all);
    };
    equal(parseSctList(listOf(32)).length, 32);
    equal(await reasonOf(() => parseSctList(listOf(33))), "invalid-sct");
  });

  it("reads a timestamp that is no date as one that is never valid", async () => {
    const bytes = await list();
    bytes.fill(0xff, 37, 45);
    const [one] = parseSctList(bytes);
    equal(Number.isNaN(one.timestamp.getTime()), true);
    const leaf = { ...await leafWith([]), sctList: bytes };
    const by = await issuer(), logs = await trusted();
    equal(await reasonOf(() => verifyScts(leaf, by, logs)), "invalid-sct");
  });

  it("refuses an algorithm other than the log's", async () => {
    for (const [hash, kind] of [[4, 1], [2, 3], [5, 3], [0, 0], [8, 7]]) {
      const bytes = await list();
      equal(bytes[55] * 256 + bytes[56], 0x0403);
      bytes[55] = hash;
      bytes[56] = kind;
      const leaf = { ...await leafWith([]), sctList: bytes };
      const by = await issuer(), logs = await trusted();
      equal(await reasonOf(() => verifyScts(leaf, by, logs)), "invalid-sct", `${hash} ${kind}`);
    }
  });
});
