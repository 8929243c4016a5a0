import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64 } from "../../internal/base64.ts";
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { verdict } from "../_fixtures_test.ts";
import { type FormatTrust, parseFormat, verifyFormat } from "../mod.ts";
import {
  makeKey,
  NOW,
  publicKey,
  rpmHeader,
  rpmOf,
  type RpmValue,
  signaturePacket,
  uint,
} from "./_fixtures_test.ts";
import { createOpenPgpKeyring } from "./mod.ts";

const PAYLOAD = utf8("the payload");
const key = await makeKey();
const stranger = await makeKey();
const trust: FormatTrust = {
  openpgp: await createOpenPgpKeyring(await publicKey(key)),
  now: NOW,
};

type Values = readonly (readonly [number, RpmValue])[];

const HEADER: Values = [
  [1000, "app"],
  [1001, "1.2"],
  [1002, "3"],
  [1022, "noarch"],
  [1044, "app-1.2-3.src.rpm"],
  [5092, [encodeHex(sha256(PAYLOAD))]],
  [5093, 8],
];

function replaced(tag: number, value?: RpmValue): Values {
  return HEADER.flatMap((one) =>
    one[0] !== tag ? [one] : value === undefined ? [] : [[tag, value] as const]
  );
}

/** A package: its header, and what the signature header says of it. */
async function made(
  { values = HEADER, payload = PAYLOAD, stated }: {
    values?: Values;
    payload?: Uint8Array;
    stated?: (header: Bytes) => Promise<Values> | Values;
  } = {},
): Promise<Bytes> {
  const header = rpmHeader(63, values);
  const own = await stated?.(header) ?? [
    [267, await signaturePacket(key, header)],
    [273, encodeHex(sha256(header))],
    [1000, header.length + payload.length],
  ] as Values;
  return rpmOf(rpmHeader(62, own), header, payload);
}

describe("verifyFormat() of RPM packages", () => {
  it("verifies the header's signature and the payload's digest, and says what is not covered", async () => {
    const bytes = await made();
    const result = await verifyFormat(bytes, trust);
    ok(result.ok && "statement" in result.statement, JSON.stringify(result));
    const { statement, implicit } = result.statement;
    deepEqual(statement.subject, [
      { name: "app-1.2-3.noarch.rpm", digest: { sha256: encodeHex(sha256(bytes)) } },
    ]);
    equal(statement.predicateType, "rpm-package");
    deepEqual(JSON.parse(JSON.stringify(statement.predicate)), {
      name: "app",
      version: "1.2",
      release: "3",
      arch: "noarch",
      payload: { digest: { sha256: encodeHex(sha256(PAYLOAD)) } },
      sourceRpm: "app-1.2-3.src.rpm",
    });
    deepEqual(implicit, ["subject", "messageType", "predicateType"]);
    equal(result.envelope.coverage, "artifact-sections");
    const { message, uncovered = [] } = result.envelope;
    deepEqual(uncovered.map(({ what }) => what), ["lead", "signature header"]);
    equal(uncovered[0].start, 0);
    equal(uncovered[0].end, uncovered[1].start);
    const header = rpmHeader(63, HEADER);
    deepEqual(message, header);
    deepEqual(bytes.slice(uncovered[1].end), concat(header, PAYLOAD));
  });

  it("takes signatures of all tags that are over the header", async () => {
    const of = async (tag: number) =>
      await verdict(
        await made({
          stated: async (header) => {
            const packet = await signaturePacket(key, header);
            return [[tag, tag === 278 ? [encodeBase64(packet)] : packet]];
          },
        }),
        trust,
      );
    for (const tag of [267, 268, 278]) equal(await of(tag), "ok");
    for (const tag of [1002, 1005, 1004]) equal(await of(tag), "missing-signatures");
    const both = await made({
      stated: async (header) => [
        [267, await signaturePacket(stranger, header)],
        [278, [encodeBase64(await signaturePacket(key, header))]],
      ],
    });
    const result = await verifyFormat(both, trust);
    ok(result.ok);
    deepEqual(
      result.envelope.signers.map((one) => one.ok ? "ok" : one.error.reason),
      ["missing-trusted-key", "ok"],
    );
    const many = async (tag: number, count: number) =>
      await verdict(
        await made({
          stated: async (header) => {
            const packet = await signaturePacket(key, header);
            const own: Values = [[268, concat(...Array.from({ length: 32 }, () => packet))]];
            return tag === 278
              ? [...own, [278, Array.from({ length: count }, () => encodeBase64(packet))]]
              : [[267, concat(...Array.from({ length: count }, () => packet))], ...own];
          },
        }),
        trust,
      );
    for (const tag of [267, 278]) {
      equal(await many(tag, 32), "ok");
      equal(await many(tag, 33), "limit-exceeded");
      equal(await many(tag, 65), "limit-exceeded");
    }
    // Too many are counted before one is read.
    const texts = await made({ stated: () => [[278, Array.from({ length: 65 }, () => "?")]] });
    equal(await verdict(texts, trust), "limit-exceeded");
    // As text the header would be another with the same signature.
    const asText = await made({
      stated: async (header) => {
        const latin1 = new TextDecoder("latin1").decode(header).replace(/\r?\n/g, "\r\n");
        const canonical = Uint8Array.from(latin1, (one) => one.charCodeAt(0));
        return [[267, await signaturePacket(key, canonical, { type: 1 })]];
      },
    });
    equal(await verdict(asText, trust), "unsupported-signature-type");
    const foreign = await made({
      stated: async (header) => [[267, await signaturePacket(stranger, header)]],
    });
    equal(await verdict(foreign, trust), "missing-trusted-key");
  });

  it("takes nothing from the lead, and refuses what is altered elsewhere", async () => {
    const bytes = await made();
    const whole = await verifyFormat(bytes, trust);
    ok(whole.ok && "statement" in whole.statement);
    const header = rpmHeader(63, HEADER);
    const start = bytes.length - PAYLOAD.length - header.length;
    const outcomes = { lead: 0, stated: 0, header: 0, payload: 0 };
    for (let at = 4; at < bytes.length; at++) {
      const changed = bytes.slice();
      changed[at] ^= 1;
      const result = await verifyFormat(changed, trust);
      if (!result.ok) continue;
      ok("statement" in result.statement);
      // The subject is the file as it is, everything else is what was signed.
      equal(result.statement.statement.subject[0].digest?.sha256, encodeHex(sha256(changed)));
      deepEqual(result.statement.statement.predicate, whole.statement.statement.predicate);
      const where = at < 96
        ? "lead"
        : at < start
        ? "stated"
        : at < start + header.length
        ? "header"
        : "payload";
      outcomes[where]++;
    }
    equal(outcomes.lead, 92);
    equal(outcomes.header + outcomes.payload, 0);
    // Padding, and nothing that is read.
    ok(outcomes.stated < 24, String(outcomes.stated));
    equal(await verdict(concat(bytes, uint(0, 1)), trust), "malformed-envelope");
    equal(await verdict(bytes.subarray(0, -1), trust), "malformed-envelope");
  });

  it("refuses a payload that is another, or whose digest nobody signed", async () => {
    const header = rpmHeader(63, HEADER);
    const signature = await signaturePacket(key, header);
    const other = rpmOf(rpmHeader(62, [[267, signature]]), header, utf8("the pay-load"));
    equal(await verdict(other, trust), "content-digest-mismatch");
    const cases: [Values, string][] = [
      [replaced(5092), "missing-subject-digest"],
      [replaced(5093), "missing-subject-digest"],
      [replaced(5093, 2), "weak-hash"],
      [replaced(5093, 1), "weak-hash"],
      [replaced(5093, 11), "unsupported-algorithm"],
      [replaced(5093, 10), "content-digest-mismatch"],
      [replaced(5092, ["a", "b"]), "malformed-envelope"],
      [replaced(5092, 1), "malformed-envelope"],
      [replaced(1000), "malformed-envelope"],
      [replaced(1000, "../app"), "malformed-envelope"],
      [replaced(1001, ["1", "2"]), "malformed-envelope"],
      [replaced(1001, 1), "malformed-envelope"],
      [replaced(1044, utf8("x")), "malformed-envelope"],
      [replaced(5092, utf8(encodeHex(sha256(PAYLOAD)))), "malformed-envelope"],
      [replaced(5092, encodeHex(sha256(PAYLOAD))), "ok"],
      [replaced(5093, "8"), "malformed-envelope"],
    ];
    for (const [values, reason] of cases) {
      equal(await verdict(await made({ values }), trust), reason);
    }
  });

  it("believes no size and no digest of the signature header, and refuses false ones", async () => {
    const stated = (tag: number, value: RpmValue) =>
      made({
        stated: async (header) => [[267, await signaturePacket(key, header)], [tag, value]],
      });
    equal(await verdict(await stated(1000, 5), trust), "malformed-envelope");
    equal(await verdict(await stated(270, 5), trust), "malformed-envelope");
    const size = (header: Bytes) => header.length + PAYLOAD.length;
    const both = async (long: number, short: number) =>
      await verdict(
        await made({
          stated: async (header) => [
            [267, await signaturePacket(key, header)],
            [270, size(header) + long],
            [1000, size(header) + short],
          ],
        }),
        trust,
      );
    equal(await both(0, 0), "ok");
    equal(await both(0, 1), "malformed-envelope");
    equal(await both(1, 0), "malformed-envelope");
    equal(await verdict(await stated(273, "a".repeat(64)), trust), "content-mismatch");
    equal(await verdict(await stated(5092, ["a".repeat(64)]), trust), "ok");
    equal(await verdict(await stated(1007, 1), trust), "ok");
  });

  it("refuses headers that can be read in two ways", async () => {
    const twice = await made({ values: [...HEADER, [1000, "evil"]] });
    equal(await verdict(twice, trust), "malformed-envelope");
    const bytes = await made();
    const at = bytes.length - PAYLOAD.length - rpmHeader(63, HEADER).length;
    const changes: [number, Uint8Array][] = [
      // Magic, reserved, count and size of the header; its region and the trailer of that.
      [at, uint(0, 1)],
      [at + 4, uint(1, 4)],
      [at + 8, uint(0, 4)],
      [at + 8, uint(7, 4)],
      [at + 12, uint(1, 4)],
      [at + 16, uint(61, 4)],
      [at + 24, uint(0, 4)],
      [at + 28, uint(8, 4)],
      // Type, offset and count of the first entry.
      [at + 36, uint(10, 4)],
      [at + 36, uint(0, 4)],
      [at + 40, uint(2 ** 31, 4)],
      [at + 44, uint(2, 4)],
      [at + 44, uint(0, 4)],
      [bytes.length - PAYLOAD.length - 8, uint(0, 4)],
    ];
    for (const [offset, value] of changes) {
      const changed = bytes.slice();
      changed.set(value, offset);
      equal(await verdict(changed, trust), "malformed-envelope", String(offset - at));
    }
    // Signed as it is: values of one entry that are those of another, or of the trailer.
    const signed = async (change: (header: Bytes) => void) => {
      const header = rpmHeader(63, HEADER);
      change(header);
      const signature = await signaturePacket(key, header);
      return await verdict(rpmOf(rpmHeader(62, [[267, signature]]), header, PAYLOAD), trust);
    };
    const offset = (index: number) => 16 + 16 * (index + 1) + 8;
    const end = 16 * (HEADER.length + 2);
    equal(await signed(() => {}), "ok");
    equal(await signed((header) => header.set(uint(0, 4), offset(1))), "malformed-envelope");
    const last = HEADER.length - 1;
    const trailer = rpmHeader(63, HEADER).length - end - 16;
    const inTrailer = (header: Bytes) => header.set(uint(trailer + 12, 4), offset(last));
    equal(await signed(inTrailer), "malformed-envelope");
    // Type, offset and count of the number, of the source's name, and of the digest.
    const number = 6, source = 4, digests = 5;
    const type = (index: number) => offset(index) - 4, count = (index: number) => offset(index) + 4;
    const at0 = new DataView(rpmHeader(63, HEADER).buffer).getUint32(offset(number));
    const changed: [number, number][] = [
      [offset(number), at0 - 1],
      [offset(number), 2 ** 31],
      [count(number), 2],
      [type(source), 0],
      [type(source), 10],
      [count(source), 0],
      [count(source), 2],
      [count(digests), 999],
      [count(digests), 2],
    ];
    for (const [where, value] of changed) {
      const reason = await signed((header) => header.set(uint(value, 4), where));
      equal(reason, "malformed-envelope", `${where}: ${value}`);
    }
    const cut = (header: Bytes) => {
      header.set(uint(7, 4), type(source));
      header.set(uint(1 << 20, 4), count(source));
    };
    equal(await signed(cut), "malformed-envelope");
    const binary = await made({ stated: () => [[267, "text"]] });
    equal(await verdict(binary, trust), "malformed-envelope");
    const store = bytes.slice();
    store.set(uint((64 << 20) + 1, 4), at + 12);
    equal(await verdict(store, trust), "limit-exceeded");
    store.set(uint(64 << 20, 4), at + 12);
    equal(await verdict(store, trust), "malformed-envelope");
    const large = bytes.slice();
    large.set(uint(65_536, 4), at + 8);
    equal(await verdict(large, trust), "limit-exceeded");
    equal(await verdict(bytes.subarray(0, 96), trust), "malformed-envelope");
    equal(await verdict(bytes.subarray(0, 50), trust), "malformed-envelope");
  });

  it("shows the name and the signatures, and nothing of what is not signed", async () => {
    const parsed = await parseFormat(await made());
    equal(parsed.facts.package, "app-1.2-3.noarch.rpm");
    equal(parsed.signatures[0].algorithm, "EdDSA over SHA256");
  });
});
