/** Machines for the cases of options of commands. */

import { createEnvelope } from "../../dsse/mod.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encryptPrivateKey, generateSigner } from "../../keys/mod.ts";
import {
  POLICY_PAYLOAD_TYPE,
  REVOCATIONS_PAYLOAD_TYPE,
  WAIVERS_PAYLOAD_TYPE,
} from "../../policy/mod.ts";
import { createServices } from "../../tools/pki/services.ts";
import { answerOf, integrityOf, keysFile, PACKAGE, sha512Of, TARBALL } from "../fixtures/npm.ts";
import { rootJson } from "../fixtures/sigstore.ts";
import { type Ran, runWords, type World } from "./command_cases.ts";

const TYPE = "application/vnd.in-toto+json";
export const REVIEW = "https://acme.example/review/v1";
export const NOW = new Date("2026-06-01T00:00:00Z");
export const hexOf = (text: string) => encodeHex(sha256(utf8(text)));

/** Made once, however many cases ask for it. */
export function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => made ??= make();
}

const reviewOf = (name: string, sha256: string, result = "PASSED") =>
  JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name, digest: { sha256 } }],
    predicateType: REVIEW,
    predicate: { result },
  });

/** A release that was reviewed, a bad one, and policies about them. */
export const policyWorld = once(() => releaseWorld(hexOf("app"), hexOf("bad")));

/** The same about two digests. */
export async function releaseWorld(good: string, bad: string): Promise<World> {
  const [ci, owner] = [await generateSigner("Ed25519"), await generateSigner("Ed25519")];
  const policy = {
    type: "attest-policy/v1",
    name: "acme",
    trust: { keys: { ci: { publicKey: ci.publicKey } }, roots: [] },
    rules: [{
      id: "release",
      require: [{
        id: "reviewed",
        envelope: { signedBy: { of: ["ci"] } },
        statement: { predicateTypes: [REVIEW] },
        predicate: { where: [{ id: "result", path: "/predicate/result", equals: "PASSED" }] },
      }],
    }],
  };
  const waivers = {
    type: "attest-waivers/v1",
    policy: "acme",
    waivers: [{
      rule: "release/reviewed/predicate.where.result",
      artifact: { digest: `sha256:${bad}` },
      reason: "A known failure",
      owner: "security@acme.example",
      until: "2026-07-01T00:00:00Z",
    }],
  };
  const seal = async (type: string, text: string, { signer } = ci) =>
    JSON.stringify(await createEnvelope(type, utf8(text), signer));
  const revoking = (sequence: number, at: string) =>
    seal(
      REVOCATIONS_PAYLOAD_TYPE,
      JSON.stringify({
        type: "attest-revocations/v1",
        sequence,
        issuedAt: "2026-05-31T00:00:00Z",
        expires: "2026-07-01T00:00:00Z",
        revocations: [{ key: `sha256:${ci.trustedKey.fingerprint}`, at, reason: "retired" }],
      }),
      owner,
    );
  const cases = (ok: boolean) =>
    JSON.stringify({
      type: "attest-policy-tests/v1",
      cases: [{
        name: "good",
        now: NOW.toISOString(),
        artifacts: [{ file: "app.tgz" }],
        attestations: ["app.json"],
        expect: { ok },
      }],
    });
  const files = {
    "app.tgz": "app",
    "bad.tgz": "bad",
    "sums.txt": `${hexOf("app")}  app.tgz\n`,
    "app.json": await seal(TYPE, reviewOf("app.tgz", good)),
    "bad.json": await seal(TYPE, reviewOf("bad.tgz", bad, "FAILED")),
    "ci.pub": ci.publicKey,
    "owner.pub": owner.publicKey,
    "policy.json": JSON.stringify(policy),
    "loose.json": JSON.stringify({ ...policy, mode: "permissive" }),
    "npm.json": JSON.stringify({
      ...policy,
      selection: "all",
      rules: [{ ...policy.rules[0], select: { npm: ["@acme/*"] } }],
    }),
    "expiring.json": JSON.stringify({ ...policy, expires: "2026-12-31T00:00:00Z" }),
    "signed.json": await seal(POLICY_PAYLOAD_TYPE, JSON.stringify(policy), owner),
    "waivers.json": JSON.stringify(waivers),
    "waivers.signed.json": await seal(WAIVERS_PAYLOAD_TYPE, JSON.stringify(waivers), owner),
    "late.json": await revoking(1, "2027-01-01T00:00:00Z"),
    "revoked.json": await revoking(2, "2026-01-01T00:00:00Z"),
    "signing.key": owner.privateKey,
    "policy.tests.json": cases(true),
    "other.tests.json": cases(false),
    "there.json": "{}",
    "cip.json": JSON.stringify({
      apiVersion: "policy.sigstore.dev/v1beta1",
      kind: "ClusterImagePolicy",
      metadata: { name: "images" },
      spec: {
        images: [{ glob: "ghcr.io/acme/*" }],
        authorities: [{ name: "k", key: { data: ci.publicKey } }],
      },
    }),
  };
  return { files, now: NOW };
}

export const reportedWorld = once(async (): Promise<World> => {
  const world = await policyWorld();
  const verify = ["verify", "app.tgz", "-b=app.json", "--policy=policy.json", "--format=json"];
  const { out } = await runWords(world, verify);
  const waived = await runWords(world, [
    ...["verify", "bad.tgz", "-b=bad.json", "--policy=policy.json", "--format=json"],
  ]);
  return { ...world, files: { ...world.files, "report.json": out, "bad.report.json": waived.out } };
});

/** A package of the throw-away registry, and a lockfile with it. */
export const npmWorld = once(async (): Promise<World> => {
  const hex = await sha512Of(TARBALL);
  const at = `npm/_cacache/content-v2/sha512/${hex.slice(0, 2)}/${hex.slice(2, 4)}/${hex.slice(4)}`;
  const answer = JSON.stringify(await answerOf());
  return {
    files: {
      "keys.json": JSON.stringify(await keysFile()),
      "other.json": JSON.stringify(await keysFile({ keyId: "SHA256:other" })),
      "root.json": JSON.stringify(await rootJson()),
      "app.tgz": TARBALL,
      "answer.json": answer,
      "package-lock.json": JSON.stringify({
        lockfileVersion: 3,
        packages: {
          "": {},
          [`node_modules/${PACKAGE.name}`]: {
            version: PACKAGE.version,
            integrity: await integrityOf(TARBALL),
          },
          "node_modules/bare": { version: "1.0.0", integrity: await integrityOf(utf8("bare")) },
        },
      }),
      "answers/@acme%2fapp@1.2.3.json": answer,
      "empty/readme": "",
      "t/acme-app-1.2.3.tgz": TARBALL,
      [at]: TARBALL,
      "expect.json": JSON.stringify({
        packages: { "@acme/app": { repository: "github.com/acme/other" } },
      }),
      "before.json": JSON.stringify({
        packages: [{ name: "bare", version: "0.9.0", status: "verified" }],
      }),
    },
  };
});

export const NPM = ["--npm-keys=keys.json", "--trusted-root=root.json", "--only-root"];
export const PACKAGE_WORDS = [
  ...["verify", "app.tgz", "--bundle=answer.json", "--format=json"],
  ...NPM,
];
export const LOCK_WORDS = [
  ...["verify", "--lockfile=package-lock.json", "--attestations=answers", "--format=json"],
  ...["--unsafe-any-identity", ...NPM],
];
export const tarball = ({ out }: Ran) => {
  const { errorReason, packages } = JSON.parse(out);
  return errorReason ?? packages[0].tarball;
};

/** A summary, signed by a key. */
export const vsaWorld = once(() => summaryWorld(hexOf("app")));

/** The same about a digest. */
export async function summaryWorld(hex: string): Promise<World> {
  const { signer, publicKey } = await generateSigner("Ed25519");
  const summary = {
    _type: "https://in-toto.io/Statement/v1",
    subject: [{
      name: "app",
      digest: { sha256: hex },
      annotations: { sourceRefs: ["refs/heads/main"] },
    }],
    predicateType: "https://slsa.dev/verification_summary/v1",
    predicate: {
      verifier: { id: "https://v.example" },
      timeVerified: "2026-01-01T00:00:00Z",
      resourceUri: "pkg:generic/app@1",
      policy: { uri: "https://v.example/policy" },
      verificationResult: "PASSED",
      verifiedLevels: ["SLSA_BUILD_LEVEL_2"],
      dependencyLevels: { SLSA_BUILD_LEVEL_1: 3 },
    },
  };
  return {
    now: NOW,
    files: {
      app: "app",
      "vsa.json": JSON.stringify(
        await createEnvelope(TYPE, utf8(JSON.stringify(summary)), signer),
      ),
      "v.pub": publicKey,
    },
  };
}
export const VSA = [
  ...["verify", "app", "--vsa=vsa.json", "--key=v.pub", "--format=json"],
  ...["--vsa-verifier-id=https://v.example", "--vsa-resource-uri=pkg:generic/app@1"],
];
export const without = (words: readonly string[], ...names: string[]) =>
  words.filter((word) => !names.some((name) => word.startsWith(`--${name}=`)));

/** Keys to sign with, and what is signed. */
export const signingWorld = once(async (): Promise<World> => {
  const ci = await generateSigner("ES256");
  const p384 = await generateSigner("ES384");
  const services = await createServices();
  return {
    fetch: services.fetch,
    files: {
      "app.tgz": "hello\n",
      "b.tgz": "b\n",
      "dir/a.txt": "a",
      "dir/b.txt": "b",
      "p.json": '{"approved":true}',
      "bad.json": '{"buildDefinition":1}',
      "sums.txt": `${hexOf("hello\n")}  app.tgz\n`,
      "bom.json": '{"bomFormat":"CycloneDX","specVersion":"1.6"}',
      "scan.json": '{"findings":[]}',
      "ci.yml": "on: push",
      "statement.json": reviewOf("app.tgz", hexOf("hello\n")),
      "ci.key": ci.privateKey,
      "ci.pub": ci.publicKey,
      "p384.key": p384.privateKey,
      "sealed.key": await encryptPrivateKey(ci.privateKey, "correct horse"),
      "passphrase": "correct horse\n",
      "wrong": "battery staple\n",
      "envelope.json": JSON.stringify(await createEnvelope("text/plain", "x", p384.signer)),
      "app.tgz.sigstore.json": "mine",
      "token": `${await services.token()}\n`,
      "signing_config.json": JSON.stringify(services.signingConfig()),
      "trusted_root.json": JSON.stringify(services.trustedRoot),
      "trust_config.json": JSON.stringify({
        mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
        trustedRoot: services.trustedRoot,
        signingConfig: services.signingConfig(),
      }),
      "event.json": '{"ref":"refs/heads/main"}',
    },
  };
});
/** A login page that writes down whom it was asked by. */
export const deviceWorld = once(async (): Promise<World> => {
  const { files } = await signingWorld();
  return {
    files,
    fetch: (url, init) => {
      const [issuer, discovery] = url.split("/.well-known/openid-configuration");
      if (discovery !== undefined) {
        return Promise.resolve(Response.json({
          issuer,
          device_authorization_endpoint: `${issuer}/device`,
          token_endpoint: `${issuer}/token`,
        }));
      }
      const client = new URLSearchParams(String(init?.body ?? "")).get("client_id");
      const asked = `${new URL(url).origin} ${client}`;
      return Promise.resolve(Response.json({ error: asked }, { status: 400 }));
    },
  };
});
