import { type OptionSpec, type ParsedArgs, usageError } from "./args.ts";

const NPM = "npm packages";

/** Options of `verify` about packages of an npm registry. */
export const NPM_OPTIONS: readonly OptionSpec[] = [
  {
    name: "npm-keys",
    value: "FILE",
    group: NPM,
    help: "Public keys of the registry (keys.json of Sigstore's TUF repository): the artifact is " +
      "a package: npm:NAME@VERSION, or a tarball with --bundle, the registry's answer about its " +
      "attestations",
  },
  { name: "package-name", value: "NAME", group: NPM, help: "Name of the package, with its scope" },
  { name: "package-version", value: "VERSION", group: NPM, help: "Version of the package" },
  {
    name: "npm-registry",
    value: "URL",
    group: NPM,
    help: "Registry that published it; default any whose key is given",
  },
  {
    name: "repo-id",
    value: "NUMBER",
    group: NPM,
    help: "Number of the repository that it was built from: a name can change hands",
  },
  {
    name: "owner-id",
    value: "NUMBER",
    group: NPM,
    help: "Number of the owner of that repository",
  },
  {
    name: "workflow",
    value: "FILE",
    group: NPM,
    help: "Workflow that was started, such as .github/workflows/release.yml",
  },
  {
    name: "lockfile",
    value: "FILE",
    group: NPM,
    help: "Verify every package of a package-lock.json; needs --npm-keys and --attestations or " +
      "--npm-cache",
  },
  {
    name: "attestations",
    value: "DIR",
    group: NPM,
    help: "The registry's answers: NAME@VERSION.json, with %2f for the slash of a scope",
  },
  {
    name: "tarballs",
    value: "DIR",
    group: NPM,
    help: "Tarballs, as npm pack or the registry names them",
  },
  {
    name: "npm-cache",
    value: "DIR",
    group: NPM,
    help: "npm's cache, such as ~/.npm: tarballs, and answers after npm audit signatures",
  },
  {
    name: "require-tarballs",
    group: NPM,
    help: "Refuse a package whose tarball is not there; else the lockfile's digest counts",
  },
  {
    name: "npm-expectations",
    value: "FILE",
    group: NPM,
    help: "What is expected of each package, with defaults (JSON)",
  },
  {
    name: "previous",
    value: "FILE",
    group: NPM,
    help: "JSON report of an earlier run: what lost its provenance or changed its repository " +
      "since is refused",
  },
];

/** Tells whether `verify` is asked about npm packages. */
export function isNpm(args: ParsedArgs): boolean {
  return args.has("npm-keys") || args.has("lockfile") ||
    args.operands.some((operand) => operand.startsWith("npm:"));
}

/**
 * Refuses options about npm packages where none is verified: nothing would look at them.
 *
 * @throws {AttestationError} `usage`.
 */
export function refuseNpmOptions(args: ParsedArgs): void {
  const stated = NPM_OPTIONS.find(({ name }) => args.has(name));
  if (args.has("registry") && !args.all("store").some((store) => store.startsWith("npm:"))) {
    throw usageError("--registry needs npm:NAME@VERSION");
  }
  if (stated !== undefined) throw usageError(`--${stated.name} needs --npm-keys`);
}
