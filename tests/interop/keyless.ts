/**
 * The matrix of `keyless.sh`: who signs, who verifies, DSSE or blob. A cell is `ok` only if
 * the verifier accepts the bundle, and refuses it for another artifact and for another signer.
 *
 *     keyless.ts DIR-of-local-sigstore SCRATCH
 */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { findNode, ROOT, run, ToolAbsent } from "../runtimes/tools.ts";

type Kind = "DSSE" | "blob";

/** What a bundle must be accepted for, and by whom it must have been signed. */
interface Question {
  kind: Kind;
  bundle: string;
  artifact: string;
  identity: string;
  issuer: string;
}

/** What is to be signed, where the bundle goes, and the token that allows it. */
interface Task {
  kind: Kind;
  bundle: string;
  artifact: string;
  token: string;
}

/** A command with its arguments. */
type Command = readonly string[];

interface Peer {
  name: string;
  /** Why it cannot take part here; printed, and counted as `n/a`. */
  absent?: string;
  sign(task: Task): Command;
  verify(question: Question): Command;
}

const [sigstore, scratch] = process.argv.slice(2);
const services: Record<string, string> = Object.fromEntries(
  readFileSync(join(sigstore, "env"), "utf8").trim().split("\n").map((line) => {
    const equals = line.indexOf("=");
    return [line.slice(0, equals), line.slice(equals + 1)];
  }),
);
const { OIDC, TRUSTED_ROOT, SIGNING_CONFIG, TRUST_CONFIG } = services;
const ISSUER = `${OIDC}/gha`;
const IDENTITY = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main";
const OTHER_IDENTITY = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/mai";
const PREDICATE_TYPE = "https://slsa.dev/provenance/v1";

const artifact = join(scratch, "app.txt");
const other = join(scratch, "other", "app.txt");
const predicate = join(scratch, "predicate.json");
const statement = join(scratch, "statement.json");

async function prepare(): Promise<void> {
  mkdirSync(join(scratch, "other"));
  writeFileSync(artifact, "interop\n");
  writeFileSync(other, "interoq\n");
  const provenance = {
    buildDefinition: {
      buildType: "https://example.com/build/v1",
      externalParameters: { workflow: "release.yml" },
      internalParameters: {},
      resolvedDependencies: [],
    },
    runDetails: { builder: { id: "https://example.com/builder" } },
  };
  writeFileSync(predicate, JSON.stringify(provenance));
  const digest = await crypto.subtle.digest("SHA-256", readFileSync(artifact));
  const sha256 = [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, "0"));
  writeFileSync(
    statement,
    JSON.stringify({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ name: "app.txt", digest: { sha256: sha256.join("") } }],
      predicateType: PREDICATE_TYPE,
      predicate: provenance,
    }),
  );
}

async function newToken(): Promise<string> {
  const answer = await fetch(`${OIDC}/token?kind=gha&repo=acme/app`);
  if (!answer.ok) throw new Error(`${OIDC}/token answers ${answer.status}`);
  return (await answer.text()).trim();
}

function missing(command: string, ...args: string[]): string | undefined {
  return run(command, args).code === 127 ? `${command} is not installed` : undefined;
}

/** Our command line, in one runtime. */
function ours(name: string, runtime: () => Command): Peer {
  let command: Command = [];
  let absent: string | undefined;
  try {
    command = runtime();
  } catch (error) {
    if (!(error instanceof ToolAbsent)) throw error;
    absent = error.message;
  }
  const services = ["--trusted-root", TRUSTED_ROOT, "--signing-config", SIGNING_CONFIG];
  return {
    name,
    absent,
    sign({ kind, bundle, artifact, token }): Command {
      const file = `${bundle}.token`;
      writeFileSync(file, token, { mode: 0o600 });
      const what = kind === "blob"
        ? ["sign", artifact]
        : ["attest", artifact, "--type", "slsaprovenance1", "--predicate", predicate];
      return [...command, ...what, ...services, "--identity-token-file", file, "--output", bundle];
    },
    verify: ({ bundle, artifact, identity, issuer }) => [
      ...command,
      "verify",
      artifact,
      `--bundle=${bundle}`,
      `--trusted-root=${TRUSTED_ROOT}`,
      "--only-root",
      `--cert-identity=${identity}`,
      `--cert-oidc-issuer=${issuer}`,
    ],
  };
}

const cosign: Peer = {
  name: "cosign",
  absent: missing("cosign", "version"),
  sign: ({ kind, bundle, artifact, token }) => [
    "cosign",
    ...kind === "blob" ? ["sign-blob"] : ["attest-blob", "--statement", statement],
    "--yes",
    `--identity-token=${token}`,
    `--signing-config=${SIGNING_CONFIG}`,
    `--trusted-root=${TRUSTED_ROOT}`,
    `--bundle=${bundle}`,
    ...kind === "blob" ? [artifact] : [],
  ],
  verify: ({ kind, bundle, artifact, identity, issuer }) => [
    "cosign",
    ...kind === "blob" ? ["verify-blob"] : ["verify-blob-attestation", "--type", "slsaprovenance1"],
    "--use-signed-timestamps",
    `--trusted-root=${TRUSTED_ROOT}`,
    `--bundle=${bundle}`,
    `--certificate-identity=${identity}`,
    `--certificate-oidc-issuer=${issuer}`,
    artifact,
  ],
};

const sigstoreGo: Peer = {
  name: "sigstore-go",
  absent: missing("sigstore-go-conformance"),
  sign: ({ kind, bundle, artifact, token }) => [
    "sigstore-go-conformance",
    "sign-bundle",
    ...kind === "DSSE" ? ["--in-toto"] : [],
    ...["--identity-token", token, "--bundle", bundle],
    ...["--trusted-root", TRUSTED_ROOT, "--signing-config", SIGNING_CONFIG],
    kind === "DSSE" ? statement : artifact,
  ],
  verify: ({ bundle, artifact, identity, issuer }) => [
    "sigstore-go-conformance",
    "verify-bundle",
    ...["--bundle", bundle, "--trusted-root", TRUSTED_ROOT],
    ...["--certificate-identity", identity, "--certificate-oidc-issuer", issuer],
    artifact,
  ],
};

const python = process.env.PY ?? "python3";
const sigstorePython: Peer = {
  name: "sigstore-python",
  absent: missing(python, "--version") ??
    (run(python, ["-m", "sigstore", "--version"]).code === 0
      ? undefined
      : `${python} has no command sigstore`),
  sign: ({ kind, bundle, artifact, token }) => [
    ...[python, "-m", "sigstore", "--trust-config", TRUST_CONFIG],
    ...kind === "blob"
      ? ["sign"]
      : ["attest", "--predicate-type", PREDICATE_TYPE, "--predicate", predicate],
    ...["--identity-token", token, "--bundle", bundle],
    artifact,
  ],
  verify: ({ bundle, artifact, identity, issuer }) => [
    ...[python, "-m", "sigstore", "--trust-config", TRUST_CONFIG, "verify", "identity"],
    ...["--bundle", bundle, "--cert-identity", identity, "--cert-oidc-issuer", issuer],
    artifact,
  ],
};

const cli = join(ROOT, "cli.ts");
const PEERS: readonly Peer[] = [
  ours("ours (Deno)", () => [process.execPath, "run", "-A", "--no-prompt", cli]),
  ours("ours (Node 24)", () => [process.env.NODE24 ?? findNode(24), cli]),
  cosign,
  sigstoreGo,
  sigstorePython,
];

const failures: string[] = [];

function tail(text: string): string {
  return text.trim().replace(/[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]{20,}\.[A-Za-z0-9_-]+/g, "(token)")
    .split("\n").map((line) => `      ${line}`).slice(-12).join("\n");
}

function execute([command, ...args]: Command): { code: number; out: string } {
  return run(command, args, { cwd: scratch });
}

async function produce(peer: Peer, kind: Kind): Promise<string | undefined> {
  const bundle = join(scratch, `${PEERS.indexOf(peer)}-${kind}.sigstore.json`);
  const { code, out } = execute(
    peer.sign({ kind, bundle, artifact, token: await newToken() }),
  );
  if (code === 0 && existsSync(bundle)) {
    const wrong = notRekorV2(readFileSync(bundle, "utf8"), kind);
    if (wrong === undefined) return bundle;
    failures.push(`${peer.name} signs ${kind}: ${wrong}`);
  } else failures.push(`${peer.name} signs ${kind}: exit ${code}\n${tail(out)}`);
  return undefined;
}

/** What is wrong with a bundle that should hold one Rekor v2 entry and a timestamp. */
function notRekorV2(text: string, kind: Kind): string | undefined {
  const { mediaType, verificationMaterial, dsseEnvelope, messageSignature } = JSON.parse(text);
  if (mediaType !== "application/vnd.dev.sigstore.bundle.v0.3+json") return `is ${mediaType}`;
  if ((kind === "DSSE" ? dsseEnvelope : messageSignature) === undefined) return `has no ${kind}`;
  const [entry] = verificationMaterial.tlogEntries ?? [];
  if (entry?.kindVersion?.version !== "0.0.2") return "has no entry of Rekor v2";
  const stamps = verificationMaterial.timestampVerificationData?.rfc3161Timestamps ?? [];
  return stamps.length === 0 ? "has no RFC 3161 timestamp" : undefined;
}

function judge(producer: Peer, verifier: Peer, question: Question): "ok" | "FAIL" {
  const cell = `${verifier.name} verifies ${question.kind} of ${producer.name}`;
  const good = execute(verifier.verify(question));
  if (good.code !== 0) {
    failures.push(`${cell}: exit ${good.code}\n${tail(good.out)}`);
    return "FAIL";
  }
  let verdict: "ok" | "FAIL" = "ok";
  const attacks: [string, Partial<Question>][] = [
    ["another artifact", { artifact: other }],
    ["another signer", { identity: OTHER_IDENTITY }],
  ];
  for (const [what, change] of attacks) {
    const { code, out } = execute(verifier.verify({ ...question, ...change }));
    if (code !== 0 && code < 126) continue;
    failures.push(`${cell}: accepts ${what} (exit ${code})\n${tail(out)}`);
    verdict = "FAIL";
  }
  return verdict;
}

await prepare();
const present = PEERS.filter(({ absent }) => absent === undefined);
// The first entry of a log leaves out its index, 0, which sigstore-python does not read:
// one that nobody verifies goes before.
const warm = present.find((peer) => peer === cosign || peer === sigstoreGo) ?? present[0];
if (warm !== undefined) {
  const bundle = join(scratch, "first.sigstore.json");
  const { code, out } = execute(
    warm.sign({ kind: "blob", bundle, artifact, token: await newToken() }),
  );
  if (code !== 0) console.log(`${warm.name} cannot make the first entry of the log\n${tail(out)}`);
}

const width = Math.max(...PEERS.map(({ name }) => name.length)) + 1;
const rows: string[] = [];
let passed = 0, failed = 0, absent = 0;
for (const kind of ["DSSE", "blob"] as const) {
  rows.push(["", `${kind}, Rekor v2`, ...PEERS.map(({ name }) => name)].join("|"));
  for (const producer of PEERS) {
    const bundle = producer.absent === undefined ? await produce(producer, kind) : undefined;
    const cells = PEERS.map((verifier): string => {
      if (producer.absent !== undefined || verifier.absent !== undefined) return "n/a";
      if (bundle === undefined) return "FAIL";
      return judge(producer, verifier, {
        kind,
        bundle,
        artifact,
        identity: IDENTITY,
        issuer: ISSUER,
      });
    });
    passed += cells.filter((cell) => cell === "ok").length;
    failed += cells.filter((cell) => cell === "FAIL").length;
    absent += cells.filter((cell) => cell === "n/a").length;
    rows.push(["", producer.name, ...cells].join("|"));
  }
}

console.log(
  "Rows sign, columns verify; each cell also refuses another artifact and another signer",
);
for (const row of rows) {
  console.log(row.split("|").slice(1).map((cell) => cell.padEnd(width + 2)).join("").trimEnd());
}
for (const { name, absent } of PEERS) {
  if (absent !== undefined) console.log(`n/a ${name}: ${absent}`);
}
for (const failure of failures) console.log(`FAIL ${failure}`);
console.log(`${passed} passed, ${failed} failed, ${absent} not applicable`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
