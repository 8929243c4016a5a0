/** Provenance of real builders with the words of slsa-verifier, as a process. Deno only. */

import assert from "node:assert/strict";
import { describe, it } from "node:test";

const ROOT = new URL("..", import.meta.url);
const VECTORS = new URL("../shared/vectors/", ROOT);
const DATA = "slsa-verifier/cli/slsa-verifier/testdata";
const GENERATOR = "https://github.com/slsa-framework/slsa-github-generator/.github/workflows";
const DELEGATED = "https://github.com/slsa-framework/example-trw/.github/workflows/" +
  "builder_high-perms_slsa3.yml";

interface Outcome {
  code: number;
  out: string;
  err: string;
}

async function attest(...args: string[]): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", "--allow-read", new URL("cli.ts", ROOT).href, ...args],
    cwd: VECTORS,
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/** Reason of `verify`, or null, with its report. */
async function verify(...args: string[]): Promise<string | null> {
  const { code, out, err } = await attest("verify", ...args, "--format=json");
  assert.ok(code < 2, err);
  const { errorReason } = JSON.parse(out);
  assert.equal(code, errorReason === null ? 0 : 1);
  return errorReason;
}

function isThere(url: URL): boolean {
  try {
    return Deno.statSync(url).isDirectory;
  } catch {
    return false;
  }
}

if (!("Deno" in globalThis)) {
  it("real provenance: run by Deno only", (t) => t.skip("needs Deno"));
} else if (!isThere(VECTORS)) {
  it("real provenance", (t) => t.skip("../shared/vectors is not there"));
} else {
  describe("attest with real provenance", () => {
    const pushed = `${DATA}/gha_delegator/v1.10.0/binary-linux-amd64-push-v14.2`;
    const bundle = ["--provenance-path", `${pushed}.build.slsa`];
    const source = "--source-uri=github.com/slsa-framework/example-package";
    const builder = `--builder-id=${DELEGATED}`;

    it("accepts a delegated builder at level 3 for what was expected alone", async () => {
      const good = [pushed, ...bundle, source, builder];
      const cases: [string[], string | null][] = [
        [["--min-level=3", "--source-versioned-tag=v14"], null],
        [["--source-tag=v14.2"], null],
        [["--source-tag=v14"], "tag-mismatch"],
        [["--source-versioned-tag=v13"], "versioned-tag-mismatch"],
        [["--source-digest=4e383a8215c979d61c6afd2e125cb2f559090adf"], null],
        [[`--source-digest=${"0".repeat(40)}`], "commit-mismatch"],
        [["--build-workflow-input=x=y"], "workflow-input-mismatch"],
      ];
      for (const [args, reason] of cases) {
        assert.equal(await verify(...good, ...args), reason, args.join(" "));
      }
      assert.equal(await verify(pushed, ...bundle, source), "untrusted-builder");
      assert.equal(
        await verify(pushed, ...bundle, source, `${builder}@v1.9.0`),
        "unexpected-builder",
      );
      assert.equal(
        await verify(pushed, ...bundle, `${source}s`, builder),
        "source-mismatch",
      );
      assert.equal(await verify(pushed, ...bundle, builder), "missing-identity-expectation");
      assert.equal(
        await verify(`${DATA}/annotated-tag`, ...bundle, source, builder),
        "subject-mismatch",
      );
    });

    it("reads an old envelope with its certificate only when it is told to", async () => {
      const args = [
        `${DATA}/annotated-tag`,
        `--provenance-path=${DATA}/annotated-tag.intoto.jsonl`,
        "--source-uri=github.com/asraa/slsa-on-github-test",
        "--source-versioned-tag=v1.5.0",
        `--builder-id=${GENERATOR}/generator_generic_slsa3.yml`,
      ];
      assert.ok(await verify(...args) !== null);
      assert.equal(await verify(...args, "--unsafe-certificate-time"), null);
    });

    it("prints the provenance alone, as slsa-verifier does", async () => {
      const args = ["verify", pushed, ...bundle, source, builder, "--print-provenance"];
      const { code, out } = await attest(...args);
      assert.equal(code, 0);
      assert.equal(JSON.parse(out).predicateType, "https://slsa.dev/provenance/v1");
    });

    it("verifies a real VSA by a digest that no file has", async () => {
      const folder = `${DATA}/vsa/gce/v1`;
      const args = [
        `--attestation-path=${folder}/gke-gce-pre.bcid-vsa.jsonl`,
        `--public-key-path=${folder}/vsa_signing_public_key.pem`,
        "--verifier-id=https://bcid.corp.google.com/verifier/bcid_package_enforcer/v0.1",
        "--resource-uri=gce_image://gke-node-images:" +
        "gke-12615-gke1418000-cos-101-17162-463-29-c-cgpv1-pre",
      ];
      const digest = "--subject-digest=gce_image_id:8970095005306000053";
      assert.equal(await verify(...args, digest, "--verified-level=SLSA_BUILD_LEVEL_2"), null);
      assert.equal(
        await verify(...args, digest, "--verified-level=SLSA_BUILD_LEVEL_3"),
        "insufficient-level",
      );
      assert.equal(await verify(...args, `${digest}1`), "subject-mismatch");
    });

    it("verifies what gcloud prints about an image, by the keys of Google Cloud Build", async () => {
      const keys = "slsa-verifier/verifiers/internal/gcb/keys/materials";
      const folder = `${DATA}/gcb_container/v0.3`;
      const args = [
        `--key=${keys}/global-pae-provenanceSigner_1.key`,
        `--key=${keys}/us-west2.key`,
        "--digest=sha256:87db6d5226440e72f7134b71163df45282127a3f7b0600c946683cb2f43a70a9",
        `--provenance-path=${folder}/gcloud-container-github-tag.json`,
      ];
      assert.equal(await verify(...args, source, "--min-level=3"), null);
      assert.equal(await verify(...args, `${source}2`), "source-mismatch");
      assert.equal(await verify(...args), "missing-identity-expectation");
      const digest = `--digest=sha256:${"a".repeat(64)}`;
      assert.equal(await verify(...args.with(2, digest), source), "subject-mismatch");
      for (
        const [wrong, message] of [
          [[...args.slice(0, 2), args[3], "README.md", source], /give --digest/],
          [[...args.slice(2), source], /needs --key/],
          [[...args, source, "--threshold=2"], /one key each/],
          [[...args, source, "--build-type=x"], /only --source-…/],
          [[...args, source, "--bundle=index.json"], /give it alone/],
        ] as [string[], RegExp][]
      ) {
        const { code, err } = await attest("verify", ...wrong);
        assert.equal(code, 2, wrong.join(" "));
        assert.ok(message.test(err), err);
      }
    });

    it("says what differs between two releases", async () => {
      const other = `${DATA}/gha_delegator/v2.0.0/binary-linux-amd64-push-v13.0.30.build.slsa`;
      const { code, out } = await attest(
        ...["diff", `${pushed}.build.slsa`, other, source, builder, "--format=json"],
      );
      assert.equal(code, 1);
      const { same, differences } = JSON.parse(out);
      assert.equal(same, false);
      const fields = new Set(differences.map(({ field }: { field: string }) => field));
      assert.deepEqual([...fields], [
        "signer",
        "builder",
        "ref",
        "commit",
        "parameter",
        "dependency",
      ]);
      const itself = await attest(
        ...["diff", `${pushed}.build.slsa`, `${pushed}.build.slsa`, source, builder],
      );
      assert.equal(itself.code, 0);
    });

    it("shows the level that would be had, and who says what, as not verified", async () => {
      const { code, out } = await attest("inspect", `${pushed}.build.slsa`);
      assert.equal(code, 0);
      assert.ok(out.includes("NOT VERIFIED"));
      assert.ok(out.includes("3 with --source-uri and --builder-id, if it verifies"));
      assert.ok(out.includes("refs/tags/v14.2 (certificate, signed)"));
    });
  });
}
