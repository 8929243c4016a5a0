import { AttestationError } from "../../errors.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { HashName } from "../../internal/digest.ts";
import { type CurveName, type KeyAlgorithm, lookupAlgorithm } from "../../keys/algorithm.ts";
import { checkEd25519, checkPoint, checkRsa, type KeyMaterial } from "../../keys/spki.ts";
import { malformed, PacketReader } from "./_packets.ts";

/** Curves by their object identifier in hex: RFC 9580, 9.2. */
const CURVES: ReadonlyMap<string, CurveName> = new Map([
  ["2a8648ce3d030107", "P-256"],
  ["2b81040022", "P-384"],
  ["2b81040023", "P-521"],
]);
const ED25519 = "2b06010401da470f01";

/**
 * The key in a packet, held to what is demanded of every key here.
 *
 * Source: RFC 9580, 5.5.2 and 5.5.5.
 *
 * @throws {AttestationError} `weak-key`, `malformed-key`, `unsupported-algorithm`,
 * `limit-exceeded`.
 */
export function materialOf(packet: { write(): Uint8Array }): KeyMaterial {
  const reader = new PacketReader(packet.write());
  const material = readMaterial(reader);
  if (reader.left > 0) throw malformed(`${reader.left} bytes follow in a key`);
  return material;
}

function readMaterial(reader: PacketReader): KeyMaterial {
  const version = reader.number(1);
  if (version !== 4 && version !== 6) throw unsupported(`a key of version ${version}`);
  reader.number(4);
  const algorithm = reader.number(1);
  if (version === 6) reader.number(4);
  switch (algorithm) {
    case 1:
    case 3:
      return checkRsa(reader.mpi(), reader.mpi());
    case 19: {
      const curve = CURVES.get(oid(reader));
      if (curve === undefined) throw unsupported("another curve than P-256, P-384 and P-521");
      return checkPoint(curve, reader.mpi());
    }
    case 22: {
      if (oid(reader) !== ED25519) throw unsupported("EdDSA on another curve than Ed25519");
      // RFC 9580, 11.2.2: the point with a prefix.
      const point = reader.mpi();
      if (point[0] !== 0x40) throw unsupported("an Ed25519 point in another form");
      return checkEd25519(point.subarray(1));
    }
    case 27:
      return checkEd25519(reader.take(32));
    default:
      throw unsupported(`algorithm ${algorithm}`);
  }
}

function oid(reader: PacketReader): string {
  return encodeHex(reader.take(reader.number(1)));
}

/**
 * The algorithm of signatures by a key over a digest.
 *
 * @throws {AttestationError} `unsupported-algorithm`.
 */
export function algorithmOf(material: KeyMaterial, hash: HashName): KeyAlgorithm {
  const bits = hash.slice(4);
  switch (material.kind) {
    case "RSA":
      return lookupAlgorithm(`RS${bits}`).alg;
    case "EC":
      return lookupAlgorithm(`ECDSA-P${material.curve.slice(2)}-SHA${bits}`).alg;
    case "Ed25519":
      return "Ed25519";
    default:
      throw unsupported(material.kind);
  }
}

function unsupported(what: string): AttestationError {
  return new AttestationError(
    "unsupported-algorithm",
    `Cannot use OpenPGP key: ${what} is not supported`,
  );
}
