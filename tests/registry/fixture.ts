import { createEnvelope } from "../../dsse/mod.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { canonicalJson, type Json, type JsonObject } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import { createStatement } from "../../intoto/mod.ts";
import { generateSigner, type Signer } from "../../keys/mod.ts";
import { compilePolicy, parsePolicy } from "../../policy/mod.ts";
import {
  createRegistry,
  fixedPolicy,
  type Registry,
  type RegistryLogEntry,
  type RegistryServerOptions,
} from "../../server/mod.ts";
import { createProvenance } from "../../slsa/mod.ts";
import { createApiKey, Database, type SqlDriver } from "../../store/sql/mod.ts";

/** A key that builders sign with, and another one that nobody trusts. */
export interface Signers {
  ci: Signer;
  ciPublicKey: string;
  stranger: Signer;
}

let signers: Promise<Signers> | undefined;

/** The same keys for all tests of a run. */
export function testSigners(): Promise<Signers> {
  signers ??= (async () => {
    const ci = await generateSigner("Ed25519", { name: "ci" });
    const stranger = await generateSigner("Ed25519", { name: "stranger" });
    return { ci: ci.signer, ciPublicKey: ci.publicKey, stranger: stranger.signer };
  })();
  return signers;
}

export const BUILDER = "https://builders.example/ci";
export const IN_TOTO = "application/vnd.in-toto+json";

/** Digest of a card, as subjects have it. */
export function cardDigest(card: Json): string {
  return encodeHex(sha256(utf8(canonicalJson(card))));
}

/** What can be different about an envelope. */
export interface EnvelopeChanges {
  signer?: Signer;
  name?: string;
  sha256?: string;
  builder?: string;
  predicateType?: string;
  note?: string;
}

/** Provenance of a card, signed. */
export async function provenanceOf(
  urn: string,
  card: Json,
  changes: EnvelopeChanges = {},
): Promise<JsonObject> {
  const { ci } = await testSigners();
  const subject = [{
    name: changes.name ?? urn,
    digest: { sha256: changes.sha256 ?? cardDigest(card) },
  }];
  const statement = changes.predicateType === undefined
    ? createProvenance({
      subject,
      buildType: "https://builds.example/v1",
      externalParameters: { note: changes.note ?? "" },
      builderId: changes.builder ?? BUILDER,
      resolvedDependencies: [{ uri: "git+https://code.example/acme/app", name: "source" }],
      finishedOn: new Date("2026-11-29T12:00:00Z"),
    })
    : createStatement({ subject, predicateType: changes.predicateType, predicate: {} });
  const envelope = await createEnvelope(IN_TOTO, statement as never, changes.signer ?? ci);
  return JSON.parse(JSON.stringify(envelope));
}

/** A `signature-policy.json` that trusts the builder's key. */
export async function signaturePolicy(mode: "enforce" | "permissive" = "enforce"): Promise<object> {
  const { ciPublicKey } = await testSigners();
  return { mode, allowedIssuers: [{ keyId: "ci", publicKey: ciPublicKey }] };
}

/** A registry over a database, with what tests need of it. */
export interface TestRegistry {
  registry: Registry;
  db: Database;
  key: string;
  log: RegistryLogEntry[];
  /** Sends a request; bodies other than text are sent as JSON. */
  send(method: string, path: string, options?: SendOptions): Promise<Answer>;
  /** Puts a manifest with good provenance, or other one. */
  put(urn: string, card: Json, options?: PutOptions): Promise<Answer>;
}

export interface SendOptions {
  body?: unknown;
  headers?: Record<string, string>;
  key?: string | null;
}

export interface PutOptions extends SendOptions {
  provenance?: unknown;
  sig?: Json;
}

export interface Answer {
  status: number;
  headers: Headers;
  // deno-lint-ignore no-explicit-any
  body: any;
}

/** Opens a registry over an empty database. */
export async function openRegistry(
  driver: SqlDriver,
  options: Partial<RegistryServerOptions> = {},
): Promise<TestRegistry> {
  const db = await Database.open(driver);
  const { key } = await createApiKey(db, { name: "tests", urnPrefix: "" });
  const log: RegistryLogEntry[] = [];
  const registry = createRegistry({
    database: db,
    policy: fixedPolicy(await compilePolicy(parsePolicy(await signaturePolicy()))),
    rateLimit: null,
    log: (entry) => log.push(entry),
    ...options,
  });
  const send: TestRegistry["send"] = (method, path, options = {}) =>
    sendTo(registry, method, path, { key, ...options });
  return {
    ...{ registry, db, key, log, send },
    async put(urn, card, { provenance, sig, ...rest } = {}) {
      const body = {
        urn,
        card,
        ...(sig === undefined ? {} : { sig }),
        provenance: provenance === undefined ? await provenanceOf(urn, card) : provenance,
      };
      return await send("PUT", `/v1/registry/${urn}`, { body, ...rest });
    },
  };
}

/** Sends a request to a handler. */
export async function sendTo(
  { handler }: Registry,
  method: string,
  path: string,
  { body, headers = {}, key }: SendOptions,
): Promise<Answer> {
  const isRaw = typeof body === "string" || body instanceof Uint8Array ||
    body instanceof ReadableStream;
  const response = await handler(
    new Request(`http://registry${path}`, {
      method,
      headers: {
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(key === undefined || key === null ? {} : { "x-api-key": key }),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isRaw ? body as BodyInit : JSON.stringify(body) }),
    }),
    { address: "192.0.2.1" },
  );
  const text = await response.text();
  let value: unknown = text;
  if (/json/.test(response.headers.get("content-type") ?? "") && text !== "") {
    value = JSON.parse(text);
  }
  return { status: response.status, headers: response.headers, body: value };
}
