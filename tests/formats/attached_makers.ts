/** Files that carry their signature, made on demand: the model's requirements that fit them. */

import { apkCertificate, apkOf } from "../../formats/attached/_apk_fixtures_test.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { authority, WITHIN } from "../../formats/_notation_fixtures_test.ts";
import { jarFile, pe, signatureList, X509 } from "../../formats/attached/_signed_fixtures_test.ts";
import { createEfiTrust } from "../../formats/attached/mod.ts";
import { createCertificateTrust, type FormatTrust } from "../../formats/mod.ts";
import type { Made } from "./makers.ts";

async function certified(): Promise<FormatTrust> {
  const certificates = createCertificateTrust({
    authorities: [(await authority()).root],
    identities: ["CN=release"],
  });
  return { certificates, now: WITHIN };
}

/** Makers by the format's name: every attached format of the registry has one. */
export const ATTACHED_MAKERS: Readonly<Record<string, () => Promise<Made>>> = {
  "apk": async () => ({
    source: await apkOf(),
    trust: {
      certificates: createCertificateTrust({
        pinned: [encodeHex(sha256(await apkCertificate()))],
      }),
      now: WITHIN,
    },
  }),
  "authenticode": async () => ({ source: await pe(), trust: await certified() }),
  "jar": async () => ({ source: await jarFile(), trust: await certified() }),
  "uefi": async () => {
    const db = [signatureList(X509, (await authority()).root)];
    return {
      source: await pe({ subsystem: 10 }),
      trust: { efi: createEfiTrust({ db }), now: WITHIN },
    };
  },
};
