import { AttestationError } from "../errors.ts";
import { decodeUtf8, quote } from "../internal/json.ts";
import { type OptionSpec, type ParsedArgs, usageError } from "./args.ts";
import { readBounded, type Runtime } from "./runtime.ts";

/** A file with a private key. */
export interface KeyFile {
  /** Where it is. */
  path: string;
  /** It is a key of cosign, which has an environment variable of its own. */
  cosign?: boolean;
}

/** Environment variable with the passphrase of a key. */
export const PASSPHRASE_VARIABLE = "ATTEST_PASSPHRASE";
const COSIGN_VARIABLE = "COSIGN_PASSWORD";
const MAX_BYTES = 4096;
const TRIES = 3;

/** The option by which a command is given the passphrase of its key. */
export const PASSPHRASE_OPTION: Omit<OptionSpec, "group"> = {
  name: "passphrase-file",
  value: "FILE",
  help: "File with the passphrase of the key, or - for standard input; else " +
    `${PASSPHRASE_VARIABLE}, else the terminal is asked. Never an argument`,
};

/**
 * The passphrase that opens an encrypted key: from `--passphrase-file`, the environment, or
 * the terminal.
 *
 * @throws {AttestationError} `missing-passphrase`, `aborted`, and what reading the file gives.
 */
export async function passphraseFor(
  args: ParsedArgs,
  runtime: Runtime,
  key: string | KeyFile,
): Promise<string> {
  const { path, cosign = false } = typeof key === "string" ? { path: key } : key;
  const given = await givenPassphrase(args, runtime, cosign);
  if (given !== undefined) return given;
  if (!runtime.isTerminal("stdin")) {
    throw missing(
      `${quote(path)} is encrypted: give --passphrase-file or set ${PASSPHRASE_VARIABLE}`,
    );
  }
  return await runtime.readSecret(`Passphrase for ${quote(path)}: `);
}

/**
 * The passphrase for a key that is made; undefined only if `--no-passphrase` asks for a key
 * without. At the terminal it is asked for twice.
 *
 * @throws {AttestationError} `usage`, `missing-passphrase`, `aborted`, and what reading the
 * file gives.
 */
export async function newPassphrase(
  args: ParsedArgs,
  runtime: Runtime,
  path: string,
): Promise<string | undefined> {
  if (args.has("no-passphrase")) {
    if (args.has("passphrase-file")) {
      throw usageError("--no-passphrase and --passphrase-file exclude each other");
    }
    return undefined;
  }
  const given = await givenPassphrase(args, runtime, false);
  if (given !== undefined) return given;
  if (!runtime.isTerminal("stdin")) {
    throw missing(
      `${quote(path)} is to be encrypted: give --passphrase-file, set ${PASSPHRASE_VARIABLE}, ` +
        "or say --no-passphrase",
    );
  }
  for (let i = 0; i < TRIES; i++) {
    const first = await runtime.readSecret(`New passphrase for ${quote(path)}: `);
    if (first === "") {
      runtime.write("stderr", "It is empty; stop and say --no-passphrase if that is meant\n");
      continue;
    }
    if (first === await runtime.readSecret("The same again: ")) return first;
    runtime.write("stderr", "They differ\n");
  }
  throw missing("no passphrase was typed twice");
}

async function givenPassphrase(
  args: ParsedArgs,
  runtime: Runtime,
  cosign: boolean,
): Promise<string | undefined> {
  const file = args.get("passphrase-file");
  if (file !== undefined) {
    const bytes = file === "-"
      ? await runtime.readStdin(MAX_BYTES)
      : await readBounded(runtime, file, MAX_BYTES);
    const what = file === "-" ? "standard input" : quote(file);
    const text = decodeUtf8(bytes).replace(/\r?\n$/, "");
    // It would be a part of the passphrase that nobody sees, let alone types.
    if (text.startsWith("\ufeff")) {
      throw missing(`${what} begins with a byte order mark: save it as UTF-8 without one`);
    }
    if (text === "") throw missing(`${what} is empty`);
    if (/[\r\n]/.test(text)) throw missing(`${what} has more than one line`);
    return text;
  }
  const own = runtime.env(PASSPHRASE_VARIABLE);
  // A secret that a CI job is not given arrives as an empty variable.
  if (own === "") throw missing(`${PASSPHRASE_VARIABLE} is set, but empty`);
  if (own !== undefined) return own;
  // For cosign an empty one is a passphrase like any other.
  return cosign ? runtime.env(COSIGN_VARIABLE) : undefined;
}

function missing(what: string): AttestationError {
  return new AttestationError("missing-passphrase", `Cannot read passphrase: ${what}`);
}
