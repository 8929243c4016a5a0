import type { Reason } from "../../../errors.ts";
import {
  authority,
  chainOf,
  HEADER,
  type Sample,
  sample,
  SCHEME,
} from "../../../formats/_notation_fixtures_test.ts";
import { utf8 } from "../../../internal/bytes.ts";
import { encodePem } from "../../../internal/pem.ts";
import type { Collection } from "../collection.ts";
import { sha256Hex } from "../statements.ts";
import { ARTIFACT, FormatCases } from "./format_cases.ts";

const PAYLOAD = {
  targetArtifact: {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${sha256Hex(utf8(ARTIFACT))}`,
    size: ARTIFACT.length,
  },
};
const EXPIRY = "io.cncf.notary.expiry";
const PLUGIN = "io.cncf.notary.verificationPlugin";
const AUTHENTIC = "io.cncf.notary.authenticSigningTime";

/** Signatures of Notation in JWS. */
export async function addNotation(collection: Collection): Promise<void> {
  const cases = new FormatCases(
    collection,
    "notation-jws",
    "Notary Project, signature specification and signature-envelope-jws.md",
  );
  const pem = async (organization?: string) =>
    encodePem("CERTIFICATE", (await authority(organization)).root);
  const trusted = { certificateAuthority: { name: "notation-ca.pem", content: await pem() } };
  const options = { certificateSubject: "CN=release" };
  const add = async (
    id: string,
    why: string,
    made: Sample,
    reason?: Reason,
    more: { files?: typeof trusted; options?: typeof options; artifact?: string } = {},
  ) =>
    await cases.add({
      id,
      why,
      document: await sample({ payload: PAYLOAD, ...made }),
      keys: [],
      files: trusted,
      options,
      ...more,
      ...(reason === undefined ? {} : { reason }),
    });
  const [leaf] = await chainOf();
  const dated = (time: string, crit = [SCHEME, EXPIRY]) => ({ ...HEADER, crit, [EXPIRY]: time });
  const { "io.cncf.notary.signingTime": _, ...untimed } = HEADER;
  const byAuthority = {
    ...untimed,
    crit: [SCHEME, AUTHENTIC],
    [SCHEME]: "notary.x509.signingAuthority",
    [AUTHENTIC]: "2025-02-01T00:00:00Z",
  };
  await add("es256", "ES256 by a certificate of a trusted authority", {});
  await add("not-expired", "before its expiry", { header: dated("2025-12-01T00:00:00Z") });
  await cases.add({
    id: "signing-authority",
    why: "an authority that states the time of signing",
    document: await sample({ payload: PAYLOAD, header: byAuthority }),
    keys: [],
    files: { signingAuthority: trusted.certificateAuthority },
    options,
  });
  await add(
    "expired",
    "after its expiry",
    { header: dated("2025-02-01T00:00:00Z") },
    "attestation-expired",
  );
  await add("hmac", "HMAC", { header: { ...HEADER, alg: "HS256" } }, "unsupported-algorithm");
  await add(
    "rs256",
    "RSA by PKCS #1 v1.5",
    { header: { ...HEADER, alg: "RS256" } },
    "unsupported-algorithm",
  );
  await add(
    "es256-rsa-key",
    "ES256 with an RSA key",
    { chain: await chainOf(undefined, "leaf-rsa") },
    "key-algorithm-mismatch",
  );
  await add(
    "scheme-not-critical",
    "a signing scheme that is not critical",
    { header: { ...HEADER, crit: [EXPIRY], [EXPIRY]: "2025-12-01T00:00:00Z" } },
    "unsupported-critical-header",
  );
  await add(
    "plugin",
    "it demands a plugin that verifies it",
    { header: { ...HEADER, crit: [SCHEME, PLUGIN], [PLUGIN]: "com.example" } },
    "unsupported-critical-header",
  );
  await add(
    "two-times",
    "it states the time of the other scheme",
    { header: { ...HEADER, crit: [SCHEME, AUTHENTIC], [AUTHENTIC]: "2025-02-01T00:00:00Z" } },
    "malformed-envelope",
  );
  await add(
    "leaf-alone",
    "its leaf without the way to the authority",
    { chain: [leaf] },
    "untrusted-certificate",
  );
  await add("other-authority", "an authority that nobody trusts", {}, "untrusted-certificate", {
    files: { certificateAuthority: { name: "notation-other-ca.pem", content: await pem("other") } },
  });
  await add(
    "other-holder",
    "another holder of a certificate than is expected",
    {},
    "identity-mismatch",
    {
      options: { certificateSubject: "CN=other" },
    },
  );
  await add("other-artifact", "another artifact", {}, "subject-mismatch", { artifact: "other\n" });
  await add(
    "no-target",
    "a payload that names no artifact",
    { payload: { hello: 1 } },
    "malformed-signature-payload",
  );
  const good = JSON.parse(await sample({ payload: PAYLOAD }));
  const swapped = JSON.parse(await sample({ payload: { targetArtifact: { mediaType: "a/b" } } }));
  await cases.add({
    id: "payload-altered",
    why: "the payload of another signature",
    document: JSON.stringify({ ...good, payload: swapped.payload }),
    keys: [],
    files: trusted,
    options,
    reason: "invalid-signature",
  });
}
