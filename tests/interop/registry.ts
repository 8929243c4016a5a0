/**
 * The matrix of `registry.sh`: who puts an attestation beside an image, in which registry, and
 * who finds and verifies it there. A cell is `ok` only if the verifier accepts what is there,
 * and refuses it for another key or signer and for an image that nobody attested.
 *
 *     registry.ts SCRATCH DIR-of-local-sigstore|- [REGISTRY…]
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { attachAttestation, createRepository } from "../../store/oci/mod.ts";
import type { OciDescriptor, OciTarget } from "../../store/oci/mod.ts";
import { attestation } from "../../store/_contract_test.ts";
import { digestOf } from "../fixtures/registry.ts";
import { ROOT, run } from "../runtimes/tools.ts";

const [scratch, sigstore, ...asked] = process.argv.slice(2);
const interop = process.env.INTEROP ?? "../shared/interop";
const USER = "ci:interop-password";
const TYPE = "https://example.com/review/v1";
const BUNDLE = "application/vnd.dev.sigstore.bundle.v0.3+json";
const ISSUED_TO = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main";

interface Registry {
  name: string;
  kind: string;
  args: readonly string[];
}

const REGISTRIES: readonly Registry[] = [
  { name: "strict", kind: "refreg", args: [] },
  { name: "loose", kind: "refreg", args: ["-strict=false"] },
  { name: "none", kind: "refreg", args: ["-referrers=false"] },
  { name: "basic", kind: "refreg", args: ["-auth", USER] },
  { name: "bearer", kind: "refreg", args: ["-auth", USER, "-bearer"] },
  { name: "debian", kind: "debian", args: [] },
];

const services: Record<string, string> = sigstore === "-" ? {} : Object.fromEntries(
  readFileSync(join(sigstore, "env"), "utf8").trim().split("\n").map((line) => {
    const equals = line.indexOf("=");
    return [line.slice(0, equals), line.slice(equals + 1)];
  }),
);
const { OIDC, TRUSTED_ROOT, SIGNING_CONFIG } = services;

const failures: string[] = [];

/** An image that is attested, and how it must have been signed. */
interface Attested {
  /** Host and repository. */
  repository: string;
  /** Tag of it. */
  tag: string;
  /** Digests that are attested: those of platforms, or of the only manifest. */
  digests: readonly string[];
  keyless: boolean;
}

interface Producer {
  name: string;
  absent?: string;
  /** Attests an image that is there; a failure is thrown. */
  produce(at: { host: string; name: string }): Promise<Attested> | Attested;
  /** Consumers that do not read this. */
  not?: readonly string[];
}

interface Consumer {
  name: string;
  absent?: string;
  /** Commands that must all succeed. */
  verify(image: Attested, wrong?: "key"): string[][];
}

class Failed extends Error {}

function tail(text: string): string {
  return text.trim().replace(/[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]+/g, "(token)")
    .split("\n").map((line) => `      ${line}`).slice(-14).join("\n");
}

function attempt(command: readonly string[]): { code: number; out: string } {
  const [program, ...args] = command;
  return run(program, args, { cwd: scratch });
}

function must(command: readonly string[]): string {
  const { code, out } = attempt(command);
  if (code === 0) return out;
  throw new Failed(`${command.slice(0, 3).join(" ")}: exit ${code}\n${tail(out)}`);
}

function missing(command: string, ...args: string[]): string | undefined {
  return run(command, args).code === 127 ? `${command} is not installed` : undefined;
}

const cosignAbsent = missing("cosign", "version");
const keylessAbsent = sigstore === "-" ? "no local Sigstore is running" : undefined;

const OURS = [process.execPath, "run", "-A", "--no-prompt", join(ROOT, "cli.ts")];
const key = join(scratch, "ci");
const wrongKey = join(scratch, "wrong");
const predicate = join(scratch, "predicate.json");
const noServices = join(scratch, "none.json");

function prepare(): void {
  writeFileSync(predicate, JSON.stringify({ approved: true }));
  for (const out of [key, wrongKey]) {
    must([...OURS, "keygen", "--alg", "ES256", "--out", out, "--no-passphrase"]);
  }
  if (cosignAbsent !== undefined) return;
  must(["cosign", "signing-config", "create", "--out", noServices]);
  process.env.COSIGN_PASSWORD = "";
  must([
    "cosign",
    "import-key-pair",
    "--yes",
    "--key",
    `${key}.key`,
    "--output-key-prefix",
    "cosign",
  ]);
}

async function newToken(): Promise<string> {
  const answer = await fetch(`${OIDC}/token?kind=gha&repo=acme/app`);
  if (!answer.ok) throw new Error(`${OIDC}/token answers ${answer.status}`);
  return (await answer.text()).trim();
}

/** The multi-arch image, pushed. */
function push(host: string, name: string): { repository: string; tag: string; digests: string[] } {
  const repository = `${host}/demo/${name}`;
  const out = must(["bash", join(ROOT, interop, "make-multiarch-image.sh"), repository, "1.0"]);
  const digests = [...out.matchAll(/^linux\/\w+ (sha256:[0-9a-f]{64})$/gm)].map(([, one]) => one);
  if (digests.length !== 2) throw new Failed(`no two platforms in\n${tail(out)}`);
  return { repository, tag: "1.0", digests };
}

/** Our attestation of one digest, in a file. */
async function attestByUs(repository: string, digest: string, keyless: boolean): Promise<string> {
  const file = join(scratch, `${digest.slice(7, 19)}-${crypto.randomUUID()}.sigstore.json`);
  const signer = keyless
    ? ["--signing-config", SIGNING_CONFIG, "--trusted-root", TRUSTED_ROOT]
    : ["--key", `${key}.key`];
  if (keyless) {
    writeFileSync(`${file}.token`, await newToken(), { mode: 0o600 });
    signer.push("--identity-token-file", `${file}.token`);
  }
  must([
    ...OURS,
    "attest",
    `oci://${repository}@${digest}`,
    ...["--predicate", predicate, "--type", TYPE, "--output", file],
    ...signer,
  ]);
  return file;
}

async function attach(
  image: { repository: string; tag: string; digests: string[] },
  keyless: boolean,
) {
  const files: string[] = [];
  for (const digest of image.digests) {
    files.push(await attestByUs(image.repository, digest, keyless));
  }
  must([...OURS, "attach", `oci://${image.repository}:${image.tag}`, ...files]);
  return { ...image, keyless };
}

async function attestByCosign(
  image: { repository: string; tag: string; digests: string[] },
  keyless: boolean,
): Promise<Attested> {
  for (const digest of image.digests) {
    const signer = keyless
      ? [
        `--identity-token=${await newToken()}`,
        `--signing-config=${SIGNING_CONFIG}`,
        `--trusted-root=${TRUSTED_ROOT}`,
      ]
      : ["--key=cosign.key", `--signing-config=${noServices}`];
    must([
      ...["cosign", "attest", "--yes", "--allow-http-registry", `--type=${TYPE}`],
      ...[`--predicate=${predicate}`, ...signer, `${image.repository}@${digest}`],
    ]);
  }
  return { ...image, keyless };
}

/** An index as BuildKit makes it, with unsigned Statements in it; the index is attested by us. */
async function buildkit(host: string, name: string): Promise<Attested> {
  const image = push(host, name);
  const target = client(image.repository);
  const index = await target.manifest(await target.resolve("1.0"));
  const parts = index.manifests.map(({ artifactType: _, ...one }) => one);
  const attestations: OciDescriptor[] = [];
  for (const part of parts) {
    const statement = new TextEncoder().encode(JSON.stringify({
      _type: "https://in-toto.io/Statement/v0.1",
      subject: [{ name: "pkg:docker/app@1.0", digest: { sha256: part.digest.slice(7) } }],
      predicateType: "https://slsa.dev/provenance/v0.2",
      predicate: { builder: { id: "" }, buildType: "https://mobyproject.org/buildkit@v1" },
    }));
    const config = new TextEncoder().encode('{"architecture":"unknown","os":"unknown"}');
    const manifest = new TextEncoder().encode(JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      config: await blob(target, config, "application/vnd.oci.image.config.v1+json"),
      layers: [{
        ...await blob(target, statement, "application/vnd.in-toto+json"),
        annotations: { "in-toto.io/predicate-type": "https://slsa.dev/provenance/v0.2" },
      }],
    }));
    const { digest } = await target.putManifest(manifest);
    attestations.push({
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      digest,
      size: manifest.length,
      platform: { architecture: "unknown", os: "unknown" },
      annotations: {
        "vnd.docker.reference.type": "attestation-manifest",
        "vnd.docker.reference.digest": part.digest,
      },
    });
  }
  const bytes = new TextEncoder().encode(JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.index.v1+json",
    manifests: [...parts, ...attestations],
  }));
  await target.putManifest(bytes, { tag: "1.0" });
  const unsigned = attempt([
    ...OURS,
    "verify",
    `oci://${image.repository}:1.0`,
    `--key=${key}.pub`,
  ]);
  if (unsigned.code !== 1 || !unsigned.out.includes("unsigned-statement")) {
    throw new Failed(`unsigned Statements: exit ${unsigned.code}\n${tail(unsigned.out)}`);
  }
  return await attach(image, false);
}

async function blob(target: OciTarget, bytes: Uint8Array, mediaType: string) {
  const descriptor = { mediaType, digest: digestOf(bytes), size: bytes.length };
  await target.putBlob(descriptor, bytes);
  return descriptor;
}

function client(repository: string): OciTarget {
  const [username, password] = USER.split(":");
  const credentials = () => Promise.resolve({ username, password });
  return createRepository(repository, { credentials });
}

/** A chart, pushed by Helm and attested by us. */
async function helm(host: string, name: string): Promise<Attested> {
  const folder = join(scratch, `${name}-chart`);
  if (!existsSync(folder)) mkdirSync(folder);
  const chart = `apiVersion: v2\nname: ${name}\nversion: 0.1.0\n`;
  writeFileSync(join(folder, "Chart.yaml"), chart);
  must(["helm", "package", folder]);
  must(["helm", "push", `${name}-0.1.0.tgz`, `oci://${host}/charts`, "--plain-http"]);
  const repository = `${host}/charts/${name}`;
  const { digest } = await client(repository).resolve("0.1.0");
  return await attach({ repository, tag: "0.1.0", digests: [digest] }, false);
}

const PRODUCERS: readonly Producer[] = [
  {
    name: "ours, key",
    produce: ({ host, name }) => attach(push(host, name), false),
  },
  {
    name: "ours, keyless",
    absent: keylessAbsent,
    produce: ({ host, name }) => attach(push(host, name), true),
  },
  {
    name: "cosign, key",
    absent: cosignAbsent,
    produce: ({ host, name }) => attestByCosign(push(host, name), false),
  },
  {
    name: "cosign, keyless",
    absent: cosignAbsent ?? keylessAbsent,
    produce: ({ host, name }) => attestByCosign(push(host, name), true),
  },
  {
    name: "oras",
    absent: missing("oras", "version"),
    async produce({ host, name }) {
      const image = push(host, name);
      for (const digest of image.digests) {
        const file = await attestByUs(image.repository, digest, false);
        must([
          ...["oras", "attach", "--plain-http", "--disable-path-validation"],
          ...["--artifact-type", BUNDLE, `${image.repository}@${digest}`, `${file}:${BUNDLE}`],
        ]);
      }
      return { ...image, keyless: false };
    },
  },
  { name: "BuildKit's shape", produce: ({ host, name }) => buildkit(host, name) },
  {
    name: "Helm",
    absent: missing("helm", "version"),
    produce: ({ host, name }) => helm(host, name),
  },
  {
    name: "our copy of cosign's",
    absent: cosignAbsent,
    async produce({ host, name }) {
      const image = await attestByCosign(push(host, name), false);
      const layout = join(scratch, `${name}-layout-${host.replace(":", "-")}`);
      must([
        ...OURS,
        "copy",
        `oci://${image.repository}:1.0`,
        `oci-layout:${layout}`,
      ]);
      const repository = `${host}/copied/${name}`;
      must([
        ...OURS,
        "copy",
        `oci-layout:${layout}:1.0`,
        `oci://${repository}:1.0`,
      ]);
      return { ...image, repository };
    },
  },
];

const CONSUMERS: readonly Consumer[] = [
  {
    name: "ours",
    verify: ({ repository, tag, keyless }, wrong) => [[
      ...OURS,
      "verify",
      `oci://${repository}:${tag}`,
      `--predicate-type=${TYPE}`,
      ...(keyless
        ? [
          `--trusted-root=${TRUSTED_ROOT}`,
          "--only-root",
          `--cert-identity=${wrong === undefined ? ISSUED_TO : ISSUED_TO.slice(0, -1)}`,
          `--cert-oidc-issuer=${OIDC}/gha`,
        ]
        : [`--key=${wrong === undefined ? key : wrongKey}.pub`]),
    ]],
  },
  {
    name: "cosign",
    absent: cosignAbsent,
    verify: ({ repository, digests, keyless }, wrong) =>
      digests.map((digest) => [
        ...["cosign", "verify-attestation", "--allow-http-registry", `--type=${TYPE}`],
        ...(keyless
          ? [
            `--trusted-root=${TRUSTED_ROOT}`,
            `--certificate-identity=${wrong === undefined ? ISSUED_TO : ISSUED_TO.slice(0, -1)}`,
            `--certificate-oidc-issuer=${OIDC}/gha`,
          ]
          : [`--key=${wrong === undefined ? key : wrongKey}.pub`, "--insecure-ignore-tlog"]),
        `${repository}@${digest}`,
      ]),
  },
];

function judge(cell: string, consumer: Consumer, image: Attested, bare: Attested): "ok" | "FAIL" {
  for (const command of consumer.verify(image)) {
    const { code, out } = attempt(command);
    if (code === 0) continue;
    failures.push(`${cell}: exit ${code}\n${tail(out)}`);
    return "FAIL";
  }
  const attacks: [string, string[][]][] = [
    ["another signer", consumer.verify(image, "key")],
    ["an image without attestations", consumer.verify({ ...bare, keyless: image.keyless })],
  ];
  for (const [what, commands] of attacks) {
    for (const command of commands) {
      const { code, out } = attempt(command);
      if (code !== 0 && code < 126) continue;
      failures.push(`${cell}: accepts ${what} (exit ${code})\n${tail(out)}`);
      return "FAIL";
    }
  }
  return "ok";
}

/** What must hold of a registry beside the matrix. */
async function properties(host: string): Promise<[string, boolean][]> {
  const found: [string, boolean][] = [];
  const half = push(host, "half");
  const [amd64] = half.digests;
  const file = await attestByUs(half.repository, amd64, false);
  must([...OURS, "attach", `oci://${half.repository}:1.0`, file]);
  const verdict = attempt([...OURS, "verify", `oci://${half.repository}:1.0`, `--key=${key}.pub`]);
  found.push([
    "one platform without attestation fails, and is named",
    verdict.code === 1 && /FAILED .*linux\/arm64/.test(verdict.out) &&
    /PASSED .*linux\/amd64/.test(verdict.out),
  ]);
  // Another one, so that its list is empty.
  const many = push(host, "many");
  const subject = await client(many.repository).resolve("1.0");
  const hex = subject.digest.slice("sha256:".length);
  const contents = Array.from({ length: 8 }, (_, i) => attestation([{ sha256: hex }], `${i}`));
  await Promise.all(
    contents.map((content) => attachAttestation(client(many.repository), subject, { content })),
  );
  const { manifests } = await client(many.repository).referrers(subject.digest);
  found.push(["eight writers at once lose no entry", manifests.length === contents.length]);
  return found;
}

function start({ name, kind, args }: Registry): string | undefined {
  const script = join(ROOT, interop, "registry.sh");
  const folder = join(scratch, `registry-${name}`);
  const { code, out } = run("bash", [script, "start", kind, folder, ...args]);
  const host = out.trim().split("\n").at(-1) ?? "";
  if (code !== 0 || !/^127\.0\.0\.1:\d+$/.test(host)) return undefined;
  if (args.includes("-auth")) {
    const config = { auths: { [host]: { auth: btoa(USER) } } };
    writeFileSync(join(process.env.DOCKER_CONFIG ?? "", "config.json"), JSON.stringify(config));
  }
  return host;
}

prepare();
const chosen = REGISTRIES.filter(({ name }) => asked.length === 0 || asked.includes(name));
let passed = 0, failed = 0, absent = 0;
const rows: string[][] = [[
  "",
  ...chosen.flatMap(({ name }) => CONSUMERS.map((consumer) => `${name}/${consumer.name}`)),
]];
const table = new Map(PRODUCERS.map(({ name }) => [name, [] as string[]]));
for (const registry of chosen) {
  const lacks = registry.kind === "debian" ? missing("docker-registry", "--help") : undefined;
  const host = lacks === undefined ? start(registry) : undefined;
  if (host === undefined && lacks === undefined) failures.push(`${registry.name} does not start`);
  const bare = host === undefined ? undefined : { ...push(host, "bare"), keyless: false };
  for (const [i, producer] of PRODUCERS.entries()) {
    let image: Attested | undefined;
    if (host !== undefined && producer.absent === undefined) {
      try {
        image = await producer.produce({ host, name: `p${i}` });
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        failures.push(`${producer.name} in ${registry.name}: ${error.message}`);
      }
    }
    for (const consumer of CONSUMERS) {
      const cell = `${consumer.name} verifies ${producer.name} in ${registry.name}`;
      const isAbsent = lacks ?? producer.absent ?? consumer.absent;
      const verdict = isAbsent !== undefined
        ? "n/a"
        : image === undefined || bare === undefined
        ? "FAIL"
        : judge(cell, consumer, image, bare);
      table.get(producer.name)?.push(verdict);
      process.stderr.write(`${cell}: ${verdict}\n`);
      if (verdict === "ok") passed++;
      else if (verdict === "n/a") absent++;
      else failed++;
    }
  }
  for (const [what, holds] of host === undefined ? [] : await properties(host)) {
    if (holds) passed++;
    else {
      failed++;
      failures.push(`${registry.name}: ${what}: it does not`);
    }
  }
}

for (const [name, cells] of table) rows.push([name, ...cells]);
const width = Math.max(...PRODUCERS.map(({ name }) => name.length)) + 2;
console.log(
  "Rows attest, columns are REGISTRY/who verifies; each cell also refuses another signer and an " +
    "image that nobody attested",
);
for (const [name, ...cells] of rows) {
  console.log(name.padEnd(width) + cells.map((cell) => cell.padEnd(15)).join("").trimEnd());
}
for (const { name, absent } of [...PRODUCERS, ...CONSUMERS]) {
  if (absent !== undefined) console.log(`n/a ${name}: ${absent}`);
}
for (const failure of failures) console.log(`FAIL ${failure}`);
console.log(`${passed} passed, ${failed} failed, ${absent} not applicable`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
