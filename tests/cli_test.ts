/** The command line as a process: start, permissions, exit status, streams, files. Deno only. */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";

const ROOT = new URL("..", import.meta.url);
const EXAMPLE = "testdata/example";
const KEYLESS = [
  `${EXAMPLE}/hello.txt`,
  `--trusted-root=${EXAMPLE}/trusted_root.json`,
  "--only-root",
];

interface Outcome {
  code: number;
  out: string;
  err: string;
}

async function attest(
  args: string[],
  { permissions = ["-A"], env = {} }: { permissions?: string[]; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, "cli.ts", ...args],
    cwd: ROOT,
    env,
  }).output();
  const decoder = new TextDecoder();
  return {
    code,
    out: decoder.decode(stdout),
    err: decoder.decode(stderr).replace(/^.*\bCheck\b.*\n/gm, ""),
  };
}

if ("Deno" in globalThis) {
  describe("attest as a process", () => {
    let folder = "";
    before(async () => {
      folder = await Deno.makeTempDir({ prefix: "attest-" });
    });
    after(async () => {
      await Deno.remove(folder, { recursive: true });
    });

    it("verifies a keyless bundle with read permission for its files alone", async () => {
      const { code, out, err } = await attest(
        ["verify", ...KEYLESS, "--repo=example/hello"],
        {
          permissions: [
            `--allow-read=${EXAMPLE}/hello.txt,${EXAMPLE}/hello.txt.sigstore.json,${EXAMPLE}/trusted_root.json`,
          ],
        },
      );
      assert.equal(code, 0, out + err);
      assert.equal(err, "");
      assert.ok(out.endsWith("PASSED: 1 artifact verified\n"));
    });

    it("refuses a look-alike repository and a missing expectation", async () => {
      for (const repo of ["example/hello-evil", "example/hell", "exampl/hello", "EXAMPLE/hello"]) {
        const { code, out } = await attest([
          "verify",
          ...KEYLESS,
          `--repo=${repo}`,
          "--format=json",
        ]);
        assert.equal(code, 1, repo);
        const [attestation] = JSON.parse(out).artifacts[0].attestations;
        const reasons = attestation.checks.flatMap(({ reason }: { reason?: string }) =>
          reason ?? []
        );
        // Both, whichever is looked at first.
        assert.deepEqual(reasons.sort(), ["certificate-claim-mismatch", "identity-mismatch"]);
      }
      const nobody = await attest(["verify", ...KEYLESS, "--format=json"]);
      assert.equal(nobody.code, 1);
      assert.equal(JSON.parse(nobody.out).errorReason, "missing-identity-expectation");
      const name =
        "https://github.com/example/hello/.github/workflows/release.yml@refs/tags/v1.0.0";
      const half = await attest(["verify", ...KEYLESS, `--cert-identity=${name}`, "--format=json"]);
      assert.equal(half.code, 1);
      assert.equal(JSON.parse(half.out).errorReason, "missing-issuer-expectation");
      const issuer = "--cert-oidc-issuer=https://token.actions.githubusercontent.com";
      const whole = await attest(["verify", ...KEYLESS, `--cert-identity=${name}`, issuer]);
      assert.equal(whole.code, 0);
      const part = await attest(["verify", ...KEYLESS, "--cert-identity-regex=hello", issuer]);
      assert.equal(part.code, 1);
    });

    it("refuses the root of another instance", async () => {
      const args = ["verify", KEYLESS[0], "--repo=example/hello", "--format=json"];
      const { code, out } = await attest(args);
      assert.equal(code, 1);
      assert.ok(
        JSON.parse(out).artifacts[0].attestations[0].checks.some(
          ({ reason }: { reason?: string }) => reason === "untrusted-certificate",
        ),
      );
    });

    it("prints the document of gh for a keyless attestation", async () => {
      const { code, out } = await attest([
        "verify",
        ...KEYLESS,
        "--repo=example/hello",
        "--format=gh",
      ]);
      assert.equal(code, 0);
      const [{ attestation, verificationResult }] = JSON.parse(out);
      assert.ok(attestation.bundle.verificationMaterial.certificate.rawBytes.length > 100);
      const { certificate } = verificationResult.signature;
      assert.equal(certificate.sourceRepositoryURI, "https://github.com/example/hello");
      assert.equal(certificate.sanType, undefined);
      assert.equal(
        certificate.certificateIssuer,
        "CN=throw-away intermediate,O=sigstore.example",
      );
      assert.deepEqual(Object.keys(verificationResult.verifiedIdentity).sort(), [
        "issuer",
        "sourceRepositoryURI",
        "subjectAlternativeName",
      ]);
      const types = verificationResult.verifiedTimestamps.map(({ type }: { type: string }) => type);
      assert.deepEqual(types.sort(), ["TimestampAuthority", "Tlog"]);
    });

    it("shows a keyless bundle layer by layer", async () => {
      const { code, out } = await attest(["inspect", `${EXAMPLE}/hello.txt.sigstore.json`]);
      assert.equal(code, 0);
      for (
        const text of [
          "NOT VERIFIED",
          "certificate\n",
          "log entry\n",
          "timestamp (RFC 3161)\n",
          "statement\n",
        ]
      ) {
        assert.ok(out.includes(text), text);
      }
    });

    it("says what cannot be read, without a stack", async () => {
      const denied = await attest(["verify", ...KEYLESS, "--repo=example/hello"], {
        permissions: [],
      });
      assert.equal(denied.code, 2);
      assert.equal(denied.out, "");
      assert.ok(denied.err.includes("(unreadable-file)"), denied.err);
      assert.ok(!/\n\s+at /.test(denied.err), denied.err);
      const missing = await attest(["verify", "no-such-file", "--repo=example/hello"]);
      assert.equal(missing.code, 2);
    });

    it("refuses a file of 1 TiB unread, and hashes an artifact of any size in a stream", async () => {
      const large = `${folder}/large.json`;
      const file = await Deno.open(large, { create: true, write: true });
      await file.truncate(2 ** 40);
      const args = ["--key=" + `${EXAMPLE}/keyed/ci.pub`, "--format=json"];
      const asBundle = await attest(["verify", KEYLESS[0], "-b", large, ...args]);
      assert.equal(JSON.parse(asBundle.out).errorReason, "limit-exceeded");
      await file.truncate(100_000_000);
      file.close();
      const asArtifact = await attest([
        "verify",
        large,
        "-b",
        `${EXAMPLE}/keyed/hello.txt.intoto.json`,
        ...args,
      ]);
      assert.equal(JSON.parse(asArtifact.out).errorReason, "subject-mismatch");
    });

    it("writes the output whole, and not where it may not", async () => {
      const output = `${folder}/report.json`;
      const args = ["verify", ...KEYLESS, "--repo=example/hello", "--format=json"];
      const { code, out } = await attest([...args, "--output", output]);
      assert.equal(code, 0);
      assert.equal(out, "");
      assert.equal(JSON.parse(await Deno.readTextFile(output)).ok, true);
      const names = [...Deno.readDirSync(folder)].map(({ name }) => name);
      assert.ok(!names.some((name) => name.endsWith(".tmp")));
      const nowhere = await attest([...args, "--output", `${folder}/no/such/report.json`]);
      assert.equal(nowhere.code, 2);
      assert.ok(nowhere.err.includes("(unreadable-file)"));
    });

    it("does not follow a link out of a folder", async () => {
      const inside = `${folder}/inside`;
      await Deno.mkdir(inside);
      await Deno.copyFile(new URL(`${EXAMPLE}/hello.txt`, ROOT), `${inside}/hello.txt`);
      await Deno.copyFile(
        new URL(`${EXAMPLE}/hello.txt.sigstore.json`, ROOT),
        `${inside}/hello.txt.sigstore.json`,
      );
      await Deno.symlink("/etc", `${inside}/etc`);
      const { code, err } = await attest([
        "verify",
        inside,
        ...KEYLESS.slice(1),
        "--repo=example/hello",
      ]);
      assert.equal(code, 0, err);
      assert.ok(err.includes("Not followed"));
    });

    it("has the version of deno.json", async () => {
      const { version } = JSON.parse(await Deno.readTextFile(new URL("deno.json", ROOT)));
      const { out } = await attest(["--version"]);
      assert.equal(out, `attest ${version} (deno ${Deno.version.deno})\n`);
    });

    it("loads no node: module", async () => {
      const { stdout } = await new Deno.Command(Deno.execPath(), {
        args: ["info", "--json", "cli/verify.ts"],
        cwd: ROOT,
      }).output();
      const { modules } = JSON.parse(new TextDecoder().decode(stdout));
      const statically = new Set<string>();
      const visit = (specifier: string) => {
        if (statically.has(specifier)) return;
        statically.add(specifier);
        const module = modules.find((one: { specifier: string }) => one.specifier === specifier);
        for (const { code, isDynamic } of module?.dependencies ?? []) {
          if (!isDynamic && code?.specifier !== undefined) visit(code.specifier);
        }
      };
      visit(new URL("cli/verify.ts", ROOT).href);
      assert.deepEqual([...statically].filter((one) => one.startsWith("node:")), []);
      assert.ok(![...statically].some((one) => /reasons\.ts|help\.ts|text_report/.test(one)));
    });
  });
} else {
  it("attest as a process: run by Deno only", (t) => t.skip("needs Deno"));
}
