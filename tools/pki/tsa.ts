import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { children, parseDer } from "../../internal/der.ts";
import {
  element,
  generalizedTime,
  integer,
  octetString,
  oid,
  sequence,
  setOf,
  tagged,
  time,
} from "./der_writer.ts";
import { signatureAlgorithm } from "./certificate.ts";
import { digest, type TestHash, type TestKey } from "./keys.ts";

const SIGNED_DATA = "1.2.840.113549.1.7.2";
const TST_INFO = "1.2.840.113549.1.9.16.1.4";
const CONTENT_TYPE = "1.2.840.113549.1.9.3";
const MESSAGE_DIGEST = "1.2.840.113549.1.9.4";
const SIGNING_TIME = "1.2.840.113549.1.9.5";
const SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47";
const POLICY = "1.3.6.1.4.1.99999.2";

const HASH_OIDS = {
  "SHA-256": "2.16.840.1.101.3.4.2.1",
  "SHA-384": "2.16.840.1.101.3.4.2.2",
  "SHA-512": "2.16.840.1.101.3.4.2.3",
};

/** A time stamping authority. */
export interface TimestampAuthority {
  key: TestKey;
  /** Its certificate, DER. */
  certificate: Bytes;
}

/** What an authority is asked for, and what to get wrong about it. */
export interface TimestampOptions {
  /** What is stamped: the bytes of a signature. */
  message: Uint8Array;
  genTime: Date;
  /** Put the authority's certificate into the token. Default true. */
  embed?: boolean;
  /** Certificates in the token. Default the authority's. */
  bag?: Uint8Array[];
  /** Hash of the imprint. Default SHA-256. */
  imprintHash?: TestHash;
  /** Digest that is stamped instead of that of `message`. */
  imprint?: Uint8Array;
  /** Number of the request, as an INTEGER's octets, which is repeated. */
  nonce?: Uint8Array;
  /** Hash of the signature; the key may be larger. Default SHA-256. */
  signatureHash?: TestHash;
  /** PKIStatus. Default 0, granted; from 2 on there is no token. */
  status?: number;
  /** Flip a bit of the signature. */
  corruptSignature?: boolean;
  /** Flip a bit of the signed digest of the TSTInfo. */
  corruptMessageDigest?: boolean;
  /** Name another certificate in the signed attributes. */
  otherCertificate?: Uint8Array;
  /** What stands behind the hash of the named certificate. Default its issuer and serial number. */
  issuerSerial?: Uint8Array[];
  /** Signed content type. Default TSTInfo. */
  contentType?: string;
  /** Leave out the attribute that names the certificate. */
  omitSigningCertificate?: boolean;
}

/** TimeStampResp (RFC 3161, section 2.4.2), DER. */
export async function timestamp(
  authority: TimestampAuthority,
  options: TimestampOptions,
): Promise<Bytes> {
  const { status = 0 } = options;
  if (status >= 2) {
    const statusInfo = sequence(integer(status), sequence(element(0x0c, utf8("refused"))));
    return sequence(statusInfo);
  }
  return sequence(sequence(integer(status)), await token(authority, options));
}

async function token(authority: TimestampAuthority, options: TimestampOptions): Promise<Bytes> {
  const { imprintHash = "SHA-256", signatureHash = "SHA-256", embed = true } = options;
  const info = sequence(
    integer(1),
    oid(POLICY),
    sequence(
      sequence(oid(HASH_OIDS[imprintHash])),
      octetString(options.imprint ?? digest(imprintHash, options.message)),
    ),
    integer(digest("SHA-256", options.message).slice(0, 8)),
    generalizedTime(options.genTime),
    sequence(integer(1)),
    ...options.nonce === undefined ? [] : [element(0x02, options.nonce)],
  );
  const messageDigest = digest(signatureHash, info);
  if (options.corruptMessageDigest) messageDigest[0] ^= 1;

  const attributes = [
    attribute(CONTENT_TYPE, oid(options.contentType ?? TST_INFO)),
    attribute(SIGNING_TIME, time(options.genTime)),
    attribute(MESSAGE_DIGEST, octetString(messageDigest)),
  ];
  const { issuer, serial } = issuerAndSerial(authority.certificate);
  if (!options.omitSigningCertificate) {
    const named = options.otherCertificate ?? authority.certificate;
    const names = issuerAndSerial(named);
    const essCertId = sequence(
      octetString(digest("SHA-256", named)),
      ...options.issuerSerial ?? [sequence(sequence(tagged(4, names.issuer)), names.serial)],
    );
    attributes.push(attribute(SIGNING_CERTIFICATE_V2, sequence(sequence(essCertId))));
  }
  const signed = setOf(...attributes);
  const signature = await authority.key.sign(signed, signatureHash);
  if (options.corruptSignature) signature[signature.length - 1] ^= 1;

  const signerInfo = sequence(
    integer(1),
    sequence(issuer, serial),
    sequence(oid(HASH_OIDS[signatureHash])),
    element(0xa0, parseDer(signed).value),
    signatureAlgorithm(authority.key, signatureHash),
    octetString(signature),
  );
  return sequence(
    oid(SIGNED_DATA),
    tagged(
      0,
      sequence(
        integer(3),
        setOf(sequence(oid(HASH_OIDS[signatureHash]))),
        sequence(oid(TST_INFO), tagged(0, octetString(info))),
        ...embed ? [tagged(0, ...(options.bag ?? [authority.certificate]))] : [],
        setOf(signerInfo),
      ),
    ),
  );
}

function attribute(type: string, value: Uint8Array): Bytes {
  return sequence(oid(type), setOf(value));
}

function issuerAndSerial(certificate: Uint8Array): { issuer: Bytes; serial: Bytes } {
  const tbs = children(children(parseDer(certificate))[0]);
  return { serial: tbs[1].raw, issuer: tbs[3].raw };
}
