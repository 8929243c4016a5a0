import { decodeUtf8, isObject, type Json, parseJson } from "../internal/json.ts";
import { parseSigstoreBundle } from "../sigstore/bundle.ts";
import type { IdentityExpectation, Matcher } from "../sigstore/identity.ts";
import type { AttestationContent } from "../verify/options.ts";
import type { VerifiedTimestamp } from "../sigstore/verified_times.ts";
import type { AttestationReport, VerificationReport } from "../verify/report.ts";
import type { NamedAttestation } from "./attestations.ts";
import { formatName } from "./distinguished_name.ts";

const RESULT_MEDIA_TYPE = "application/vnd.dev.sigstore.verificationresult+json;version=0.1";

/**
 * The success document of `gh attestation verify --format json`: one entry for each verified
 * attestation. There is none for a failure.
 *
 * @param attestations What was verified, to find a report's bundle by its source.
 * @param expected The identity that was enforced.
 */
export function ghReport(
  report: VerificationReport,
  attestations: readonly NamedAttestation[],
  expected: IdentityExpectation | undefined,
): unknown[] {
  const contents = new Map(attestations.map(({ source, content }) => [source, content]));
  return report.artifacts.flatMap((artifact) =>
    artifact.attestations.filter((attestation) => attestation.ok).map((attestation) => {
      const bundle = bundleOf(attestation.source, contents);
      return {
        attestation: { bundle, bundle_url: "", initiator: "" },
        verificationResult: resultOf(attestation, expected, bundle),
      };
    })
  );
}

function bundleOf(source: string, contents: ReadonlyMap<string, AttestationContent>): unknown {
  const whole = contents.get(source);
  if (whole !== undefined) return asBundle(valueOf(whole));
  // One of several in a file: `FILE#N`.
  const [, file, number] = /^(.*)#(\d+)$/s.exec(source) ?? [];
  const content = file === undefined ? undefined : contents.get(file);
  if (content === undefined || typeof content === "object" && !(content instanceof Uint8Array)) {
    return null;
  }
  const text = textOf(content);
  const line = text.split("\n")[Number(number) - 1];
  if (line !== undefined && /^\s*\{.*\}\s*$/.test(line)) return asBundle(parseJson(line));
  const value = parseJson(text);
  if (isObject(value) && Array.isArray(value.attestations)) {
    const entry = value.attestations[Number(number) - 1];
    if (isObject(entry)) return entry.bundle;
  }
  return null;
}

function textOf(content: string | Uint8Array): string {
  return typeof content === "string" ? content : decodeUtf8(content);
}

function valueOf(content: AttestationContent): unknown {
  return typeof content === "string" || content instanceof Uint8Array
    ? parseJson(textOf(content))
    : content;
}

/** A bare envelope has no bundle around it; its member has the bundle's name for it. */
function asBundle(value: unknown): unknown {
  return isObject(value) && "payload" in value ? { dsseEnvelope: value as Json } : value;
}

function resultOf(
  attestation: AttestationReport,
  expected: IdentityExpectation | undefined,
  bundle: unknown,
): Record<string, unknown> {
  const { identity, statement, signers } = attestation;
  const result: Record<string, unknown> = { mediaType: RESULT_MEDIA_TYPE };
  if (statement !== undefined) result.statement = statement;
  if (identity === undefined) result.signature = { publicKeyId: signers[0] ?? "" };
  else {
    const { sanType: _, ...certificate } = identity;
    result.signature = { certificate: { certificateIssuer: issuerOf(bundle), ...certificate } };
  }
  result.verifiedTimestamps = attestation.timestamps.map(timestampOf);
  if (identity !== undefined && expected !== undefined) {
    result.verifiedIdentity = identityOf(expected);
  }
  return result;
}

/** Name of the authority that issued the certificate of a verified bundle. */
function issuerOf(bundle: unknown): string {
  const content = isObject(bundle) ? parseSigstoreBundle(bundle) : undefined;
  return content?.signer.kind === "certificate" ? formatName(content.signer.leaf.issuer) : "";
}

function timestampOf({ type, uri, timestamp }: VerifiedTimestamp): Record<string, string> {
  return {
    type: type === "transparency-log" ? "Tlog" : "TimestampAuthority",
    uri,
    timestamp,
  };
}

function identityOf(expected: IdentityExpectation): Record<string, unknown> {
  const { subjectAlternativeName, issuer, ...claims } = expected;
  const extensions = Object.entries(claims).flatMap(([name, matcher]) =>
    typeof matcher === "string" ? [[name, matcher]] : []
  );
  return {
    subjectAlternativeName: matcherOf("subjectAlternativeName", subjectAlternativeName),
    issuer: matcherOf("issuer", issuer),
    ...Object.fromEntries(extensions),
  };
}

function matcherOf(name: string, matcher: Matcher | undefined): Record<string, string> {
  if (matcher === undefined) return { [name]: "" };
  return typeof matcher === "string"
    ? { [name]: matcher }
    : { [name]: "", regexp: `^(?:${matcher.pattern})$` };
}
