import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { type OptionSpec, type ParsedArgs, usageError } from "./args.ts";
import { splitPath } from "./artifacts.ts";
import { STDOUT } from "./output.ts";
import { access, type Runtime } from "./runtime.ts";
import type { Run } from "./verify_artifacts.ts";

const STDIN = "-";
/** Options whose value is a file that is read, or `-`. */
const FILES = [
  "envelope",
  "statement",
  "predicate",
  "sbom",
  "scan-result",
  "checksums",
  "key",
  "key-set",
  "signing-key",
  "message",
  "certificate-authority",
  "signing-authority",
  "timestamp-authority",
  "passphrase-file",
  "identity-token-file",
  "signing-config",
  "trusted-root",
  "trust-config",
  "tuf-root",
  "efi-db",
  "efi-dbx",
  "builders",
];

/**
 * Refuses to take two things from standard input: the first would have all of it, and the
 * second be empty.
 */
export function refuseSharedStdin(args: ParsedArgs): void {
  const named = [
    ...args.operands.filter((operand) => operand === STDIN),
    ...FILES.flatMap((name) => args.all(name).filter((v) => v === STDIN).map(() => `--${name}`)),
  ];
  if (named.length > 1) {
    throw usageError(`Standard input is one thing: it is named by ${named.join(" and ")}`);
  }
}

/**
 * Refuses to replace what is read, or to add to it: an artifact or a key would be lost.
 *
 * @param own Options whose file may be replaced, as `--envelope` by the one with another
 * signature.
 */
export async function refuseInputs(
  files: readonly string[],
  args: ParsedArgs,
  runtime: Runtime,
  own: readonly string[] = [],
): Promise<void> {
  if (!args.has("force") && !args.has("append")) return;
  const names = FILES.filter((name) => !own.includes(name));
  await refuseLoss(files, [...args.operands, ...names.flatMap((name) => args.all(name))], runtime);
}

/**
 * Writes a report to the file of `--output`, whole or not at all: over an earlier report, but
 * over nothing that was read for it.
 *
 * @param options Options of the command: those that are files are read.
 */
export async function writeReport(
  text: string,
  args: ParsedArgs,
  options: readonly OptionSpec[],
  runtime: Runtime,
): Promise<void> {
  const output = args.get("output");
  if (output === undefined) return runtime.write("stdout", text);
  const names = options.filter(({ name, value }) => value === "FILE" && name !== "output");
  const read = [...args.operands, ...names.flatMap(({ name }) => args.all(name))];
  await refuseLoss([output], read, runtime);
  await access("write", output, () => runtime.writeFileAtomic(output, text));
}

/**
 * Refuses to write over what was read and what the command line does not name itself: what was
 * found beside an artifact, files of a folder, links of a supply chain.
 */
export async function refuseFound(
  output: string,
  { files, links = [], places = [] }: Pick<Run, "files" | "links" | "places">,
  runtime: Runtime,
): Promise<void> {
  if (await access("look at", output, () => runtime.stat(output)) === undefined) return;
  const artifacts = places.flatMap((place) => place?.file ?? []);
  await refuseLoss([output], [...files.paths, ...links, ...artifacts], runtime);
}

async function refuseLoss(
  files: readonly string[],
  read: readonly string[],
  runtime: Runtime,
): Promise<void> {
  const inputs = new Map<string, string>();
  for (const path of read.filter((one) => one !== STDIN)) {
    for (const place of await placesOf(path, runtime)) inputs.set(place, path);
  }
  for (const file of new Set(files)) {
    if (file === STDOUT) continue;
    const input = (await placesOf(file, runtime)).map((place) => inputs.get(place)).find((one) =>
      one !== undefined
    );
    if (input !== undefined) {
      throw usageError(
        `Cannot write ${quote(file)}: ${quote(input)} is read and would be lost; give another ` +
          "--output",
      );
    }
  }
}

/** A path with the links above it followed, and the file that it leads to. */
async function placesOf(path: string, runtime: Runtime): Promise<string[]> {
  return [await placeOf(path, runtime), await real(path, runtime)];
}

/** Where a file is or will be: its folder with links followed, and its name. */
export async function placeOf(path: string, runtime: Runtime): Promise<string> {
  const { folder, name } = splitPath(path);
  const above = await real(folder === "" ? "." : folder, runtime);
  return `${above.replace(/[/\\]+$/, "")}/${name}`;
}

async function real(path: string, runtime: Runtime): Promise<string> {
  try {
    return await runtime.realPath(path);
  } catch (cause) {
    throw new AttestationError("unwritable-file", `Cannot look at ${quote(path)}`, { cause });
  }
}
