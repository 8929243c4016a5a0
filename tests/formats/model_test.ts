/** The model's requirements, tried on every envelope of the registry. */

import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { FORMATS, parseFormat, VERIFIED_FORMATS, verifyFormat } from "../../formats/mod.ts";
import { decodeMessage } from "../../formats/statement.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 as sha256Of } from "../../internal/sha256.ts";
import { FACTS } from "../../tools/formats/facts.ts";
import { ATTACHED_MAKERS } from "./attached_makers.ts";
import { MAKERS } from "./makers.ts";
import { survey } from "./survey.ts";

const SURVEY = survey();

/** The values that a schema lists below each description. */
function enumsOf(schema: string, ...descriptions: string[]): string[][] {
  const path = new URL(`../../docs/schema/${schema}.schema.json`, import.meta.url);
  const text = readFileSync(path, "utf8");
  return descriptions.map((description) => {
    const [, list] = /"enum": (\[[^\]]*\])/.exec(text.slice(text.indexOf(description))) ?? [];
    return JSON.parse(list ?? "[]");
  });
}

/** Formats that are no envelope of a message of their own. */
const NO_MAKER: Readonly<Record<string, string>> = {
  "rpm": "it signs sections of its artifact: formats/openpgp/rpm_format_test.ts",
  "tlog-proof": "its leaf lies outside of it: formats/signed_note_test.ts",
};

/** Formats that are read without the registry. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  "cosign-signature": "a layer of an image: verify/cosign_test.ts",
};

describe("the model's requirements", () => {
  it("have a row for every format that a policy can name, and for no other", () => {
    const rows = [MAKERS, ATTACHED_MAKERS, NO_MAKER, ELSEWHERE].flatMap((made) =>
      Object.keys(made)
    );
    deepEqual(rows.sort(), [...VERIFIED_FORMATS].sort());
  });

  it("speak of the formats that the schemas of reports and policies name", () => {
    const ids = FORMATS.map(({ id }) => id);
    const [read, signed] = [...enumsOf("verification-report", "What it was read as", "The format")];
    deepEqual(ids.filter((id) => !read.includes(id)), []);
    deepEqual([...VERIFIED_FORMATS].filter((id) => !signed.includes(id)), []);
    const [accepted] = enumsOf("policy", "Accepted formats; default any that signs the type");
    deepEqual([...accepted].sort(), ["sigstore-bundle", ...VERIFIED_FORMATS].sort());
  });

  it("are tried on every format whose signatures are verified", () => {
    const verified = FORMATS.filter(({ support }) => support === "verified").map(({ id }) => id);
    deepEqual(
      verified.sort(),
      [MAKERS, ATTACHED_MAKERS, NO_MAKER].flatMap((made) => Object.keys(made)).sort(),
    );
    // Heavy formats have a test beside their entry.
    for (const { id } of FORMATS) ok(FACTS[id] !== undefined, id);
  });

  for (const [format, maker] of Object.entries(MAKERS)) {
    const made = async () => {
      const one = await maker.make(maker.message);
      ok(one !== undefined);
      return one;
    };

    it(`${format}: a signature over an authenticated message`, async () => {
      const { source, trust } = await made();
      const result = await verifyFormat(source, trust);
      ok(result.ok);
      ok(result.envelope.message !== undefined && result.signers.length === 1);
      // A message that nobody trusted signed is none.
      const other = await verifyFormat(source, {
        ...trust,
        keys: [],
        certificates: undefined,
        tufRoots: undefined,
        openpgp: undefined,
      });
      equal(other.ok, false);
    });

    it(`${format}: no byte of it can be changed and something else be said`, async () => {
      const { source, trust } = await made();
      const bytes = typeof source === "string" ? utf8(source) : source;
      const whole = await verifyFormat(bytes, trust);
      ok(whole.ok);
      let accepted = 0;
      let tried = 0;
      const step = Math.ceil(bytes.length / 600);
      for (let at = 0; at < bytes.length; at += step) {
        tried++;
        const changed = bytes.slice();
        changed[at] ^= 1;
        const result = await verifyFormat(changed, trust);
        if (!result.ok) continue;
        accepted++;
        deepEqual(result.envelope.message, whole.envelope.message, `byte ${at}`);
        deepEqual(result.signers.map(({ name }) => name), whole.signers.map(({ name }) => name));
        deepEqual(result.envelope.messageType, whole.envelope.messageType);
      }
      // What may change is a hint, a comment, or a root that the trust store has anyway.
      ok(accepted < tried / 4, `${accepted} of ${tried}`);
    });

    it(`${format}: the type of the message is signed, or said not to be`, async () => {
      const { source, trust } = await made();
      const result = await verifyFormat(source, trust);
      ok(result.ok);
      const isSigned = result.envelope.messageType?.authenticated === true;
      equal(isSigned, maker.retype !== undefined);
      equal(isSigned, FACTS[format]?.typeSigned);
      if (maker.retype !== undefined) {
        const retyped = maker.retype(source);
        ok(retyped !== source);
        equal((await verifyFormat(retyped, trust)).ok, false);
      } else if ("statement" in result.statement) {
        ok(result.statement.implicit.includes("messageType"));
      }
    });

    it(`${format}: subjects are immutable, or it says that it has none`, async () => {
      const { source, trust } = await made();
      const result = await verifyFormat(source, trust);
      ok(result.ok);
      const hasSubjects = FACTS[format]?.statement !== "none";
      equal("statement" in result.statement, hasSubjects);
      if (!("statement" in result.statement)) return;
      const { subject } = result.statement.statement;
      ok(subject.length > 0);
      for (const { digest } of subject) ok(Object.keys(digest ?? {}).length > 0);
    });

    it(`${format}: each layer is read without those above it`, async () => {
      const { source } = await made();
      const parsed = await parseFormat(source);
      equal(parsed.format, format);
      ok(parsed.signatures.length > 0);
      if (FACTS[format]?.statement === "none") return;
      const message = parsed.message ?? utf8(maker.message);
      const type = parsed.messageType === undefined
        ? undefined
        : { value: parsed.messageType, authenticated: false };
      ok(decodeMessage(message, parsed.format, type).statement.subject.length > 0);
    });

    it(`${format}: what is measured is what is written`, async () => {
      const found = (await SURVEY).find((one) => one.format === format);
      const facts = FACTS[format];
      ok(found !== undefined && facts !== undefined);
      equal(found.severalDigests, facts.severalDigests);
      equal(found.materials, facts.materials);
      ok(found.algorithms.length > 0);
    });
  }

  for (const [format, make] of Object.entries(ATTACHED_MAKERS)) {
    it(`${format}: what is signed, and what is not, of the file that it lies in`, async () => {
      const { source, trust } = await make();
      const bytes = source as Uint8Array;
      const result = await verifyFormat(bytes, trust);
      ok(result.ok && "statement" in result.statement);
      const { envelope, statement } = result;
      ok(envelope.message !== undefined && result.signers.length === 1);
      equal(envelope.messageType?.authenticated === true, FACTS[format]?.typeSigned);
      const { subject } = statement.statement;
      const sha256 = encodeHex(sha256Of(bytes));
      deepEqual(subject, [{ digest: { sha256 } }]);
      ok(statement.implicit.includes("subject"));
      ok(envelope.coverage !== "message");
      // The ranges are in order, and inside of the file.
      let last = 0;
      for (const { start, end } of envelope.uncovered ?? []) {
        ok(start >= last && end > start && end <= bytes.length);
        last = end;
      }
      const other = await verifyFormat(bytes, { now: trust.now });
      equal(other.ok, false);
    });

    it(`${format}: no byte that is covered can be changed`, async () => {
      const { source, trust } = await make();
      const bytes = source as Uint8Array;
      const whole = await verifyFormat(bytes, trust);
      ok(whole.ok);
      const { uncovered = [], message } = whole.envelope;
      const step = Math.ceil(bytes.length / 300);
      for (let at = 0; at < bytes.length; at += step) {
        const changed = bytes.slice();
        changed[at] ^= 1;
        const result = await verifyFormat(changed, trust);
        const isCovered = !uncovered.some(({ start, end }) => at >= start && at < end);
        if (isCovered) equal(result.ok, false, `byte ${at}`);
        else if (result.ok) deepEqual(result.envelope.message, message, `byte ${at}`);
      }
    });

    it(`${format}: is read without being verified`, async () => {
      const parsed = await parseFormat((await make()).source);
      equal(parsed.format, format);
      ok(parsed.signatures.length > 0);
    });
  }
});
