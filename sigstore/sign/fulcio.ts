import { encodeBase64 } from "../../internal/base64.ts";
import { equalBytes, utf8 } from "../../internal/bytes.ts";
import { jsonAnswer, request } from "../../internal/http.ts";
import { isObject, quote } from "../../internal/json.ts";
import { decodeOnePem, encodePem } from "../../internal/pem.ts";
import type { Signer } from "../../keys/signer.ts";
import { Shape } from "../_shape.ts";
import { type Certificate, parseCertificate, readIdentity } from "../certificate.ts";
import { findPaths, refusalAt } from "../chain.ts";
import type { CertificateIdentity } from "../identity.ts";
import type { IdentityToken } from "../oidc/token.ts";
import { verifyScts } from "../sct.ts";
import type { TrustedRoot } from "../trusted_root.ts";
import { type Asked, below, mismatch, readAnswer } from "./_answer.ts";
import { createCertificateRequest, signSubject } from "./certificate_request.ts";

const ACTION = "get a certificate";

/** Most certificates of an answer. */
const MAX_CERTIFICATES = 10;

/** How far the caller's clock may be from the authority's. */
const MAX_SKEW_MS = 5 * 60_000;

/** What a certificate is asked for with. */
export interface CertificateRequest extends Asked {
  readonly token: IdentityToken;
  /** The key to certify: ES256 or ES384. */
  readonly signer: Signer;
  readonly proofOfPossession: "subject" | "certificate-request";
  readonly trustedRoots: readonly TrustedRoot[];
  readonly now: Date;
}

/** A certificate for the key, by an authority of a trusted root. */
export interface IssuedCertificate {
  readonly leaf: Certificate;
  readonly identity: CertificateIdentity;
}

/**
 * Gets a certificate for a key and a token, and checks that it is what was asked for: this
 * key, the token's issuer and subject, valid now, logged, and by a trusted authority.
 *
 * Source: sigstore/fulcio, fulcio.proto, `CreateSigningCertificate`; fulcio-spec.md.
 *
 * @throws {AttestationError} What {@linkcode request} refuses, `malformed-response` or
 * `response-mismatch`.
 */
export async function requestCertificate(asked: CertificateRequest): Promise<IssuedCertificate> {
  const { http, token } = asked;
  const url = below(asked.url, "/api/v2/signingCert");
  const answer = await request(ACTION, url, {
    method: "POST",
    headers: { "content-type": "application/json", "accept": "application/json" },
    body: JSON.stringify({
      credentials: { oidcIdentityToken: token.token },
      ...await proof(asked),
    }),
  }, http);
  const json = jsonAnswer(ACTION, answer);
  const leaf = readAnswer(ACTION, url, () => readLeaf(json, url));
  const identity = readAnswer(ACTION, url, () => readIdentity(leaf));
  await checkCertificate(leaf, identity, { ...asked, url });
  return { leaf, identity };
}

async function proof({ signer, proofOfPossession, token }: CertificateRequest): Promise<object> {
  if (proofOfPossession === "certificate-request") {
    const pem = await createCertificateRequest(signer);
    return { certificateSigningRequest: encodeBase64(utf8(pem)) };
  }
  const signature = await signSubject(signer, token.email ?? token.subject);
  const content = encodePem("PUBLIC KEY", await signer.publicKey());
  return {
    publicKeyRequest: {
      publicKey: { algorithm: "ECDSA", content },
      proofOfPossession: encodeBase64(signature),
    },
  };
}

function readLeaf(json: object, url: string): Certificate {
  const answer = new Shape(json, "malformed-response");
  if (answer.has("signedCertificateDetachedSct")) {
    throw mismatch(ACTION, url, "a certificate without an embedded SCT");
  }
  const chain = answer.object("signedCertificateEmbeddedSct").object("chain").raw("certificates");
  if (!Array.isArray(chain) || chain.length === 0 || chain.length > MAX_CERTIFICATES) {
    throw answer.refuse("signedCertificateEmbeddedSct/chain/certificates", "not a short list");
  }
  const [pem] = chain;
  if (typeof pem !== "string") {
    throw answer.refuse("signedCertificateEmbeddedSct/chain/certificates/0", "not a string");
  }
  return parseCertificate(decodeOnePem(pem, "CERTIFICATE").der);
}

async function checkCertificate(
  leaf: Certificate,
  identity: CertificateIdentity,
  { url, signer, token, trustedRoots, now }: CertificateRequest,
): Promise<void> {
  if (!equalBytes(leaf.publicKey.spki, await signer.publicKey())) {
    throw mismatch(ACTION, url, "a certificate for another key");
  }
  const other = contradiction(identity, token);
  if (other !== undefined) throw mismatch(ACTION, url, `a certificate ${other}`);
  const early = leaf.notBefore.getTime() - now.getTime();
  const late = now.getTime() - leaf.notAfter.getTime();
  if (early > MAX_SKEW_MS || late > MAX_SKEW_MS) {
    throw mismatch(
      ACTION,
      url,
      `a certificate that is valid from ${leaf.notBefore.toISOString()} to ` +
        `${leaf.notAfter.toISOString()}, and now is ${now.toISOString()}`,
    );
  }
  const refusals: unknown[] = [];
  for (const root of trustedRoots) {
    try {
      return await checkTrust(leaf, root, url);
    } catch (error) {
      refusals.push(error);
    }
  }
  throw mismatch(ACTION, url, "a certificate that no trusted root vouches for", refusals[0]);
}

/** The bundle holds the leaf only: the path must come from the root alone. */
async function checkTrust(leaf: Certificate, root: TrustedRoot, url: string): Promise<void> {
  const paths = await findPaths(leaf, [], root.certificateAuthorities);
  const late = paths.map((path) => refusalAt(path, leaf.notBefore, "certificate-not-valid"));
  const valid = paths.find((_, i) => late[i] === undefined);
  if (valid === undefined) throw late[0];
  const [, issuer] = valid.certificates;
  const logs = issuer === undefined ? [] : (await verifyScts(leaf, issuer, root.ctLogs)).logs;
  if (logs.length === 0) {
    throw mismatch(ACTION, url, "no SCT of a certificate log that it trusts");
  }
}

/**
 * Where the certificate says something else than the token leads to expect, as far as that
 * is known: authorities map claims to names by rules of their own for each issuer.
 *
 * Source: sigstore/fulcio, docs/oidc.md and docs/oid-info.md.
 */
function contradiction(identity: CertificateIdentity, token: IdentityToken): string | undefined {
  const issuers = [token.issuer, ...federatedIssuers(token)];
  if (!issuers.includes(identity.issuer)) {
    return `for the issuer ${quote(identity.issuer)}, the token is of ${quote(token.issuer)}`;
  }
  if (identity.tokenSubject !== undefined && identity.tokenSubject !== token.subject) {
    return `for the token subject ${quote(identity.tokenSubject)}`;
  }
  const { subjectAlternativeName: name, sanType } = identity;
  if (!mayName(name, sanType, token)) return `for ${quote(name)}, whom the token does not name`;
}

/** A broker's token names the issuer that it asked (Dex: `federated_claims.connector_id`). */
function federatedIssuers({ claims }: IdentityToken): string[] {
  const { federated_claims: federated } = claims;
  if (!isObject(federated) || typeof federated.connector_id !== "string") return [];
  return [federated.connector_id];
}

function mayName(name: string, sanType: string, token: IdentityToken): boolean {
  const { claims, subject, email } = token;
  if (sanType === "email") return name === (email ?? subject);
  if (sanType === "otherName") return name.startsWith(`${subject}!`);
  const { job_workflow_ref: github, ci_config_ref_uri: gitlab } = claims;
  if (typeof github === "string") return /^https:\/\/[^/]+\/$/.test(before(name, github));
  if (typeof gitlab === "string") return name === `https://${gitlab}`;
  // A subject that is a URI names the holder itself, as SPIFFE ids do.
  return !/^[a-z][a-z0-9+.-]*:\/\//.test(subject) || name === subject;
}

/** What stands before an ending, or nothing if the text does not end so. */
function before(text: string, ending: string): string {
  return text.endsWith(ending) ? text.slice(0, -ending.length) : "";
}
