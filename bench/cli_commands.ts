/**
 * A run of every command of the command line, as cheap as the command can be: what is left is
 * its start. For the measurement and for the test of what is loaded.
 */

import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** One command line, without the program. */
export interface CliRun {
  /** Arguments; the first one or two are the command. */
  args: readonly string[];
  /** Exit status that it has to have. */
  status: number;
}

const EXAMPLE = fileURLToPath(new URL("../testdata/example", import.meta.url));
const POLICIES = fileURLToPath(new URL("../docs/policy/examples", import.meta.url));

/** Command lines by their names; `folder` is a new, empty folder that they may write to. */
export function cliRuns(folder: string): Record<string, CliRun> {
  const hello = `${EXAMPLE}/hello.txt`;
  const bundle = `${hello}.sigstore.json`;
  const root = [`--trusted-root=${EXAMPLE}/trusted_root.json`, "--only-root"];
  const keyless = [...root, "--repo=example/hello"];
  const policy = `${POLICIES}/freshness.json`;
  const cases = `${folder}/cases.json`;
  const statement = `${folder}/predicate.json`;
  const layoutFile = `${folder}/root.layout`;
  writeFileSync(`${folder}/policy.yaml`, IMAGE_POLICY);
  writeFileSync(statement, "{}");
  writeFileSync(layoutFile, '{"signatures":[{"keyid":"","sig":""}],"signed":{"_type":"layout"}}');
  writeFileSync(
    cases,
    JSON.stringify({
      type: "attest-policy-tests/v1",
      cases: [{
        name: "a digest that nobody attested",
        artifacts: [{ digest: `sha256:${"0".repeat(64)}` }],
        now: "2026-01-01T00:00:00Z",
        expect: { ok: false },
      }],
    }),
  );
  const layout = `oci-layout:${folder}/layout`;
  const ok = (...args: string[]): CliRun => ({ args, status: 0 });
  const fails = (...args: string[]): CliRun => ({ args, status: 2 });
  return {
    "version": ok("version"),
    "help": ok("help"),
    "help verify": ok("help", "verify"),
    "explain": ok("explain", "invalid-signature"),
    "inspect": ok("inspect", bundle),
    "verify, key": ok("verify", `${EXAMPLE}/keyed/hello.txt`, `--key=${EXAMPLE}/keyed/ci.pub`),
    "verify, keyless": ok("verify", hello, ...keyless),
    "verify, keyless, json": ok("verify", hello, ...keyless, "--format=json"),
    "verify, refused": { args: ["verify", hello, ...root, "--repo=else/where"], status: 1 },
    "verify, layout": {
      args: ["verify", hello, `--layout=${layoutFile}`, `--key=${EXAMPLE}/keyed/ci.pub`],
      status: 1,
    },
    "verify, policy": { args: ["verify", hello, `--policy=${policy}`], status: 1 },
    "diff": ok("diff", bundle, bundle, ...keyless),
    "vsa verify": {
      args: [
        ...["vsa", "verify", hello, ...keyless],
        ...["--verifier-id=https://example.com/v", "--resource-uri=pkg:generic/hello"],
      ],
      status: 1,
    },
    "policy check": ok("policy", "check", policy),
    "policy explain": ok("policy", "explain", policy),
    "policy schema": ok("policy", "schema"),
    "policy init": ok(
      "policy",
      "init",
      hello,
      ...keyless,
      "--output",
      `${folder}/init.json`,
      "--force",
    ),
    "policy diff": { args: ["policy", "diff", policy, `${POLICIES}/image.json`], status: 1 },
    "policy import": ok("policy", "import", "--from=cluster-image-policy", `${folder}/policy.yaml`),
    "policy test": ok("policy", "test", policy, "--tests", cases),
    "trusted-root show": ok("trusted-root", "show", `${EXAMPLE}/trusted_root.json`),
    "keygen": ok("keygen", "--no-passphrase", "--out", `${folder}/ci`, "--force"),
    "sign, key": ok("sign", statement, "--key", `${folder}/ci.key`, "--force"),
    "attest, key": ok(
      ...["attest", hello, "--predicate", statement, "--type=https://example.com/p/v1"],
      ...["--key", `${folder}/ci.key`, "--output", `${folder}/hello.sigstore.json`, "--force"],
    ),
    "convert": ok(
      ...["convert", `${EXAMPLE}/keyed/hello.txt.intoto.json`, `--key=${EXAMPLE}/keyed/ci.pub`],
      ...["--attester=https://example.com/ci", "--download-location=https://example.com/old"],
      ...[`--signing-key=${folder}/ci.key`, `--output=${folder}/new.json`, "--force"],
    ),
    "provenance": { args: ["provenance", hello], status: 1 },
    // Of a layout, store, working copy or database that is not there: what they load is loaded.
    "tree": fails("tree", layout),
    "download": fails("download", layout, "--output", `${folder}/got`),
    "attach": fails("attach", layout, bundle),
    "copy": fails("copy", layout, `oci-layout:${folder}/copied`),
    "store list": fails("store", "list", "--store", `${folder}/kept`),
    "gate": fails("gate", "--since=no-such-commit", `--key=${EXAMPLE}/keyed/ci.pub`),
    "serve keys": ok("serve", "keys", "list", "--db", `${folder}/registry.db`),
    "reverify": fails(
      "reverify",
      "--db",
      `${folder}/none.db`,
      `--policy=${policy}`,
      `--output=${folder}/anew`,
    ),
  };
}

const IMAGE_POLICY = `apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata:
  name: keyless
spec:
  images:
    - glob: "ghcr.io/example/*"
  authorities:
    - keyless:
        url: https://fulcio.sigstore.dev
        identities:
          - issuer: https://token.actions.githubusercontent.com
            subject: https://github.com/example/hello/.github/workflows/release.yml@refs/heads/main
`;
