import { AttestationError } from "../errors.ts";
import { parseSimpleSigning, type SimpleSigning } from "../formats/simple_signing.ts";
import type { Bytes } from "../internal/bytes.ts";
import { asRefusal, CheckList } from "../internal/check_list.ts";
import { digestAll } from "../internal/hasher.ts";
import { encodeHex } from "../internal/hex.ts";
import { quote } from "../internal/json.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import type { Check } from "../report.ts";
import { parseCosignLayer, readCosignLayer } from "../sigstore/cosign_layer.ts";
import type { DigestedArtifact } from "./artifact.ts";
import { type Limits, type LoadedAttestation, readUnverified } from "./load.ts";

/** What an image signature is over: the payload, and which image that names. */
export interface SignedImage {
  payload: Bytes;
  /** Algorithm of the digest by which it names the image. */
  algorithm: string;
  /** Digests of the payload, by the algorithms of signatures. */
  digest: DigestSet;
  /** The payload, or why it cannot be read. */
  said: SimpleSigning | AttestationError;
}

/** Reads a layer of cosign's tags: a signature over an image, or an envelope. */
export async function loadCosignLayer(
  value: object,
  source: string,
  limits: Limits,
): Promise<LoadedAttestation> {
  try {
    const { maxAttestationBytes } = limits;
    const layer = parseCosignLayer(value, { maxBytes: 2 * maxAttestationBytes });
    const content = readCosignLayer(layer, maxAttestationBytes);
    if (content.kind === "signature") {
      const { payload, bundle } = content;
      const said = readPayload(payload);
      const [algorithm] = "type" in said ? said.manifestDigest.split(":") : ["sha256"];
      const image = { payload, algorithm, digest: await digestsOf(payload), said };
      return { source, format: "cosign-signature", bundle, image };
    }
    if (content.kind === "envelope") {
      const { envelope } = content;
      const unverifiedStatement = readUnverified(envelope.payload, limits);
      return { source, format: "dsse", envelope, unverifiedStatement };
    }
    const { bundle } = content;
    const unverifiedStatement = "envelope" in bundle.content
      ? readUnverified(bundle.content.envelope.payload, limits)
      : undefined;
    return { source, format: "dsse", bundle, unverifiedStatement };
  } catch (error) {
    return { source, format: "unknown", error: asRefusal(error) };
  }
}

async function digestsOf(payload: Bytes): Promise<DigestSet> {
  const [sha256, sha384, sha512] = await digestAll(payload, ["SHA-256", "SHA-384", "SHA-512"]);
  return {
    sha256: encodeHex(sha256),
    sha384: encodeHex(sha384),
    sha512: encodeHex(sha512),
  };
}

function readPayload(payload: Bytes): SimpleSigning | AttestationError {
  try {
    const said = parseSimpleSigning(payload);
    if (said.type === "cosign container image signature") return said;
    return new AttestationError(
      "malformed-signature-payload",
      `Cannot read image signature: ${quote(said.type)} is not cosign's kind`,
      { path: "/critical/type" },
    );
  } catch (error) {
    return asRefusal(error);
  }
}

/** What is signed: the payload stands where the artifact stands of other signatures. */
export function signedPayload({ payload, digest }: SignedImage): DigestedArtifact {
  return { name: "payload", digest, content: payload };
}

const DIGEST_PATH = "/critical/image/docker-manifest-digest";

/** Compares the image that the payload names with the artifact; it says nothing more about it. */
export function imageLayer(
  { said }: SignedImage,
  artifact: DigestedArtifact | undefined,
  predicateTypes: readonly string[] | undefined,
): Check[] {
  const list = new CheckList();
  if (said instanceof AttestationError) {
    list.failed("statement.format", said);
    return list.checks;
  }
  list.passed("statement.format", "The payload names an image", { actual: said.type });
  if (artifact === undefined) {
    list.skipped("statement.subject", "No artifact is compared, as the caller asked");
  } else {
    const [algorithm, hex] = said.manifestDigest.split(":");
    const known = Object.hasOwn(artifact.digest, algorithm)
      ? artifact.digest[algorithm]
      : undefined;
    const facts = {
      expected: known === undefined
        ? Object.entries(artifact.digest).map((pair) => pair.join(":")).join(", ")
        : `${algorithm}:${known}`,
      actual: said.manifestDigest,
      path: DIGEST_PATH,
    };
    if (known?.toLowerCase() === hex) {
      list.passed("statement.subject", "The signed image is the artifact", facts);
    } else {
      const message = "Cannot accept image signature: it is of another image";
      list.refused("statement.subject", "subject-mismatch", message, facts);
    }
  }
  if (predicateTypes !== undefined) {
    const message = "Cannot accept image signature: it signs the image, without a predicate";
    list.refused("predicate.type", "predicate-type-mismatch", message, {
      expected: predicateTypes.join(" or "),
      actual: "none",
    });
  }
  return list.checks;
}
