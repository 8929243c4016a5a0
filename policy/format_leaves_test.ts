import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { describe, it } from "node:test";
import { attestation, checkOf, checksOf, signer } from "./_fixtures_test.ts";
import type { EnvelopeRule } from "./document.ts";
import type { EvidenceAttestation } from "./evidence.ts";

const alice = await signer("alice");
const about = (more: Partial<EvidenceAttestation>) => attestation([alice], {}, more);
const check = (name: string, envelope: EnvelopeRule, more: Partial<EvidenceAttestation>) =>
  checkOf(name, { envelope }, about(more));
const layer = "envelope";

describe("envelope.format", () => {
  const id = "envelope.format";
  const unsigned = { format: "cosign-signature", messageTypeAuthenticated: false } as const;

  it("is any that signs the type of its message, unless the rule names some", async () => {
    for (const more of [{}, { ...unsigned, messageTypeAuthenticated: true }]) {
      const ids = (await checksOf({}, about(more))).map((found) => found.id);
      deepEqual(ids, ["envelope.signed-by"]);
    }
    deepEqual(await checkOf(id, {}, about(unsigned)), {
      id,
      layer,
      outcome: "failed",
      reason: "format-not-accepted",
      message:
        'Cannot accept envelope: its format, "cosign-signature", does not sign the message\'s type',
      actual: "cosign-signature",
      remedy: "Name the format in formats, if that is what you mean",
    });
  });

  it("is one of those that the rule names", async () => {
    const formats = ["sigstore-bundle", "cosign-signature"] as const;
    const expected = '"sigstore-bundle" or "cosign-signature"';
    for (const more of [unsigned, { format: "sigstore-bundle" }] as const) {
      deepEqual(await check(id, { formats }, more), {
        id,
        layer,
        outcome: "passed",
        message: "The format is accepted",
        expected,
        actual: more.format,
      });
    }
    deepEqual(await check(id, { formats }, { format: "dsse" }), {
      id,
      layer,
      outcome: "failed",
      reason: "format-not-accepted",
      message: `Cannot accept envelope: its format is "dsse", wanted ${expected}`,
      expected,
      actual: "dsse",
      remedy: "Store the attestation in that format",
    });
  });
});

describe("envelope.coverage", () => {
  const id = "envelope.coverage";

  it("is the message where the format says nothing, and the artifact where that is signed", async () => {
    const rows: [Partial<EvidenceAttestation>, "message" | "whole-artifact"][] = [
      [{}, "message"],
      [{ implicit: true }, "whole-artifact"],
      [{ coverage: "message" }, "message"],
      [{ coverage: "whole-artifact" }, "whole-artifact"],
      [{ coverage: "message", implicit: true }, "message"],
    ];
    for (const [more, actual] of rows) {
      for (const wanted of ["message", "whole-artifact"] as const) {
        const expected = `"${wanted}"`;
        const found = await check(id, { coverage: [wanted] }, more);
        deepEqual(
          found,
          wanted === actual
            ? {
              id,
              layer,
              outcome: "passed",
              message: "The signatures cover enough",
              expected,
              actual,
            }
            : {
              id,
              layer,
              outcome: "failed",
              reason: "coverage-not-accepted",
              message:
                `Cannot accept envelope: its signatures cover "${actual}", wanted ${expected}`,
              expected,
              actual,
              remedy: "Sign more of the artifact",
            },
        );
      }
    }
  });
});

describe("envelope.message-type", () => {
  const id = "envelope.message-type";

  it("is signed in DSSE, and where the format says so", async () => {
    const rows: [Partial<EvidenceAttestation>, boolean][] = [
      [{}, true],
      [{ implicit: true }, false],
      [{ messageTypeAuthenticated: true }, true],
      [{ messageTypeAuthenticated: false }, false],
      [{ messageTypeAuthenticated: true, implicit: true }, true],
    ];
    for (const [more, signed] of rows) {
      // A format that is named by the rule may leave its type unsigned: that is asked here.
      const rule = { formats: ["dsse"], signedMessageType: true } as const;
      deepEqual(
        await check(id, rule, more),
        signed
          ? {
            id,
            layer,
            outcome: "passed",
            message: "The type of the message is signed",
            expected: "signed",
            actual: "signed",
          }
          : {
            id,
            layer,
            outcome: "failed",
            reason: "message-type-not-signed",
            message: "Cannot accept envelope: nobody signed how its message is to be read",
            expected: "signed",
            actual: "not signed",
            remedy: "Use a format that signs the type of its message",
          },
      );
    }
  });
});
