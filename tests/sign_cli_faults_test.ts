/**
 * Signing by the command line as a process, while a service on 127.0.0.1 misbehaves: the
 * right reason in text and in JSON, nothing left behind, no secret in any output. Deno only.
 */

import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type SigstoreServer, startSigstore, writeInstance } from "../tools/sigstore_server.ts";
import type { JsonObject } from "../internal/json.ts";
import type { Fault as Spoilt, FaultPlan } from "../tools/loopback.ts";
import { type Fault, REQUEST_TOKEN, type ServiceName } from "../tools/pki/services.ts";

const CLI = new URL("../cli.ts", import.meta.url).pathname;
const PASSPHRASE = "correct horse battery staple";

/** What goes wrong, and what must be said of it. */
interface Case {
  service: ServiceName;
  fault: Fault;
  /** Reason; absent where the signature is made all the same. */
  reason?: string;
  /** What the message must hold. */
  message?: RegExp;
  /** Further options. */
  options?: string[];
}

/** What each service can do wrong alike. */
function common(service: ServiceName): Case[] {
  return [
    { service, fault: "down", reason: "service-unavailable" },
    { service, fault: "409", reason: "service-refused", message: /409/ },
    { service, fault: "429", reason: "service-unavailable", message: /429/ },
    { service, fault: "500", reason: "service-unavailable", message: /500/ },
    { service, fault: "500-once" },
    { service, fault: "400-echo", reason: "service-refused", message: /400/ },
    { service, fault: "malformed", reason: "malformed-response" },
    { service, fault: "truncated", reason: "malformed-response" },
    { service, fault: "oversized", reason: "limit-exceeded" },
    { service, fault: "redirect", reason: "service-refused" },
  ];
}

const SLOW = ["--timeout=1"];

const KEYLESS: Case[] = [
  ...common("fulcio"),
  ...common("tsa"),
  ...common("rekor2"),
  // A log is given 20 s for each try whatever is asked: tests of sigstore/sign/ hold the clock.
  { service: "fulcio", fault: "slow", reason: "service-unavailable", options: SLOW },
  { service: "tsa", fault: "slow", reason: "service-unavailable", options: SLOW },
  { service: "fulcio", fault: "other-key", reason: "response-mismatch" },
  { service: "fulcio", fault: "other-subject", reason: "response-mismatch" },
  { service: "fulcio", fault: "other-ca", reason: "response-mismatch" },
  { service: "fulcio", fault: "no-sct", reason: "response-mismatch" },
  { service: "tsa", fault: "wrong-nonce", reason: "response-mismatch" },
  { service: "tsa", fault: "no-nonce", reason: "response-mismatch" },
  { service: "tsa", fault: "wrong-imprint", reason: "response-mismatch" },
  { service: "tsa", fault: "other-authority", reason: "response-mismatch" },
  { service: "rekor2", fault: "other-entry", reason: "response-mismatch" },
  { service: "rekor2", fault: "other-checkpoint-key", reason: "response-mismatch" },
];

/** A service that is always busy, and says so without asking for a long wait. */
function tooMany(service: ServiceName): FaultPlan {
  return (request) =>
    new URL(request.url).pathname.startsWith(`/${service}/`)
      ? { kind: "status", status: 429, headers: { "retry-after": "0" } }
      : undefined;
}

interface Outcome {
  code: number;
  out: string;
  err: string;
}

/** Nothing else: what the machine of the test says of itself must not decide. */
const INHERITED = Object.fromEntries(
  ["PATH", "HOME", "DENO_DIR", "TMPDIR"].flatMap((name) => {
    const value = Deno.env.get(name);
    return value === undefined ? [] : [[name, value]];
  }),
);

async function run(
  args: string[],
  cwd: string,
  env: Record<string, string> = {},
): Promise<Outcome> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-prompt", CLI, ...args],
    cwd,
    clearEnv: true,
    env: { ...INHERITED, NO_COLOR: "1", ...env },
    stdin: "null",
  }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

function namesIn(folder: string): string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
}

/** Parts of a secret that would give it away: all runs of it that are long enough, or it whole. */
function pieces(secret: string): string[] {
  const runs = secret.split(/[.\s]+/).filter((piece) => piece.length >= 12);
  return (runs.length === 0 ? [secret] : runs)
    .flatMap((piece) => [piece.slice(0, 24), piece.slice(-24)]);
}

function assertSilent(outcome: Outcome, secrets: readonly string[]): void {
  assert.ok(secrets.length > 0 && secrets.every((secret) => secret.length >= 12));
  for (const piece of secrets.flatMap(pieces)) {
    assert.ok(!(outcome.out + outcome.err).includes(piece), "a secret is in the output");
  }
}

/** Runs work in batches: the processes mostly wait. */
async function all<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const worker = async () => {
    while (next < items.length) {
      const at = next++;
      results[at] = await work(items[at]);
    }
  };
  await Promise.all(Array.from({ length: 6 }, worker));
  return results;
}

/** Lines of a PEM file that are what is to be kept. */
function pemBody(pem: string): string {
  return pem.split("\n").filter((line) => !line.startsWith("-----")).join("\n");
}

if ("Deno" in globalThis) {
  describe("signing while a service misbehaves", () => {
    let folder = "";
    const servers: SigstoreServer[] = [];
    before(async () => {
      folder = await Deno.makeTempDir({ prefix: "attest-faults-" });
    });
    after(async () => {
      for (const server of servers) server.close();
      await Deno.remove(folder, { recursive: true });
    });

    /** A folder with an artifact, and an instance that runs. */
    async function stage(name: string) {
      const server = await startSigstore();
      servers.push(server);
      const home = `${folder}/${name}`;
      const work = `${home}/work`;
      await Deno.mkdir(work, { recursive: true });
      await Deno.writeTextFile(`${work}/app.txt`, "an artifact\n");
      await Deno.writeTextFile(`${work}/note.json`, "{}");
      const { signingConfig, trustedRoot, token } = await writeInstance(home, server);
      const options = [`--signing-config=${signingConfig}`, `--trusted-root=${trustedRoot}`];
      const secret = await Deno.readTextFile(token);
      return { server, home, work, options, token, secret, names: namesIn(work) };
    }

    function misbehave(server: SigstoreServer, { service, fault }: Case): void {
      if (fault === "429") server.plan = tooMany(service);
      else server.services.faults[service] = fault;
    }

    /** Failures of many checks, each by its name; all are run. */
    async function failures<T>(
      items: readonly T[],
      name: (item: T) => string,
      check: (item: T, name: string) => Promise<void>,
    ): Promise<string[]> {
      const found = await all(items, async (item) => {
        try {
          await check(item, name(item));
          return [];
        } catch (error) {
          return [`${name(item)}: ${error instanceof Error ? error.message : error}`];
        }
      });
      return found.flat();
    }

    function assertFailed(outcome: Outcome, one: Omit<Case, "service" | "fault">): void {
      assert.equal(outcome.code, 2, outcome.out + outcome.err);
      const report = JSON.parse(outcome.out);
      assert.equal(report.ok, false);
      assert.equal(report.errorReason, one.reason, outcome.out);
      assert.equal(report.phase, "signing");
      assert.match(report.message, /^Signing failed: /);
      if (one.message !== undefined) assert.match(outcome.out, one.message);
    }

    const ATTEST = ["attest", "app.txt", "--type=https://example.com/note/v1"]
      .concat("--predicate=note.json");
    const SIGN = ["sign", "app.txt"];
    const DONE = "app.txt.sigstore.json";

    it("names the reason in JSON, leaves no file, and tells no secret", async () => {
      const jobs = [
        ...KEYLESS.map((one) => ({ what: ATTEST, one })),
        ...KEYLESS.filter((one) => !common(one.service).some(({ fault }) => fault === one.fault))
          .map((one) => ({ what: SIGN, one })),
      ];
      const found = await failures(
        jobs,
        ({ what, one }) => `${what[0]}-${one.service}-${one.fault}`,
        async ({ what, one }, name) => {
          const { server, work, options, token, secret, names } = await stage(name);
          misbehave(server, one);
          const outcome = await run([
            ...what,
            ...options,
            `--identity-token-file=${token}`,
            "--format=json",
            ...one.options ?? [],
          ], work);
          assertSilent(outcome, [secret]);
          if (one.reason === undefined) {
            assert.equal(outcome.code, 0, outcome.err);
            assert.deepEqual(namesIn(work), [...names, DONE].sort());
            return;
          }
          assertFailed(outcome, one);
          assert.deepEqual(namesIn(work), names);
        },
      );
      assert.deepEqual(found, []);
    });

    it("names the reason in text, and leaves the file that was there", async () => {
      const cases: Case[] = [
        { service: "fulcio", fault: "400-echo", reason: "service-refused" },
        { service: "fulcio", fault: "other-key", reason: "response-mismatch" },
        { service: "tsa", fault: "wrong-nonce", reason: "response-mismatch" },
        { service: "rekor2", fault: "truncated", reason: "malformed-response" },
      ];
      const found = await failures(
        cases,
        ({ service, fault }) => `text-${service}-${fault}`,
        async (one, name) => {
          const { server, work, options, secret, names } = await stage(name);
          misbehave(server, one);
          await Deno.writeTextFile(`${work}/${DONE}`, "what was there\n");
          const outcome = await run([...SIGN, ...options, "--force"], work, {
            SIGSTORE_ID_TOKEN: secret,
          });
          assertSilent(outcome, [secret]);
          assert.equal(outcome.code, 2);
          assert.equal(outcome.out, "");
          const lines = outcome.err.trimEnd().split("\n");
          assert.match(lines[0], new RegExp(`^error: Signing failed: .* \\(${one.reason}\\)$`));
          assert.match(lines.at(-1) ?? "", new RegExp(`explain ${one.reason}$`));
          assert.equal(await Deno.readTextFile(`${work}/${DONE}`), "what was there\n");
          assert.deepEqual(namesIn(work), [...names, DONE].sort());
        },
      );
      assert.deepEqual(found, []);
    });

    it("keeps key and passphrase to itself when a service fails that is used with a key", async () => {
      const cases: Case[] = [
        { service: "tsa", fault: "500", reason: "service-unavailable" },
        { service: "tsa", fault: "wrong-nonce", reason: "response-mismatch" },
        { service: "tsa", fault: "400-echo", reason: "service-refused" },
        { service: "rekor2", fault: "400-echo", reason: "service-refused" },
        { service: "rekor2", fault: "other-entry", reason: "response-mismatch" },
        { service: "rekor2", fault: "500-once" },
      ];
      const found = await failures(
        cases,
        ({ service, fault }) => `key-${service}-${fault}`,
        async (one, name) => {
          const { server, work, options } = await stage(name);
          const env = { ATTEST_PASSPHRASE: PASSPHRASE };
          const made = await run(["keygen", "--out=ci", "--alg=ES256"], work, env);
          assert.equal(made.code, 0, made.err);
          const pem = await Deno.readTextFile(`${work}/ci.key`);
          assert.match(pem, /ENCRYPTED/);
          const names = namesIn(work);
          misbehave(server, one);
          const outcome = await run(
            [...ATTEST, "--key=ci.key", ...options, "--format=json"],
            work,
            env,
          );
          for (const one of [made, outcome]) {
            assertSilent(one, [PASSPHRASE, PASSPHRASE.replaceAll(" ", "-"), pemBody(pem)]);
            assert.ok(!(one.out + one.err).includes(PASSPHRASE));
          }
          if (one.reason === undefined) {
            assert.equal(outcome.code, 0, outcome.err);
            assert.deepEqual(namesIn(work), [...names, DONE].sort());
            return;
          }
          assertFailed(outcome, one);
          assert.deepEqual(namesIn(work), names);
        },
      );
      assert.deepEqual(found, []);
    });

    it("names what is wrong with the token that the platform gives", async () => {
      const withClaims =
        (claims: JsonObject) => async (server: SigstoreServer): Promise<Spoilt> => {
          const value = await server.services.token(claims);
          return { kind: "body", change: () => JSON.stringify({ value }) };
        };
      const always = (fault: Spoilt) => () => Promise.resolve(fault);
      const cases: {
        name: string;
        fault: (server: SigstoreServer) => Promise<Spoilt>;
        reason: string;
      }[] = [
        { name: "down", fault: always({ kind: "down" }), reason: "service-unavailable" },
        {
          name: "500",
          fault: always({ kind: "status", status: 500 }),
          reason: "service-unavailable",
        },
        {
          name: "403-echo",
          fault: always({ kind: "status", status: 403, body: `not for ${REQUEST_TOKEN}` }),
          reason: "service-refused",
        },
        {
          name: "redirect",
          fault: always({ kind: "status", status: 302, headers: { location: "/elsewhere" } }),
          reason: "service-refused",
        },
        { name: "truncated", fault: always({ kind: "truncated" }), reason: "malformed-response" },
        {
          name: "html",
          fault: always({ kind: "body", change: () => "<html>" }),
          reason: "malformed-response",
        },
        {
          name: "no-token",
          fault: always({ kind: "body", change: () => '{"value":"no.token"}' }),
          reason: "malformed-identity-token",
        },
        {
          name: "audience",
          fault: withClaims({ aud: "elsewhere" }),
          reason: "audience-mismatch",
        },
        {
          name: "expired",
          fault: withClaims({ iat: 1_600_000_000, nbf: 1_600_000_000, exp: 1_600_000_600 }),
          reason: "identity-token-expired",
        },
      ];
      const found = await failures(
        cases,
        ({ name }) => `token-${name}`,
        async ({ fault, reason }, name) => {
          const { server, work, options, secret, names } = await stage(name);
          const spoilt = await fault(server);
          server.plan = (request) =>
            new URL(request.url).pathname.startsWith("/github/") ? spoilt : undefined;
          const outcome = await run(
            [...SIGN, ...options, "--format=json"],
            work,
            { GITHUB_ACTIONS: "true", ...server.githubEnvironment() },
          );
          assertSilent(outcome, [secret, REQUEST_TOKEN]);
          assertFailed(outcome, { reason });
          assert.deepEqual(namesIn(work), names);
          // Nobody else is asked, and the token of the job is shown to its own address only.
          for (const { path, headers } of server.received) {
            assert.match(path, /^\/github\/0\/token\?/);
            assert.equal(headers.get("authorization")?.toLowerCase(), `bearer ${REQUEST_TOKEN}`);
          }
        },
      );
      assert.deepEqual(found, []);
    });
  });
}
