/**
 * Client of the sigstore-conformance suite:
 *
 * - `verify-bundle --bundle F (--key PEM | --certificate-identity I --certificate-oidc-issuer
 *   U) [--trusted-root F] FILE_OR_sha256:HEX`: exit 0 verified, 1 refused;
 * - `sign-bundle [--in-toto] --identity-token T --bundle F --trusted-root F --signing-config F
 *   FILE`: exit 0 signed, 1 not signed, and then there is no bundle.
 *
 * Exit 2: could not run. The token is an argument because the suite gives it so; our own
 * command line takes none in that way.
 */

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { importTrustedKey } from "../../keys/mod.ts";
import { isAttestationError } from "../../errors.ts";
import { parseTrustedRoot } from "../../sigstore/mod.ts";
import { parseSigningConfig, signKeyless } from "../../sigstore/sign/mod.ts";
import { type ArtifactInput, verify, type VerifyOptions } from "../../verify/mod.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    bundle: { type: "string" },
    key: { type: "string" },
    staging: { type: "boolean" },
    "certificate-identity": { type: "string" },
    "certificate-oidc-issuer": { type: "string" },
    "trusted-root": { type: "string" },
    "in-toto": { type: "boolean" },
    "identity-token": { type: "string" },
    "signing-config": { type: "string" },
  },
});

function leave(message: string, status: number): never {
  console.error(message);
  process.exit(status);
}

/** Signs a file, or a Statement that it holds, and leaves. */
async function signBundle(bundle: string, file: string): Promise<never> {
  const { "identity-token": identityToken, "trusted-root": root, "signing-config": config } =
    values;
  if (identityToken === undefined || root === undefined || config === undefined) {
    leave("sign-bundle needs --identity-token, --trusted-root and --signing-config", 2);
  }
  const content = new Uint8Array(readFileSync(file));
  try {
    const { text } = await signKeyless(
      values["in-toto"]
        ? { payloadType: "application/vnd.in-toto+json", payload: content }
        : { artifact: content },
      {
        identityToken,
        signingConfig: parseSigningConfig(readFileSync(config, "utf8")),
        trustedRoots: [parseTrustedRoot(readFileSync(root, "utf8"))],
      },
    );
    writeFileSync(bundle, `${text}\n`);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    leave(`${error.reason}: ${error.message}`, 1);
  }
  leave("SIGNED", 0);
}

const [command, subject] = positionals;
if (command !== "verify-bundle" && command !== "sign-bundle") {
  leave(`The command ${command} is not offered`, 2);
}
if (values.bundle === undefined || subject === undefined || positionals.length > 2) {
  leave(`Usage: ${command} --bundle FILE … FILE`, 2);
}
const root = values["trusted-root"];
if (root === undefined && values.staging) leave("The staging instance needs --trusted-root", 2);

if (command === "sign-bundle") await signBundle(values.bundle, subject);

const digest = /^sha256:([0-9a-f]{64})$/.exec(subject);
const artifact: ArtifactInput = digest !== null && !existsSync(subject)
  ? { digest: { sha256: digest[1] } }
  : { name: subject, content: new Uint8Array(readFileSync(subject)) };
const name = values["certificate-identity"];
const issuer = values["certificate-oidc-issuer"];
const options: VerifyOptions = {
  trust: {
    ...(values.key === undefined
      ? {}
      : { keys: [await importTrustedKey(readFileSync(values.key, "utf8"))] }),
    ...(root === undefined
      ? {}
      : { trustedRoots: [parseTrustedRoot(readFileSync(root, "utf8"))], onlyRoot: true }),
  },
  expect: name === undefined && issuer === undefined
    ? {}
    : { identity: { subjectAlternativeName: name, issuer } },
};
const report = await verify(new Uint8Array(readFileSync(values.bundle)), artifact, options);
for (const { attestations } of report.artifacts) {
  for (const check of attestations.flatMap(({ checks }) => checks)) {
    if (check.outcome === "failed") console.error(`${check.id}: ${check.reason}: ${check.message}`);
  }
}
leave(report.ok ? "PASSED" : `FAILED ${report.errorReason}`, report.ok ? 0 : 1);
