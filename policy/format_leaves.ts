import type { Coverage } from "../formats/format.ts";
import { quote } from "../internal/json.ts";
import type { EnvelopeRule } from "./document.ts";
import type { EvidenceAttestation } from "./evidence.ts";
import { type AddLeaf, anyOf, failed, passed } from "./finding.ts";

/** What is asked of the form of the envelope: which format, and what its signatures cover. */
export function formatLeaves(
  { formats, coverage, signedMessageType }: EnvelopeRule,
  add: AddLeaf,
): void {
  if (formats === undefined) {
    add(
      "envelope.format",
      (leaf, { format, messageTypeAuthenticated }) =>
        messageTypeAuthenticated === false
          ? failed(
            leaf,
            "format-not-accepted",
            `Cannot accept envelope: its format, ${
              quote(format)
            }, does not sign the message's type`,
            { remedy: "Name the format in formats, if that is what you mean" },
            format,
          )
          : [],
    );
  } else {
    const facts = { expected: anyOf(formats), remedy: "Store the attestation in that format" };
    add(
      "envelope.format",
      (leaf, { format }) =>
        formats.some((one) => one === format)
          ? passed(leaf, "The format is accepted", facts, format)
          : failed(
            leaf,
            "format-not-accepted",
            `Cannot accept envelope: its format is ${quote(format)}, wanted ${facts.expected}`,
            facts,
            format,
          ),
    );
  }
  if (coverage !== undefined) {
    const facts = { expected: anyOf(coverage), remedy: "Sign more of the artifact" };
    add("envelope.coverage", (leaf, attestation) => {
      const found = coverageOf(attestation);
      return coverage.includes(found)
        ? passed(leaf, "The signatures cover enough", facts, found)
        : failed(
          leaf,
          "coverage-not-accepted",
          `Cannot accept envelope: its signatures cover ${quote(found)}, wanted ${facts.expected}`,
          facts,
          found,
        );
    });
  }
  if (signedMessageType === true) {
    const facts = { expected: "signed", remedy: "Use a format that signs the type of its message" };
    add(
      "envelope.message-type",
      (leaf, { implicit, messageTypeAuthenticated = implicit !== true }) =>
        messageTypeAuthenticated
          ? passed(leaf, "The type of the message is signed", facts, "signed")
          : failed(
            leaf,
            "message-type-not-signed",
            "Cannot accept envelope: nobody signed how its message is to be read",
            facts,
            "not signed",
          ),
    );
  }
}

/** A bundle that signs the artifact itself covers the whole of it. */
function coverageOf({ coverage, implicit }: EvidenceAttestation): Coverage {
  return coverage ?? (implicit === true ? "whole-artifact" : "message");
}
