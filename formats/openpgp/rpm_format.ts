import { AttestationError } from "../../errors.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { asRefusal } from "../../internal/check_list.ts";
import { digest } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import { type JsonObject, printable, quote } from "../../internal/json.ts";
import { parseStatement } from "../../intoto/statement.ts";
import { rpmConfidence } from "../_openpgp_marks.ts";
import type {
  ByteRange,
  FormatEnvelope,
  FormatLimits,
  FormatModule,
  FormatStatement,
} from "../format.ts";
import { readPackets } from "./_packets.ts";
import { malformed, RpmHeader } from "./_rpm_header.ts";
import { acceptedHash, type OpenPgpSignature, parseSignaturePacket } from "./_signature.ts";
import { statedSignature } from "./_stated.ts";
import { verifyEach } from "./_signers.ts";

/** An RPM package, read and not verified. */
export interface RpmPackage {
  /** All of it. */
  readonly bytes: Uint8Array;
  /** Signatures over the header. */
  readonly signatures: readonly OpenPgpSignature[];
  /** What is signed: tells what the package is, and the digest of its payload. */
  readonly header: RpmHeader;
  /** SHA-256 of the header as the signature header states it: nobody signs that. */
  readonly statedDigest?: string;
  /** What lies before the header, which nobody signs. */
  readonly uncovered: readonly ByteRange[];
  /** What the header calls the package. */
  readonly names: RpmNames;
}

interface RpmNames {
  readonly name: string;
  readonly epoch?: number;
  readonly version: string;
  readonly release: string;
  readonly arch: string;
}

/** Predicate type of a package: what its signed header says of it. */
export const RPM_TYPE = "rpm-package";

const LEAD = 96;
const NAME = 1000, VERSION = 1001, RELEASE = 1002, EPOCH = 1003, ARCH = 1022;
const SOURCE_RPM = 1044, SOURCE_PACKAGE = 1106, COMPRESSOR = 1125;
const PAYLOAD_DIGEST = 5092, PAYLOAD_DIGEST_ALGORITHM = 5093;
/** Of the signature header: signatures over the header alone. */
const DSA_HEADER = 267, RSA_HEADER = 268, OPENPGP = 278;
const SHA256_HEADER = 273, LONG_SIZE = 270, SIZE = 1000;
/** What a name may be made of, that of a file too. */
const WORD = /^[A-Za-z0-9._+~^-]{1,256}$/;

const rpm: FormatModule<RpmPackage> = {
  id: "rpm",
  layer: "attached",
  detect: rpmConfidence,
  parse(bytes, limits) {
    const content = parseRpm(bytes, limits);
    const { names, signatures, header } = content;
    return {
      format: "rpm",
      message: bytes.subarray(header.start, header.end),
      signatures: signatures.map(statedSignature),
      facts: { package: fileName(names) },
      content,
    };
  },
  async verify({ content }, context) {
    const { bytes, header, signatures, uncovered } = content;
    const message = bytes.subarray(header.start, header.end);
    const signers = await verifyEach(signatures, message, context);
    const base = {
      format: "rpm",
      message,
      signers,
      coverage: "artifact-sections",
      uncovered,
      unauthenticated: {},
      proofs: [],
    } as const;
    try {
      return { ...base, statement: await statementOf(content) } satisfies FormatEnvelope;
    } catch (thrown) {
      return { ...base, refusal: asRefusal(thrown) };
    }
  },
};

/**
 * A package of RPM. OpenPGP signs its header, and the header has the digest of the payload: both
 * are verified. The lead and the signature header are not covered, and nothing is taken from
 * them but signatures; what they state of size and SHA-256 has to be true.
 *
 * The subject is the package as it was given: its digest is measured, and signed only by way of
 * its sections. Signatures over header and payload together, which older packages carry besides,
 * are not read; a package without the digest of its payload is refused.
 *
 * Source: RPM reference manual, "RPM V4 Package format", "RPM V6 Package format", "Signatures
 * and digests".
 */
export const rpmFormat: FormatModule = rpm as FormatModule;

function parseRpm(bytes: Uint8Array, { maxSignatures }: FormatLimits): RpmPackage {
  if (bytes.length < LEAD) throw malformed("it ends in its lead");
  const stated = new RpmHeader(bytes, LEAD, 62);
  const start = Math.ceil(stated.end / 8) * 8;
  const header = new RpmHeader(bytes, start, 63);
  for (const tag of [LONG_SIZE, SIZE]) {
    const size = stated.number(tag);
    if (size === undefined || size === bytes.length - start) continue;
    throw malformed(
      `it states ${size} bytes of header and payload, it has ${bytes.length - start}`,
    );
  }
  const statedDigest = stated.text(SHA256_HEADER);
  return {
    bytes,
    header,
    signatures: readSignatures(stated, maxSignatures),
    ...(statedDigest === undefined ? {} : { statedDigest }),
    uncovered: [
      { start: 0, end: LEAD, what: "lead" },
      { start: LEAD, end: start, what: "signature header" },
    ],
    names: namesOf(header),
  };
}

function readSignatures(stated: RpmHeader, maxSignatures: number): OpenPgpSignature[] {
  const texts = stated.texts(OPENPGP) ?? [];
  const tooMany = () =>
    new AttestationError(
      "limit-exceeded",
      `Cannot read RPM package: more than ${maxSignatures} signatures`,
    );
  if (texts.length > maxSignatures) throw tooMany();
  const blobs = [
    ...[DSA_HEADER, RSA_HEADER].flatMap((tag) => stated.binary(tag) ?? []),
    ...texts.map((text) => decodeBase64(text, { alphabet: "standard", padding: "required" })),
  ];
  const found: OpenPgpSignature[] = [];
  for (const packet of blobs.flatMap((blob) => readPackets(blob, maxSignatures))) {
    if (found.length === maxSignatures) throw tooMany();
    const signature = parseSignaturePacket(packet);
    // Text would leave line ends of the header open.
    if (signature.type !== 0) {
      throw new AttestationError(
        "unsupported-signature-type",
        "Cannot read RPM package: a signature is over text",
      );
    }
    found.push(signature);
  }
  if (found.length === 0) {
    throw new AttestationError(
      "missing-signatures",
      "Cannot read RPM package: nobody signed its header",
    );
  }
  return found;
}

function namesOf(header: RpmHeader): RpmNames {
  const word = (tag: number, what: string) => {
    const text = header.text(tag);
    if (text === undefined || !WORD.test(text)) {
      throw malformed(`its ${what} is ${quote(text ?? "missing")}`);
    }
    return text;
  };
  const epoch = header.number(EPOCH);
  return {
    name: word(NAME, "name"),
    ...(epoch === undefined ? {} : { epoch }),
    version: word(VERSION, "version"),
    release: word(RELEASE, "release"),
    arch: header.has(SOURCE_PACKAGE) ? "src" : word(ARCH, "architecture"),
  };
}

/** As `rpmbuild` calls the file; the epoch is no part of that. */
function fileName({ name, version, release, arch }: RpmNames): string {
  return `${name}-${version}-${release}.${arch}.rpm`;
}

/**
 * What the header says, once its payload has the digest that it states.
 *
 * @throws {AttestationError} `missing-subject-digest`, `content-digest-mismatch`,
 * `content-mismatch`, `weak-hash`, `unsupported-algorithm`, `malformed-envelope`.
 */
async function statementOf(content: RpmPackage): Promise<FormatStatement> {
  const { bytes, header, names, statedDigest } = content;
  const own = encodeHex(await digest("SHA-256", bytes.subarray(header.start, header.end)));
  if (statedDigest !== undefined && statedDigest !== own) {
    throw new AttestationError(
      "content-mismatch",
      "Cannot accept RPM package: its signature header states another digest of the header",
    );
  }
  const payload = await verifyPayload(content);
  const name = fileName(names);
  const predicate: JsonObject = { ...names, payload };
  for (const [member, tag] of [["sourceRpm", SOURCE_RPM], ["compressor", COMPRESSOR]] as const) {
    const text = header.text(tag);
    if (text !== undefined) predicate[member] = printable(text);
  }
  const sha256 = encodeHex(await digest("SHA-256", bytes));
  return {
    statement: parseStatement({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name, digest: { sha256 } }],
      predicateType: RPM_TYPE,
      predicate,
    }),
    implicit: ["subject", "messageType", "predicateType"],
  };
}

async function verifyPayload({ bytes, header }: RpmPackage): Promise<JsonObject> {
  const stated = header.texts(PAYLOAD_DIGEST);
  const algorithm = header.number(PAYLOAD_DIGEST_ALGORITHM);
  if (stated === undefined || algorithm === undefined) {
    throw new AttestationError(
      "missing-subject-digest",
      "Cannot accept RPM package: its header has no digest of the payload, which nobody signed then",
    );
  }
  if (stated.length !== 1) throw malformed(`it states ${stated.length} digests of its payload`);
  const hash = acceptedHash(algorithm, "payload of RPM package");
  const found = encodeHex(await digest(hash, bytes.subarray(header.end)));
  if (stated[0].toLowerCase() !== found) {
    throw new AttestationError(
      "content-digest-mismatch",
      `Cannot accept RPM package: its payload has another digest than its header states`,
    );
  }
  return { digest: { [hash.replace("-", "").toLowerCase()]: found } };
}
