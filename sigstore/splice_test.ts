import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64, encodeBase64 } from "../internal/base64.ts";
import type { Json, JsonObject } from "../internal/json.ts";
import {
  BLOB,
  bundleOf,
  edited,
  ENVELOPE,
  IDENTITY,
  rootOf,
  SIGNED_ARTIFACT,
  valueAt,
} from "../tests/fixtures/sigstore.ts";
import { logged, type Recipe, rekor, rekor2, stamped } from "../tools/pki/instance.ts";
import { intotoBody } from "../tools/pki/rekor_v1.ts";
import { type SigstoreResult, verifySigstoreBundle } from "./verify.ts";

const MATERIAL = "/verificationMaterial";
const ENTRY = `${MATERIAL}/tlogEntries/0`;

/** Parts of a bundle that are good where they are, and nowhere else. */
const PARTS: readonly (readonly string[])[] = [
  [ENTRY],
  [`${ENTRY}/inclusionPromise`],
  [`${ENTRY}/inclusionPromise`, `${ENTRY}/integratedTime`, `${ENTRY}/logIndex`],
  [`${ENTRY}/inclusionProof`],
  [`${ENTRY}/inclusionProof/hashes`],
  [`${ENTRY}/inclusionProof/checkpoint`],
  [`${ENTRY}/inclusionProof/checkpoint`, `${ENTRY}/inclusionProof/rootHash`],
  [`${ENTRY}/canonicalizedBody`],
  [`${ENTRY}/canonicalizedBody`, `${ENTRY}/kindVersion`],
  [`${ENTRY}/logId`],
  [`${MATERIAL}/timestampVerificationData`],
  [`${MATERIAL}/certificate`],
  ["/dsseEnvelope/signatures"],
  ["/dsseEnvelope/payload"],
  ["/dsseEnvelope/payloadType"],
  ["/messageSignature/signature"],
  ["/messageSignature/messageDigest"],
  ["/dsseEnvelope", "/messageSignature"],
];

const RECIPES: Record<string, Recipe> = {
  "rekor 1, blob": { ...BLOB },
  "rekor 1, blob, stamp": { ...BLOB, key: "leaf-other", timestamps: stamped() },
  "rekor 1, envelope": { ...ENVELOPE },
  "rekor 1, envelope of another type": {
    content: { payload: new TextEncoder().encode("{}"), payloadType: "text/plain" },
    timestamps: stamped(),
  },
  "rekor 1, intoto, P-384": {
    ...ENVELOPE,
    key: "leaf-p384",
    entries: async (made) => [
      await logged(made, { body: intotoBody(made.envelope!, made.verifier), index: 2 }),
    ],
  },
  "rekor 1, second log, serial": {
    ...ENVELOPE,
    leaf: { serial: 101 },
    entries: async (made) => [await logged(made, { log: made.instance.secondRekor, index: 1 })],
  },
  "rekor 2, blob": { ...BLOB, entries: rekor2(), timestamps: stamped() },
  "rekor 2, envelope": { ...ENVELOPE, entries: rekor2({ index: 3 }), timestamps: stamped() },
  "rekor 2, envelope, other key": {
    ...ENVELOPE,
    key: "leaf-other",
    entries: rekor2({ size: 9 }),
    timestamps: stamped({ embed: false }),
  },
  "rekor 1, promise and stamp": { ...ENVELOPE, entries: rekor, timestamps: stamped() },
};

async function verify(json: JsonObject): Promise<SigstoreResult> {
  const trust = { trustedRoots: [await rootOf()], identity: IDENTITY };
  return await verifySigstoreBundle(json, trust, SIGNED_ARTIFACT);
}

describe("two good bundles", () => {
  it("give no third one when their parts are exchanged", async () => {
    const made = await Promise.all(
      // Certificates of their own: over one certificate and content a deterministic signature
      // is the same, and then an entry is about both.
      Object.entries(RECIPES).map(async ([name, recipe], i) =>
        [name, await bundleOf({ ...recipe, leaf: { serial: 500 + i } })] as const
      ),
    );
    for (const [name, json] of made) equal((await verify(json)).errorReason, null, name);
    const reasons = new Map<string, number>();
    const accepted: string[] = [];
    let count = 0;
    for (const [into, json] of made) {
      for (const [from, other] of made) {
        if (into === from) continue;
        for (const pointers of PARTS) {
          if (pointers.every((at) => valueAt(json, at) === undefined)) continue;
          let spliced = json;
          for (const at of pointers) spliced = edited(spliced, at, valueAt(other, at));
          const text = JSON.stringify(spliced);
          if (text === JSON.stringify(json)) continue;
          count++;
          const { errorReason } = await verify(spliced);
          if (errorReason === null) accepted.push(`${into} < ${from}: ${pointers.join(" ")}`);
          else reasons.set(errorReason, (reasons.get(errorReason) ?? 0) + 1);
        }
      }
    }
    console.log(`${count} splices:`, Object.fromEntries([...reasons].sort()));
    // A promise, a stamp, or the digest that is a hint may be absent: that is another good
    // bundle. (Without a promise, v1 proves no global index.) Nothing else may be taken over.
    const wrong = accepted.filter((one) => {
      const [into, from, first] = one.split(/ < |: | \//);
      const other = made.find(([name]) => name === from)?.[1];
      const optional = /\/(timestampVerificationData|inclusionPromise|messageDigest)$/.test(first);
      return !optional || valueAt(other!, first) !== undefined || into === from;
    });
    deepEqual(wrong, []);
    ok(reasons.size >= 10, "for many reasons");
    ok(count > 800);
  });
});

/**
 * Bits from one flip to the next: 1 flips all and takes minutes; an odd number comes by
 * each place of an octet. All have been flipped when this test was written.
 */
const STEP = 37;

/** Base64 fields of a document, by pointer. */
function* bytesOf(value: Json, pointer = ""): Iterable<string> {
  if (typeof value === "string") {
    if (
      /\/(rawBytes|sig|signature|signedEntryTimestamp|canonicalizedBody|rootHash|keyId|payload|digest|signedTimestamp|hashes\/\d+)$/
        .test(pointer)
    ) {
      yield pointer;
    }
  } else if (typeof value === "object" && value !== null) {
    for (const [name, member] of Object.entries(value)) {
      yield* bytesOf(member as Json, `${pointer}/${name}`);
    }
  }
}

/** Where a flipped bit does not matter, and why. */
const HARMLESS: Record<string, string> = {
  // CMS repeats outside of the signature what SignerInfo says, and carries a certificate that
  // the trusted root has as well.
  signedTimestamp: "unsigned fields of CMS: version, digest algorithms, embedded certificate",
};

for (
  const [name, recipe] of Object.entries(
    {
      "Rekor v1, blob": { ...BLOB, timestamps: stamped({ embed: false }) },
      "Rekor v2, envelope": {
        ...ENVELOPE,
        entries: rekor2(),
        timestamps: stamped({ embed: false }),
      },
    } satisfies Record<string, Recipe>,
  )
) {
  describe(`each bit of a bundle (${name})`, () => {
    it("is checked, or in the list of harmless places", async () => {
      const json = await bundleOf(recipe);
      // Without the threshold a stamp that names an unknown authority would be ignored.
      const thresholds = { timestampAuthority: 1 };
      const trust = { trustedRoots: [await rootOf()], identity: IDENTITY, thresholds };
      const good = await verifySigstoreBundle(json, trust, SIGNED_ARTIFACT);
      ok(good.ok);
      const accepted = new Map<string, number>();
      const reasons = new Map<string, number>();
      let flips = 0;
      for (const pointer of bytesOf(json)) {
        const bytes = decodeBase64(String(valueAt(json, pointer)));
        for (let bit = 0; bit < bytes.length * 8; bit += STEP) {
          bytes[bit >> 3] ^= 1 << (bit & 7);
          const flipped = edited(json, pointer, encodeBase64(bytes));
          bytes[bit >> 3] ^= 1 << (bit & 7);
          flips++;
          const result = await verifySigstoreBundle(flipped, trust, SIGNED_ARTIFACT);
          if (!result.ok) {
            reasons.set(result.errorReason, (reasons.get(result.errorReason) ?? 0) + 1);
            equal(result.errorReason === "internal-error", false, `${pointer} bit ${bit}`);
            continue;
          }
          const field = pointer.slice(pointer.lastIndexOf("/") + 1);
          accepted.set(field, (accepted.get(field) ?? 0) + 1);
          // What was established stays the same.
          deepEqual(result.identity, good.identity);
          deepEqual(result.envelope, good.envelope);
        }
      }
      await checkCheckpoint(json, trust);
      console.log(
        `${flips} flips:`,
        Object.fromEntries([...reasons].sort()),
        Object.fromEntries(accepted),
      );
      deepEqual([...accepted.keys()].filter((field) => !Object.hasOwn(HARMLESS, field)), []);
      ok((accepted.get("signedTimestamp") ?? 0) <= 160, "a few octets of CMS");
    });
  });
}

async function checkCheckpoint(
  json: JsonObject,
  trust: Parameters<typeof verifySigstoreBundle>[1],
): Promise<void> {
  const pointer = `${ENTRY}/inclusionProof/checkpoint/envelope`;
  const bytes = new TextEncoder().encode(String(valueAt(json, pointer)));
  for (let bit = 0; bit < bytes.length * 8; bit += STEP) {
    const copy = bytes.slice();
    copy[bit >> 3] ^= 1 << (bit & 7);
    const flipped = edited(json, pointer, new TextDecoder().decode(copy));
    const result = await verifySigstoreBundle(flipped, trust, SIGNED_ARTIFACT);
    equal(result.ok, false, `checkpoint bit ${bit}`);
  }
}
