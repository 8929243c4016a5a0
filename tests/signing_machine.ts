/** A machine in memory with keys and the services of a throw-away Sigstore instance. */

import assert from "node:assert/strict";
import { main } from "../cli/main.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { generateSigner } from "../keys/mod.ts";
import { createServices, type Services } from "../tools/pki/services.ts";
import { type MemoryFile, MemoryRuntime } from "./cli_runtime.ts";
import { splitWords } from "./shell_words.ts";

/** What a run gave. */
export interface Outcome {
  status: number;
  out: string;
  err: string;
  runtime: MemoryRuntime;
}

/** What a command finds. */
export interface Machine {
  files: Record<string, MemoryFile>;
  services?: Services;
  variables?: Record<string, string>;
  stdin?: string;
  commands?: Record<string, string>;
}

/** Runs the command line; nothing secret and no control character may be told. */
export async function run(machine: Machine, ...args: string[]): Promise<Outcome> {
  const runtime = new MemoryRuntime(machine.files, args);
  runtime.fetch = machine.services?.fetch ??
    (() => Promise.reject(new Error("a request was made")));
  runtime.sleep = () => Promise.resolve();
  runtime.variables = machine.variables ?? {};
  runtime.stdin = machine.stdin ?? "";
  for (const [line, answer] of Object.entries(machine.commands ?? {})) {
    runtime.commands.set(line, answer);
  }
  const status = await main(runtime);
  const said = runtime.stdout + runtime.stderr;
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/.test(said), said);
  assert.ok(!/PRIVATE KEY|eyJ[\w-]+\.eyJ/.test(said), "a secret is told");
  return { status, out: runtime.stdout, err: runtime.stderr, runtime };
}

async function newKeys(...names: string[]): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for (const name of names) {
    const { privateKey, publicKey } = await generateSigner("ES256");
    files[`${name}.key`] = privateKey;
    files[`${name}.pub`] = publicKey;
  }
  return files;
}

let memo: Promise<Record<string, string>> | undefined;
/** Key pairs `ci` and `second`. */
export const keys = () => memo ??= newKeys("ci", "second");

/** A machine with keys, a predicate, and whatever else. */
export async function machine(files: Record<string, MemoryFile> = {}): Promise<Machine> {
  return {
    files: { ...await keys(), "p.json": '{"approved":true}', "app.tgz": "hello\n", ...files },
  };
}

/** A machine with the services of a throw-away instance and a token for them. */
export async function keylessMachine(files: Record<string, MemoryFile> = {}): Promise<Machine> {
  const services = await createServices();
  const made = await machine({
    "signing_config.json": JSON.stringify(services.signingConfig()),
    "trusted_root.json": JSON.stringify(services.trustedRoot),
    ...files,
  });
  return { ...made, services, variables: { SIGSTORE_ID_TOKEN: await services.token() } };
}

/** Option with the key. */
export const KEY = "--key=ci.key";
/** Options with the services. */
export const SERVICES = [
  "--signing-config=signing_config.json",
  "--trusted-root=trusted_root.json",
];

/** Text of a file that was written. */
export function textOf({ runtime }: Outcome, path: string): string {
  const text = runtime.files.get(path);
  assert.equal(typeof text, "string", `${path} was not written`);
  return String(text);
}

/** Payload of a bundle or envelope, as text. */
export function payloadOf(text: string): string {
  const outer = JSON.parse(text);
  const { payload } = outer.dsseEnvelope ?? outer;
  return new TextDecoder().decode(decodeBase64(payload));
}

/** Runs the command that was proposed, on the machine as it was left. */
export async function proposed(outcome: Outcome): Promise<Outcome> {
  const line = /Verify it with:\n {2}(.*)\n/.exec(outcome.out + outcome.err)?.[1];
  assert.ok(line !== undefined, outcome.out + outcome.err);
  const [program, ...args] = splitWords(line);
  assert.equal(program, outcome.runtime.program);
  return await run({ files: Object.fromEntries(outcome.runtime.files) }, ...args);
}

/** Reason in the last line of an error, and the files that are new. */
export function failure(outcome: Outcome, before: Machine): { reason?: string; left: string[] } {
  const left = [...outcome.runtime.files.keys()].filter((path) => !(path in before.files));
  return { reason: /^error: .* \(([a-z0-9-]+)\)$/m.exec(outcome.err)?.[1], left };
}

/** Reason of a refusal that left nothing behind. */
export async function refused(machine: Machine, ...args: string[]): Promise<string | undefined> {
  const outcome = await run(machine, ...args);
  assert.ok(outcome.status !== 0, outcome.out);
  const { reason, left } = failure(outcome, machine);
  assert.deepEqual(left, []);
  return reason;
}
