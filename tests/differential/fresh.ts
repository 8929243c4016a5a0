/** Bundles that are signed for the run: by the throw-away instance, and by a local Sigstore. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeBase64 } from "../../internal/base64.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { parseTrustedRoot } from "../../sigstore/mod.ts";
import { parseSigningConfig, signKeyless } from "../../sigstore/sign/mod.ts";
import {
  createInstance,
  GITHUB_ISSUER,
  instanceRoot,
  rekor2,
  stamped,
  WORKFLOW,
} from "../../tools/pki/instance.ts";
import { makeBundle, type Recipe } from "../../tools/pki/instance.ts";
import { trustedRoot } from "../../tools/pki/trusted_root.ts";
import { seeded } from "./mutate.ts";
import type { Question } from "./questions.ts";

async function statement(artifact: Bytes, size = 1): Promise<Bytes> {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", artifact));
  const sha256 = [...hash].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  const others = Array.from({ length: size - 1 }, (_, i) => ({
    name: `other-${i}`,
    digest: { sha256: i.toString(16).padStart(64, "0") },
  }));
  return utf8(JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [...others, { name: "artifact", digest: { sha256 } }],
    predicateType: "https://example.com/predicate/v1",
    predicate: { size },
  }));
}

/** Bundles of the throw-away instance, with random artifacts. */
export async function freshQuestions(seed: number): Promise<Question[]> {
  const instance = await createInstance();
  const root = JSON.stringify(trustedRoot(instanceRoot(instance)));
  const random = seeded(seed ^ 0x5eed);
  const questions: Question[] = [];
  const add = async (id: string, artifact: Bytes, recipe: Recipe) => {
    questions.push({
      id: `fresh/${id}`,
      bundle: JSON.stringify(await makeBundle(instance, recipe)),
      root,
      artifact: { base64: encodeBase64(artifact) },
      identity: WORKFLOW,
      issuer: GITHUB_ISSUER,
    });
  };
  for (const version of ["v0.1", "v0.2", "v0.3"] as const) {
    for (const size of [1, 2, 20]) {
      const artifact = Uint8Array.from({ length: 1 + random.below(3000) }, () => random.below(256));
      const payload = await statement(artifact, size);
      await add(`${version}-blob-${size}`, artifact, { version, content: { artifact } });
      await add(`${version}-dsse-${size}`, artifact, { version, content: { payload } });
      if (version === "v0.1") continue;
      await add(`${version}-stamped-${size}`, artifact, {
        version,
        content: { payload },
        timestamps: stamped(),
      });
      await add(`${version}-rekor2-blob-${size}`, artifact, {
        version,
        content: { artifact },
        entries: rekor2(),
        timestamps: stamped(),
      });
      await add(`${version}-rekor2-dsse-${size}`, artifact, {
        version,
        content: { payload },
        entries: rekor2(),
        timestamps: stamped(),
      });
    }
  }
  return questions;
}

/** Bundles that we and cosign sign with a local Sigstore. */
export async function localQuestions(folder: string): Promise<Question[]> {
  const services = Object.fromEntries(
    readFileSync(join(folder, "env"), "utf8").trim().split("\n").map((line) =>
      [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)] as const
    ),
  );
  const root = readFileSync(services.TRUSTED_ROOT, "utf8");
  const scratch = mkdtempSync(join(tmpdir(), "attest-differential-"));
  const questions: Question[] = [];
  try {
    for (let i = 0; i < 4; i++) {
      const email = `dev${i}@example.com`;
      const token = async () =>
        (await (await fetch(`${services.OIDC}/token?email=${email}`)).text()).trim();
      const artifact = utf8(`artifact ${i} ${crypto.randomUUID()}\n`);
      const payload = await statement(artifact);
      const add = (id: string, bundle: string) =>
        questions.push({
          id: `local/${id}-${i}`,
          bundle,
          root,
          artifact: { base64: encodeBase64(artifact) },
          identity: email,
          issuer: services.OIDC,
        });
      const common = {
        signingConfig: parseSigningConfig(readFileSync(services.SIGNING_CONFIG, "utf8")),
        trustedRoots: [parseTrustedRoot(root)],
      };
      const blob = await signKeyless({ artifact }, { ...common, identityToken: await token() });
      add("ours-blob", blob.text);
      const dsse = await signKeyless(
        { payloadType: "application/vnd.in-toto+json", payload },
        { ...common, identityToken: await token() },
      );
      add("ours-dsse", dsse.text);
      const [file, claim] = [join(scratch, "artifact"), join(scratch, "statement.json")];
      writeFileSync(file, artifact);
      writeFileSync(claim, payload);
      for (const kind of ["blob", "dsse"]) {
        const bundle = join(scratch, `${kind}.json`);
        execFileSync("cosign", [
          ...(kind === "blob" ? ["sign-blob", file] : ["attest-blob", "--statement", claim]),
          ...["--yes", "--identity-token", await token(), "--bundle", bundle],
          ...["--signing-config", services.SIGNING_CONFIG, "--trusted-root", services.TRUSTED_ROOT],
        ], { stdio: "ignore" });
        add(`cosign-${kind}`, readFileSync(bundle, "utf8"));
      }
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return questions;
}
