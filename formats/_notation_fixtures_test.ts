import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { type Authority, createAuthority } from "../tools/pki/ca.ts";
import {
  basicConstraints,
  certificate,
  extendedKeyUsage,
  type Extension,
  keyUsage,
} from "../tools/pki/certificate.ts";
import { distinguishedName } from "../tools/pki/der_writer.ts";
import { testKey } from "../tools/pki/keys.ts";
import { ABC_SHA256, b64, raw } from "./_fixtures_test.ts";

export const FROM = new Date("2025-01-01T00:00:00Z"), TO = new Date("2026-01-01T00:00:00Z");
export const WITHIN = new Date("2025-06-01T00:00:00Z"), AFTER = new Date("2026-06-01T00:00:00Z");
export const CODE = "1.3.6.1.5.5.7.3.3";
export const TYPE = "application/vnd.cncf.notary.payload.v1+json";
export const SCHEME = "io.cncf.notary.signingScheme";
export const PAYLOAD = {
  targetArtifact: {
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    digest: `sha256:${ABC_SHA256}`,
    size: 3,
  },
};
export const HEADER = {
  alg: "ES256",
  crit: [SCHEME],
  cty: TYPE,
  [SCHEME]: "notary.x509",
  "io.cncf.notary.signingTime": "2025-05-01T10:00:00+02:00",
};

export const dates = { notBefore: FROM, notAfter: TO };
export const authority = async (organization = "acme", purpose = CODE): Promise<Authority> =>
  await createAuthority({
    organization,
    purpose,
    rootKey: await testKey("fulcio-root"),
    intermediateKey: await testKey("fulcio-intermediate"),
    ...dates,
  });

/** A leaf of the intermediate, with its chain. */
export async function chainOf(
  extensions: Extension[] = [keyUsage("sign"), basicConstraints(false), extendedKeyUsage([CODE])],
  key = "leaf-p256",
  purpose = CODE,
): Promise<Uint8Array[]> {
  const { root, intermediate, intermediateKey, intermediateName } = await authority(
    "acme",
    purpose,
  );
  const leaf = await certificate({
    serial: 9,
    issuer: intermediateName,
    subject: distinguishedName("acme", "release"),
    ...dates,
    spki: (await testKey(key)).spki,
    extensions,
  }, intermediateKey);
  return [leaf, intermediate, root];
}

export interface Sample {
  header?: object;
  payload?: unknown;
  chain?: Uint8Array[];
  key?: string;
  stamp?: (signature: Uint8Array) => Promise<Uint8Array>;
}

export async function sample(options: Sample = {}): Promise<string> {
  const { header = HEADER, payload = PAYLOAD, chain = await chainOf(), key = "leaf-p256" } =
    options;
  const parts = { payload: b64(payload as object), protected: b64(header) };
  const der = await (await testKey(key)).sign(utf8(`${parts.protected}.${parts.payload}`));
  const signature = raw("ES256", der);
  const token = await options.stamp?.(signature);
  return JSON.stringify({
    ...parts,
    header: {
      x5c: chain.map(encodeBase64),
      "io.cncf.notary.signingAgent": "test/1",
      ...(token === undefined ? {} : { "io.cncf.notary.timestampSignature": encodeBase64(token) }),
    },
    signature: b64(signature),
  });
}
