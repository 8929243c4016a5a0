/** Cases of the options of the commands that verify: `verify`, `vsa create`, `diff`, `policy init`. */

import { createEnvelope } from "../../dsse/mod.ts";
import { utf8 } from "../../internal/bytes.ts";
import { generateSigner } from "../../keys/mod.ts";
import {
  ARTIFACT_SHA256,
  certificateClaims,
  provenanceBundle,
  provenanceStatement,
  REPOSITORY,
  workflowOf,
} from "../fixtures/provenance.ts";
import { ARTIFACT, rootJson } from "../fixtures/sigstore.ts";
import type { CommandCase, World } from "./command_cases.ts";

const ISSUER = "https://token.actions.githubusercontent.com";
const WORKFLOW = workflowOf(REPOSITORY);
const ROOT = ["--trusted-root=root.json", "--only-root"];
const SAN = `--cert-identity=${WORKFLOW}`;
const BY = `--cert-oidc-issuer=${ISSUER}`;
const TYPE = "application/vnd.in-toto+json";

const made = new Map<string, Promise<World>>();

function once(name: string, make: () => Promise<World>): Promise<World> {
  const found = made.get(name) ?? make();
  made.set(name, found);
  return found;
}

const subjectOf = (hex: string) => ({
  subject: [{ name: "artifact.txt", digest: { sha256: hex } }],
});

/** An artifact with provenance by a workflow of the throw-away instance. */
export function keylessWorld(hex: string = ARTIFACT_SHA256): Promise<World> {
  return once(`keyless ${hex}`, async () => {
    const statement = subjectOf(hex);
    const claims = { ...certificateClaims(), 11: "self-hosted" };
    const unlogged = { entries: () => Promise.resolve([]) };
    return {
      files: {
        "artifact.txt": ARTIFACT,
        "b.json": JSON.stringify(await provenanceBundle({ statement })),
        "self-hosted.json": JSON.stringify(await provenanceBundle({ claims, statement })),
        "unlogged.json": JSON.stringify(await provenanceBundle({ recipe: unlogged, statement })),
        "root.json": JSON.stringify(await rootJson()),
        "signing.key": (await generateSigner("Ed25519")).privateKey,
      },
    };
  });
}

/** An artifact with envelopes by two keys, alone and together. */
export function keyedWorld(hex: string = ARTIFACT_SHA256): Promise<World> {
  return once(`keyed ${hex}`, async () => {
    const ci = await generateSigner("ES256", { name: "ci" });
    const other = await generateSigner("Ed25519", { name: "other" });
    const wide = await generateSigner("ECDSA-P256-SHA512", { name: "wide" });
    const bytes = utf8(JSON.stringify(provenanceStatement({ statement: subjectOf(hex) })));
    const by = async (...signers: (typeof ci)["signer"][]) =>
      JSON.stringify(await createEnvelope(TYPE, bytes, signers));
    const set = (entry: object) =>
      JSON.stringify({
        type: "attest-key-set/v1",
        keys: [{ name: "ci", publicKey: ci.publicKey, ...entry }],
      });
    return {
      files: {
        "artifact.txt": ARTIFACT,
        "b.json": await by(ci.signer),
        "both.json": await by(ci.signer, other.signer),
        "wide.json": await by(wide.signer),
        "ci.pub": ci.publicKey,
        "ci.key": ci.privateKey,
        "other.pub": other.publicKey,
        "wide.pub": wide.publicKey,
        "keys.json": set({}),
        "signing.key": ci.privateKey,
        "builders.json": JSON.stringify({
          builders: [{ signer: { keys: ["ci.pub"] }, builderId: WORKFLOW, maxBuildLevel: 2 }],
        }),
      },
    };
  });
}

/** Options of verification: what is given without, and with. */
export interface Verifying {
  world?: (hex?: string) => Promise<World>;
  bundle?: string;
  without: readonly string[];
  more: readonly string[];
  wanted: readonly [string, string];
}

const WHO = [SAN, BY];
const PROVENANCE = [...WHO, "--source-uri=github.com/acme/app"];

/** By option; the same words must decide the same in each of the commands that has it. */
export const VERIFYING: Readonly<Record<string, Verifying>> = {
  "repo": {
    without: ROOT,
    more: ["--repo=acme/app"],
    wanted: ["missing-identity-expectation", "ok"],
  },
  "owner": {
    without: ROOT,
    more: ["--owner=acme"],
    wanted: ["missing-identity-expectation", "ok"],
  },
  "signer-repo": {
    without: [...ROOT, "--repo=acme/app"],
    more: ["--signer-repo=acme/workflows"],
    wanted: ["ok", "identity-mismatch"],
  },
  "signer-workflow": {
    without: [...ROOT, "--repo=acme/app"],
    more: ["--signer-workflow=acme/app/.github/workflows/other.yml"],
    wanted: ["ok", "identity-mismatch"],
  },
  "signer-digest": {
    without: [...ROOT, "--repo=acme/app"],
    more: [`--signer-digest=${"d".repeat(40)}`],
    wanted: ["ok", "certificate-claim-mismatch"],
  },
  "source-ref": {
    without: [...ROOT, "--repo=acme/app"],
    more: ["--source-ref=refs/tags/v9"],
    wanted: ["ok", "certificate-claim-mismatch"],
  },
  "source-digest": {
    without: [...ROOT, "--repo=acme/app"],
    more: [`--source-digest=${"d".repeat(40)}`],
    wanted: ["ok", "certificate-claim-mismatch"],
  },
  "deny-self-hosted-runners": {
    bundle: "self-hosted.json",
    without: [...ROOT, "--repo=acme/app"],
    more: ["--deny-self-hosted-runners"],
    wanted: ["ok", "self-hosted-runner"],
  },
  "cert-identity": {
    without: [...ROOT, BY],
    more: [SAN],
    wanted: ["missing-identity-expectation", "ok"],
  },
  "cert-identity-regex": {
    without: [...ROOT, BY],
    more: ["--cert-identity-regex=https://github\\.com/acme/app/.*"],
    wanted: ["missing-identity-expectation", "ok"],
  },
  "cert-oidc-issuer": {
    without: [...ROOT, "--repo=acme/app"],
    more: ["--cert-oidc-issuer=https://issuer.example"],
    wanted: ["ok", "issuer-mismatch"],
  },
  "key": {
    world: keyedWorld,
    without: [],
    more: ["--key=ci.pub"],
    wanted: ["missing-trusted-key", "ok"],
  },
  "key-set": {
    world: keyedWorld,
    without: [],
    more: ["--key-set=keys.json"],
    wanted: ["missing-trusted-key", "ok"],
  },
  "threshold": {
    world: keyedWorld,
    without: ["--key=ci.pub", "--key=other.pub"],
    more: ["--threshold=2"],
    wanted: ["ok", "threshold-not-met"],
  },
  "key-alg": {
    world: keyedWorld,
    bundle: "wide.json",
    without: ["--key=wide.pub"],
    more: ["--key-alg=ECDSA-P256-SHA512"],
    wanted: ["invalid-signature", "ok"],
  },
  "accept-format": {
    world: keyedWorld,
    without: ["--key=ci.pub"],
    more: ["--accept-format=jws"],
    wanted: ["ok", "format-not-accepted"],
  },
  "predicate-type": {
    without: [...ROOT, ...WHO],
    more: ["--predicate-type=https://slsa.dev/provenance/v0.2"],
    wanted: ["ok", "predicate-type-mismatch"],
  },
  "source-uri": {
    without: [...ROOT, ...WHO],
    more: ["--source-uri=github.com/acme/other"],
    wanted: ["ok", "source-mismatch"],
  },
  "source-branch": {
    without: [...ROOT, ...PROVENANCE],
    more: ["--source-branch=main"],
    wanted: ["ok", "branch-mismatch"],
  },
  "source-tag": {
    without: [...ROOT, ...PROVENANCE],
    more: ["--source-tag=v9"],
    wanted: ["ok", "tag-mismatch"],
  },
  "source-versioned-tag": {
    without: [...ROOT, ...PROVENANCE],
    more: ["--source-versioned-tag=v9"],
    wanted: ["ok", "versioned-tag-mismatch"],
  },
  "builder-id": {
    without: [...ROOT, ...PROVENANCE],
    more: ["--builder-id=https://builder.example"],
    wanted: ["ok", "unexpected-builder"],
  },
  "build-workflow-input": {
    without: [...ROOT, ...PROVENANCE],
    more: ["--build-workflow-input=a=b"],
    wanted: ["ok", "workflow-input-mismatch"],
  },
  "build-type": {
    without: [...ROOT, ...PROVENANCE],
    more: ["--build-type=https://type.example"],
    wanted: ["ok", "build-type-mismatch"],
  },
  "min-level": {
    without: [...ROOT, ...PROVENANCE],
    more: ["--min-level=3"],
    wanted: ["ok", "insufficient-level"],
  },
  "builders": {
    world: keyedWorld,
    without: ["--key=ci.pub", "--source-uri=github.com/acme/app", "--min-level=2"],
    more: ["--builders=builders.json"],
    wanted: ["insufficient-level", "ok"],
  },
  "trusted-root": {
    without: WHO,
    more: ["--trusted-root=root.json"],
    wanted: ["untrusted-certificate", "ok"],
  },
  "tlog-threshold": {
    without: [...ROOT, ...WHO],
    more: ["--tlog-threshold=2"],
    wanted: ["ok", "log-threshold-not-met"],
  },
  "sct-threshold": {
    without: [...ROOT, ...WHO],
    more: ["--sct-threshold=2"],
    wanted: ["ok", "sct-threshold-not-met"],
  },
  "tsa-threshold": {
    without: [...ROOT, ...WHO],
    more: ["--tsa-threshold=1"],
    wanted: ["ok", "timestamp-threshold-not-met"],
  },
  "timestamp-threshold": {
    without: [...ROOT, ...WHO],
    more: ["--timestamp-threshold=2"],
    wanted: ["ok", "timestamp-threshold-not-met"],
  },
  "unsafe-certificate-time": {
    bundle: "unlogged.json",
    without: [...ROOT, ...WHO, "--tlog-threshold=0"],
    more: ["--unsafe-certificate-time"],
    wanted: ["timestamp-threshold-not-met", "ok"],
  },
  "unsafe-any-identity": {
    without: ROOT,
    more: ["--unsafe-any-identity"],
    wanted: ["missing-identity-expectation", "ok"],
  },
};

/** How each of the commands is given a bundle. */
export const COMMANDS: Readonly<Record<string, (bundle: string) => string[]>> = {
  "verify": (bundle) => ["verify", "artifact.txt", `--bundle=${bundle}`, "--format=json"],
  "vsa create": (bundle) => [
    ...["vsa", "create", "artifact.txt", `--bundle=${bundle}`],
    ...["--verifier-id=https://v.example", "--resource-uri=pkg:generic/a@1"],
    ...["--policy-uri=https://v.example/policy", "--level=REVIEWED"],
    ...["--signing-key=signing.key", "--output=vsa.json"],
  ],
  "diff": (bundle) => ["diff", bundle, bundle],
  "convert": (bundle) => [
    ...["convert", bundle, "artifact.txt", "--attester=https://a.example"],
    ...[
      "--download-location=https://a.example/old",
      "--signing-key=signing.key",
      "--output=out.json",
    ],
  ],
  "policy init": (bundle) => ["policy", "init", "artifact.txt", `--bundle=${bundle}`],
};

/** The cases of an option of one of these commands. */
export function verifyingCase(command: string, option: string): CommandCase | undefined {
  const found = VERIFYING[option];
  if (found === undefined) return undefined;
  const { world = keylessWorld, bundle = "b.json", without, more, wanted } = found;
  return { world: () => world(), words: [...COMMANDS[command](bundle), ...without], more, wanted };
}
