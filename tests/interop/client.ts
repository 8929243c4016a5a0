/**
 * Client of the sigstore-conformance suite: `verify-bundle --bundle F (--key PEM |
 * --certificate-identity I --certificate-oidc-issuer U) [--trusted-root F]
 * FILE_OR_sha256:HEX`. Exit 0 verified, 1 refused, 2 could not run.
 */

import { existsSync, readFileSync } from "node:fs";
import process from "node:process";
import { parseArgs } from "node:util";
import { importTrustedKey } from "../../keys/mod.ts";
import { parseTrustedRoot } from "../../sigstore/mod.ts";
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
  },
});

function leave(message: string, status: number): never {
  console.error(message);
  process.exit(status);
}

const [command, subject] = positionals;
if (command !== "verify-bundle") leave(`The command ${command} is not offered`, 2);
if (values.bundle === undefined || subject === undefined || positionals.length > 2) {
  leave("Usage: verify-bundle --bundle FILE … FILE_OR_DIGEST", 2);
}
const root = values["trusted-root"];
if (root === undefined && values.staging) leave("The staging instance needs --trusted-root", 2);

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
