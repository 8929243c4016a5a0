import { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { printable, quote } from "../internal/json.ts";
import type { NpmExpectation, NpmPackage, NpmTrust } from "../npm/mod.ts";
import type { NpmRegistry } from "../store/npm.ts";
import { type OptionSpec, type ParsedArgs, usageError } from "./args.ts";
import { type Artifact, readArtifacts, toInput } from "./artifacts.ts";
import { readRoots } from "./trust.ts";
import { inFile } from "./in_file.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { MAX_ANSWER_BYTES, paintOf, print } from "./npm_print.ts";
import { progressBar } from "./progress.ts";
import { readBounded, type Runtime } from "./runtime.ts";
import { isReportFormat, reportText } from "./reports/report.ts";
import { safeJson } from "./text.ts";
import { isForUpload, refuseExitCode } from "./present.ts";
import { placeOfArtifact } from "./verify_artifacts.ts";

/** Options that only one package has, and those that only a lockfile has. */
const PACKAGE_ONLY = [
  "bundle",
  "digest",
  "package-name",
  "package-version",
  "npm-registry",
  "builder-id",
  "builders",
  "build-type",
  "build-workflow-input",
  "min-level",
  "source-branch",
  "source-digest",
  "source-tag",
  "source-versioned-tag",
  "print-provenance",
  "repo",
  "source-uri",
  "repo-id",
  "owner-id",
  "workflow",
  "source-ref",
  "registry",
];
const LOCKFILE_ONLY = [
  "lockfile",
  "attestations",
  "tarballs",
  "npm-cache",
  "require-tarballs",
  "npm-expectations",
  "previous",
];
const BOTH = [
  "npm-keys",
  "trusted-root",
  "only-root",
  "format",
  "output",
  "exit-code",
  "unsafe-any-identity",
];

const MAX_KEYS_BYTES = 4 << 20;

/** `verify` of one package, or of every package of a lockfile. */
export async function runNpm(
  args: ParsedArgs,
  runtime: Runtime,
  options: readonly OptionSpec[],
): Promise<number> {
  const known = args.has("lockfile") ? LOCKFILE_ONLY : PACKAGE_ONLY;
  for (const { name } of options) {
    if (args.has(name) && !known.includes(name) && !BOTH.includes(name)) {
      const what = args.has("lockfile") ? "a lockfile" : "an npm package";
      throw usageError(`--${name} has no meaning for ${what}`);
    }
  }
  const keysPath = args.get("npm-keys");
  if (keysPath === undefined) {
    const what = args.has("lockfile") ? "--lockfile" : "npm:NAME@VERSION";
    throw usageError(`${what} needs --npm-keys: the public keys of the registry`);
  }
  if (args.get("format") === "gh") throw usageError("--format gh has no meaning for npm packages");
  if (args.has("only-root") && !args.has("trusted-root")) {
    throw usageError("--only-root needs --trusted-root");
  }
  refuseExitCode(args);
  const rows: [string, string][] = [];
  const { parseNpmKeys } = await import("../npm/mod.ts");
  const keys = await inFile(
    "file of npm keys",
    keysPath,
    async () => await parseNpmKeys(await readBounded(runtime, keysPath, MAX_KEYS_BYTES)),
  );
  const { trustedRoots, described } = await readRoots(args, runtime);
  const trust: NpmTrust = { keys, trustedRoots, onlyRoot: args.has("only-root") };
  rows.push(["registry keys", printable(keysPath)], ["trusted root", described.join("\n")]);
  return args.has("lockfile")
    ? await (await import("./npm_lockfile.ts")).runLockfile(args, runtime, trust, rows)
    : await runPackage(args, runtime, trust, rows);
}

async function runPackage(
  args: ParsedArgs,
  runtime: Runtime,
  trust: NpmTrust,
  rows: [string, string][],
): Promise<number> {
  const { artifact, named, readAnswer } = await readPackage(args, runtime);
  if (args.has("repo") && args.has("source-uri")) {
    throw usageError("--repo and --source-uri exclude each other");
  }
  const repo = args.get("repo");
  if (repo !== undefined && !/^[^/\s]+\/[^/\s]+$/.test(repo)) {
    throw usageError(`--repo is OWNER/NAME, not ${quote(repo)}`);
  }
  const { NPM_GITHUB_HOSTED, verifyNpmPackage } = await import("../npm/mod.ts");
  const { readProvenanceExpectation } = await import("./provenance_expectation.ts");
  const further = await readProvenanceExpectation(args, runtime, []);
  const { sourceUri: _source, builderId: _builder, ...provenance } = further.provenance;
  const commit = args.get("source-digest");
  if (commit !== undefined) provenance.sourceCommit = commit;
  const stated: NpmExpectation = {
    packageName: named?.name ?? args.get("package-name"),
    packageVersion: named?.version ?? args.get("package-version"),
    registry: args.get("npm-registry"),
    builderId: args.get("builder-id") ?? NPM_GITHUB_HOSTED,
    repository: repo === undefined ? args.get("source-uri") : `https://github.com/${repo}`,
    repositoryId: args.get("repo-id"),
    ownerId: args.get("owner-id"),
    workflow: args.get("workflow"),
    ref: args.get("source-ref"),
    provenance,
  };
  const expect: NpmExpectation = Object.fromEntries(
    Object.entries(stated).filter(([, value]) => value !== undefined),
  );
  rows.push(...expectedRows(stated, args.has("unsafe-any-identity")));
  rows.push(
    ...further.rows.filter(([name]) => !["source", "builder", "source commit"].includes(name)),
  );
  const progress = progressBar(runtime);
  try {
    const report = await verifyNpmPackage(await readAnswer(), toInput(artifact, runtime), {
      trust,
      expect,
      ...(args.has("unsafe-any-identity") ? { unsafelyAcceptAnyRepository: true } : {}),
    });
    progress.end();
    const printed = args.has("print-provenance") && !args.has("output") ? "stderr" : "stdout";
    const format = args.get("format") ?? "text";
    if (format === "json") {
      await print(args, runtime, `${safeJson(report, 2)}\n`, printed);
    } else if (isReportFormat(format)) {
      const { judgementOf } = await import("./reports/findings.ts");
      const place = placeOfArtifact(artifact);
      await print(args, runtime, await reportText(format, judgementOf(report, [place])), printed);
    } else {
      const { textReport } = await import("./text_report.ts");
      const text = await textReport(report, {
        expected: rows,
        paint: paintOf(args, runtime),
        program: runtime.program,
        looked: new Map(),
      });
      await print(args, runtime, text, printed);
    }
    if (args.has("print-provenance") && report.ok) {
      const { statement } = report.artifacts[0].attestations.find(({ ok, predicateType }) =>
        ok && predicateType === report.provenance?.predicateType
      ) ?? {};
      if (statement !== undefined) {
        runtime.write("stdout", `${safeJson(statement)}\n`);
      }
    }
    return report.ok || isForUpload(args) ? VERIFIED : REFUSED;
  } catch (cause) {
    if (cause instanceof TypeError) throw usageError(cause.message);
    throw cause;
  } finally {
    progress.end();
  }
}

/** A package of the command line: a tarball with the registry's answer, or one to download. */
interface PackageInput {
  artifact: Artifact;
  /** What it is called, if it was named. */
  named?: NpmPackage;
  /** The registry's answer about its attestations. */
  readAnswer(): Promise<Uint8Array>;
}

async function readPackage(args: ParsedArgs, runtime: Runtime): Promise<PackageInput> {
  const bundles = args.all("bundle");
  const readBundle = () => readBounded(runtime, bundles[0], MAX_ANSWER_BYTES);
  if (args.operands.some((operand) => operand.startsWith("npm:"))) {
    return await fetchPackage(args, runtime, bundles.length === 0 ? undefined : readBundle);
  }
  if (args.has("registry")) throw usageError("--registry needs npm:NAME@VERSION");
  const { artifacts, notices } = await readArtifacts(args, runtime);
  for (const notice of notices) runtime.write("stderr", `notice: ${notice}\n`);
  if (artifacts.length !== 1) throw usageError("--npm-keys takes one package: its tarball");
  if (bundles.length !== 1) {
    throw usageError("--npm-keys takes one --bundle: the registry's answer about the package");
  }
  if (artifacts[0].path === undefined && artifacts[0].digest?.sha512 === undefined) {
    throw usageError("An npm package is named by its SHA-512: --digest sha512:HEX");
  }
  return { artifact: artifacts[0], readAnswer: readBundle };
}

/** Downloads `npm:NAME@VERSION` to digest it; nothing but the digest is kept. */
async function fetchPackage(
  args: ParsedArgs,
  runtime: Runtime,
  readBundle: (() => Promise<Uint8Array>) | undefined,
): Promise<PackageInput> {
  if (args.operands.length !== 1) throw usageError("npm:NAME@VERSION is verified alone");
  for (const name of ["digest", "package-name", "package-version"]) {
    if (args.has(name)) throw usageError(`npm:NAME@VERSION and --${name} exclude each other`);
  }
  if (args.all("bundle").length > 1) throw usageError("npm:NAME@VERSION takes one --bundle");
  const [operand] = args.operands;
  const [{ http, parseNpmOperand }, { npmConfig }, { createNpmRegistry }] = await Promise.all([
    import("./stores.ts"),
    import("./npm_config.ts"),
    import("../store/npm.ts"),
  ]);
  const named = parseNpmOperand(operand);
  const config = await npmConfig(named.name, args, runtime);
  let registry: NpmRegistry;
  try {
    registry = createNpmRegistry({ ...config, ...http(runtime) });
  } catch (error) {
    if (error instanceof TypeError) throw usageError(error.message);
    throw error;
  }
  const tarball = await registry.tarball(named);
  if (tarball === undefined) {
    throw new AttestationError(
      "unreadable-file",
      `Cannot read ${quote(operand)}: the registry ${quote(registry.address)} does not have it`,
    );
  }
  const { sha512, size, url } = tarball;
  runtime.write("stderr", `notice: Downloaded ${size} bytes from ${printable(url)}\n`);
  return {
    artifact: { name: operand, digest: { sha512 }, neighbours: [], shared: [], npm: named.name },
    named,
    readAnswer: readBundle ??
      // A package without attestations is one whose answer has none.
      (async () => await registry.attestations(named) ?? utf8('{"attestations":[]}')),
  };
}

function expectedRows(expect: NpmExpectation, anyRepository: boolean): [string, string][] {
  const rows: [string, string][] = [
    ["package", expect.packageName ?? "any name"],
    ["version", expect.packageVersion ?? "any version"],
    ["registry", expect.registry ?? "any whose key is given"],
    ["builder", [expect.builderId ?? []].flat().join(" or ")],
  ];
  const { repository, repositoryId, ownerId, workflow, ref } = expect;
  if (repository !== undefined) rows.push(["source repository", repository]);
  if (repositoryId !== undefined) rows.push(["repository number", repositoryId]);
  if (repository === undefined && repositoryId === undefined) {
    rows.push([
      "source repository",
      anyRepository ? "ANY (unsafe)" : "NOT STATED: give --repo or --repo-id",
    ]);
  }
  const commit = expect.provenance?.sourceCommit;
  if (commit !== undefined) rows.push(["source commit", commit]);
  if (ownerId !== undefined) rows.push(["owner number", ownerId]);
  if (workflow !== undefined) rows.push(["workflow", workflow]);
  if (typeof ref === "string") rows.push(["source ref", ref]);
  return rows.map(([name, value]) => [name, printable(value)]);
}
