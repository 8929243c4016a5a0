/**
 * The services of the throw-away Sigstore instance in this process: Fulcio, Rekor v1 and v2,
 * a timestamp authority and an OIDC issuer. `handler` can be put on sockets as it is.
 *
 * @module
 */

import { decodeBase64, encodeBase64, encodeBase64Url } from "../../internal/base64.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { children, parseDer } from "../../internal/der.ts";
import { decodeHex, encodeHex } from "../../internal/hex.ts";
import type { Fetch } from "../../internal/http.ts";
import { canonicalJson, decodeUtf8, isObject, type JsonObject } from "../../internal/json.ts";
import { decodeOnePem, encodePem } from "../../internal/pem.ts";
import {
  defaultScheme,
  parseSpki,
  verifyDigestSignature,
  verifySignature,
} from "../../keys/public_key.ts";
import { type Authority, issueLeaf, type LeafOptions } from "./ca.ts";
import { preAuthenticationEncoding } from "./bundle.ts";
import { createInstance, type Instance, instanceRoot } from "./instance.ts";
import { sha256Of, type TestKey, testKey } from "./keys.ts";
import {
  dsseBody,
  hashedRekordBody,
  type RekorV1,
  rekorV1Entry,
  type Verifier,
} from "./rekor_v1.ts";
import { KEY_DETAILS, type RekorV2, rekorV2Entry } from "./rekor_v2.ts";
import { timestamp, type TimestampAuthority } from "./tsa.ts";
import { trustedRoot } from "./trusted_root.ts";

/** One of the services. */
export type ServiceName =
  | "fulcio"
  | "tsa"
  | "tsa-second"
  | "rekor1"
  | "rekor1-second"
  | "rekor2"
  | "oidc";

const NAMES: readonly ServiceName[] = [
  "fulcio",
  "tsa",
  "tsa-second",
  "rekor1",
  "rekor1-second",
  "rekor2",
  "oidc",
];

/** What a service may be made to do wrong. */
export type Fault =
  | "down"
  | "slow"
  | "400-echo"
  | "403"
  | "409"
  | "429"
  | "500"
  | "500-once"
  | "malformed"
  | "truncated"
  | "oversized"
  | "redirect"
  // Of the certificate authority
  | "other-key"
  | "other-subject"
  | "other-issuer"
  | "expired"
  | "no-sct"
  | "other-sct"
  | "other-ca"
  | "detached-sct"
  // Of the timestamp authority
  | "rejected"
  | "wrong-nonce"
  | "no-nonce"
  | "wrong-imprint"
  | "other-authority"
  // Of the logs
  | "409-other"
  | "409-elsewhere"
  | "lost-answer"
  | "other-entry"
  | "other-checkpoint-key"
  | "other-log";

/** Options of {@linkcode createServices}. */
export interface ServicesOptions {
  /** Where they are reached; each has a path of its own below. Default `https://sigstore.test`. */
  origin?: string;
  /** Default: the system's clock. */
  now?: () => Date;
  /** What goes wrong; may be changed at any time. */
  faults?: Partial<Record<ServiceName, Fault>>;
}

/** Which services a signing configuration names. */
export interface ConfigOptions {
  /** Version of the log. Default 2. */
  rekor?: 1 | 2 | "none";
  /** Default true. */
  timestamps?: boolean;
  /** Two logs of version 1 and two timestamp authorities, of different operators. */
  all?: boolean;
}

/** The services. */
export interface Services {
  /** Base address of each service; of timestamp authorities the whole address. */
  readonly urls: Readonly<Record<ServiceName, string>>;
  /** What goes wrong from now on. */
  readonly faults: Partial<Record<ServiceName, Fault>>;
  /** Requests that came in, as `rekor2 POST /api/v2/log/entries`. */
  readonly requests: string[];
  /** Answers a request; rejects when the service is down. */
  handler(request: Request): Promise<Response>;
  /** `fetch` that reaches the services and nothing else. */
  fetch: Fetch;
  /** `trusted_root.json`. */
  readonly trustedRoot: JsonObject;
  /** `signing_config.json`. */
  signingConfig(options?: ConfigOptions): JsonObject;
  /** A signed identity token; claims are added to or replace those of a GitHub workflow. */
  token(claims?: JsonObject): Promise<string>;
}

/** Bearer token that the ambient provider (`GET oidc/token`) wants to see. */
export const REQUEST_TOKEN = "the-request-token-of-the-job";

/** Makes the services. */
export async function createServices(options: ServicesOptions = {}): Promise<Services> {
  const instance = await createInstance();
  return new ThrowAwayServices(instance, await testKey("leaf-rsa"), options);
}

/** A refusal that becomes an answer. */
class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

interface Stored {
  id: string;
  answer: JsonObject;
}

class ThrowAwayServices implements Services {
  readonly urls: Readonly<Record<ServiceName, string>>;
  readonly faults: Partial<Record<ServiceName, Fault>>;
  readonly requests: string[] = [];
  readonly trustedRoot: JsonObject;
  readonly fetch: Fetch;
  readonly #instance: Instance;
  readonly #issuerKey: TestKey;
  readonly #origin: string;
  readonly #now: () => Date;
  /** Entries of each log by their canonical body. */
  readonly #entries = new Map<string, Map<string, Stored>>();
  /** Services that have failed once. */
  readonly #failed = new Set<string>();
  #serial = 1000;

  constructor(instance: Instance, issuerKey: TestKey, options: ServicesOptions) {
    const { origin = "https://sigstore.test", now = () => new Date(), faults = {} } = options;
    this.#instance = instance;
    this.#issuerKey = issuerKey;
    this.#origin = origin;
    this.#now = now;
    this.faults = faults;
    const entries = NAMES.map((name) => {
      const path = name.startsWith("tsa") ? `${name}/api/v1/timestamp` : name;
      return [name, `${origin}/${path}`];
    });
    this.urls = Object.fromEntries(entries);
    this.trustedRoot = trustedRoot(instanceRoot(instance));
    this.fetch = async (input, init) => {
      const request = new Request(input, init);
      if (new URL(request.url).origin !== origin) throw new TypeError("connection refused");
      return await this.handler(request);
    };
  }

  signingConfig({ rekor = 2, timestamps = true, all = false }: ConfigOptions = {}): JsonObject {
    const service = (name: ServiceName, majorApiVersion: number): JsonObject => ({
      url: this.urls[name],
      majorApiVersion,
      validFor: { start: "2025-01-01T00:00:00Z" },
      operator: name.endsWith("second") ? "second.example" : "sigstore.example",
    });
    const logs = all
      ? [service("rekor1", 1), service("rekor1-second", 1)]
      : rekor === "none"
      ? []
      : [service(rekor === 1 ? "rekor1" : "rekor2", rekor)];
    const tsas = all
      ? [service("tsa", 1), service("tsa-second", 1)]
      : timestamps
      ? [service("tsa", 1)]
      : [];
    return {
      mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
      caUrls: [service("fulcio", 1)],
      oidcUrls: [service("oidc", 1)],
      rekorTlogUrls: logs,
      rekorTlogConfig: { selector: all ? "ALL" : "ANY" },
      tsaUrls: tsas,
      tsaConfig: { selector: all ? "ALL" : "ANY" },
    };
  }

  async token(claims: JsonObject = {}): Promise<string> {
    const seconds = Math.floor(this.#now().getTime() / 1000);
    const repository = "acme/app", ref = "refs/heads/main";
    const workflow = `${repository}/.github/workflows/release.yml@${ref}`;
    const sha = "5ba5ee8b0f9c3f4d4f3f7a0c1d2e3f4a5b6c7d8e";
    const workflowClaims: JsonObject = {
      sub: `repo:${repository}:ref:${ref}`,
      job_workflow_ref: workflow,
      job_workflow_sha: sha,
      sha,
      ref,
      event_name: "push",
      repository,
      repository_id: "1001",
      repository_owner: "acme",
      repository_owner_id: "2002",
      repository_visibility: "public",
      runner_environment: "github-hosted",
      workflow: "Release",
      workflow_ref: workflow,
      workflow_sha: sha,
      run_id: "42",
      run_attempt: "1",
    };
    const who = claims.email === undefined
      ? workflowClaims
      : { sub: `user|${claims.email}`, email_verified: true };
    const all: JsonObject = {
      iss: this.urls.oidc,
      aud: "sigstore",
      iat: seconds,
      nbf: seconds,
      exp: seconds + 600,
      ...who,
      ...claims,
    };
    const part = (json: JsonObject) => encodeBase64Url(utf8(JSON.stringify(json)));
    const signed = `${part({ alg: "RS256", kid: "throw-away", typ: "JWT" })}.${part(all)}`;
    return `${signed}.${encodeBase64Url(await this.#issuerKey.sign(utf8(signed)))}`;
  }

  async handler(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    const [, first, ...rest] = pathname.split("/");
    const name = NAMES.find((one) => one === first);
    if (name === undefined) return new Response("no such service", { status: 404 });
    const path = `/${rest.join("/")}`;
    this.requests.push(`${name} ${request.method} ${path}`);
    const body = new Uint8Array(await request.arrayBuffer());
    const fault = this.faults[name];
    const early = await this.#early(name, fault, body);
    if (early !== undefined) return early;
    try {
      return spoilt(await this.#answer(name, path, request, body), fault);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return Response.json({ code: error.status, message: error.message }, {
        status: error.status,
      });
    }
  }

  /** What goes wrong before a service does its work. */
  #early(
    name: ServiceName,
    fault: Fault | undefined,
    body: Bytes,
  ): Promise<Response | undefined> | Response | undefined {
    switch (fault) {
      case "down":
        throw new TypeError("connection refused");
      case "slow":
        return new Promise(() => {});
      case "400-echo":
        return new Response(`cannot take ${new TextDecoder().decode(body)}`, { status: 400 });
      case "403":
        return Response.json({ message: "not for you" }, { status: 403 });
      case "429":
        return new Response("", { status: 429, headers: { "retry-after": "7" } });
      case "500":
        return new Response("<html>\n<b>Internal\u001b[31m error</b>", { status: 500 });
      case "500-once":
        if (this.#failed.has(name)) return undefined;
        this.#failed.add(name);
        return new Response("", { status: 500 });
      case "redirect":
        return new Response(null, {
          status: 307,
          headers: { location: `${this.#origin}/elsewhere` },
        });
      case "409":
        if (name.startsWith("rekor1")) return undefined;
        return Response.json({ code: 6, message: "an equivalent entry exists" }, { status: 409 });
    }
  }

  async #answer(
    name: ServiceName,
    path: string,
    request: Request,
    body: Bytes,
  ): Promise<Response> {
    const { instance, fault } = { instance: this.#instance, fault: this.faults[name] };
    const route = `${request.method} ${path}`;
    switch (name) {
      case "fulcio":
        if (route !== "POST /api/v2/signingCert") break;
        return await this.#certify(jsonOf(body), fault);
      case "tsa":
      case "tsa-second":
        if (route !== "POST /api/v1/timestamp") break;
        return await this.#stamp(name === "tsa" ? instance.tsa : instance.secondTsa, body, fault);
      case "rekor2":
        if (route !== "POST /api/v2/log/entries") break;
        return await this.#logV2(jsonOf(body), fault);
      case "rekor1":
      case "rekor1-second": {
        const log = name === "rekor1" ? instance.rekor : instance.secondRekor;
        if (route === "POST /api/v1/log/entries") return await this.#logV1(name, log, body, fault);
        const id = /^GET \/api\/v1\/log\/entries\/([0-9a-f]+)$/.exec(route)?.[1];
        const found = [...this.#entries.get(name)?.values() ?? []].find((one) => one.id === id);
        if (found === undefined) break;
        return Response.json(found.answer);
      }
      case "oidc":
        return await this.#identify(route, request);
    }
    throw new Refusal(404, "no such path");
  }

  async #identify(route: string, request: Request): Promise<Response> {
    if (route === "GET /.well-known/openid-configuration") {
      const issuer = this.urls.oidc;
      return Response.json({ issuer, jwks_uri: `${issuer}/keys` });
    }
    if (route !== "GET /token") throw new Refusal(404, "no such path");
    if (request.headers.get("authorization") !== `bearer ${REQUEST_TOKEN}`) {
      throw new Refusal(401, "not the token of the job");
    }
    const audience = new URL(request.url).searchParams.get("audience") ?? "";
    return Response.json({ value: await this.token({ aud: audience }) });
  }

  async #certify(body: JsonObject, fault: Fault | undefined): Promise<Response> {
    const claims = await this.#claimsOf(text(object(body.credentials).oidcIdentityToken));
    const challenge = typeof claims.email === "string" ? claims.email : text(claims.sub);
    const spki = typeof body.certificateSigningRequest === "string"
      ? await keyOfRequest(body.certificateSigningRequest)
      : await keyOfProof(object(body.publicKeyRequest), challenge);
    const other = await testKey("leaf-other");
    const now = this.#now().getTime();
    const start = new Date(Math.floor(now / 1000) * 1000 - (fault === "expired" ? 3_600_000 : 0));
    const leaf: LeafOptions = {
      key: fault === "other-key" ? other : { ...other, spki },
      san: sanOf(fault === "other-subject" ? { ...claims, ...OTHER_SUBJECT } : claims),
      issuer: fault === "other-issuer" ? "https://other.example" : text(claims.iss),
      notBefore: start,
      notAfter: new Date(start.getTime() + 600_000),
      claims: extensionsOf(claims),
      scts: fault === "no-sct" ? [] : [{
        log: fault === "other-sct" ? this.#instance.otherCtLog : this.#instance.ctLog,
        timestamp: start,
      }],
      serial: this.#serial++,
    };
    const authority: Authority = fault === "other-ca"
      ? this.#instance.otherAuthority
      : this.#instance.authority;
    const chain = [await issueLeaf(authority, leaf), authority.intermediate, authority.root];
    const certificates = chain.map((der) => encodePem("CERTIFICATE", der));
    const member = fault === "detached-sct"
      ? "signedCertificateDetachedSct"
      : "signedCertificateEmbeddedSct";
    return Response.json({ [member]: { chain: { certificates } } });
  }

  /** Claims of a token by this issuer, for this audience, that is valid now. */
  async #claimsOf(token: string): Promise<JsonObject> {
    const [header, payload, signature] = token.split(".");
    const key = parseSpki(this.#issuerKey.spki);
    const signed = utf8(`${header}.${payload}`);
    const bytes = decodeBase64(signature ?? "", { alphabet: "url" });
    if (!await verifySignature(key, defaultScheme(key), bytes, signed)) {
      throw new Refusal(401, "There was an error processing the identity token");
    }
    const claims = jsonOf(decodeBase64(payload, { alphabet: "url" }));
    if (claims.aud !== "sigstore") throw new Refusal(401, "a token for another audience");
    if (Number(claims.exp) * 1000 <= this.#now().getTime()) {
      throw new Refusal(401, "a token that has expired");
    }
    return claims;
  }

  async #stamp(
    by: TimestampAuthority,
    body: Bytes,
    fault: Fault | undefined,
  ): Promise<Response> {
    const [, imprint, nonce] = children(parseDer(body));
    const [, hashed] = children(imprint);
    const changed = nonce.value.slice();
    changed[changed.length - 1] ^= 1;
    const stamp = await timestamp(fault === "other-authority" ? this.#instance.otherTsa : by, {
      message: hashed.value,
      imprint: fault === "wrong-imprint" ? sha256Of("another signature") : hashed.value,
      ...(fault === "no-nonce" ? {} : { nonce: fault === "wrong-nonce" ? changed : nonce.value }),
      genTime: this.#now(),
      ...(fault === "rejected" ? { status: 2 } : {}),
    });
    const headers = { "content-type": "application/timestamp-reply" };
    return new Response(stamp, { status: 201, headers });
  }

  async #logV2(body: JsonObject, fault: Fault | undefined): Promise<Response> {
    const proposed = object(body.hashedRekordRequestV002);
    const signature = object(proposed.signature), verifier = object(signature.verifier);
    const content = bytes(signature.content), hashed = bytes(proposed.digest);
    const raw = bytes(object(verifier.x509Certificate ?? verifier.publicKey).rawBytes);
    const spki = verifier.x509Certificate === undefined ? raw : spkiOf(raw);
    const details = text(verifier.keyDetails);
    if (!(Object.values(KEY_DETAILS) as string[]).includes(details) || details === "PKIX_ED25519") {
      throw new Refusal(400, `unsupported key ${details}`);
    }
    if (await verifyDigestSignature(parseSpki(spki), content, hashed) === false) {
      throw new Refusal(400, "the signature does not verify");
    }
    const { otherRekor2, rekor2 } = this.#instance;
    const log: RekorV2 = fault === "other-log" ? otherRekor2 : rekor2;
    const logged: JsonObject = {
      apiVersion: "0.0.2",
      kind: "hashedrekord",
      spec: {
        hashedRekordV002: {
          data: {
            algorithm: `SHA2_${hashed.length * 8}`,
            digest: encodeBase64(fault === "other-entry" ? sha256Of("another") : hashed),
          },
          signature: { content: encodeBase64(content), verifier },
        },
      },
    };
    const stored = this.#entriesOf("rekor2");
    const index = stored.size;
    const name = canonicalJson(logged);
    if (stored.has(name)) throw new Refusal(409, "an equivalent entry already exists");
    stored.set(name, { id: "", answer: {} });
    if (fault === "lost-answer" && !this.#failed.has("rekor2")) {
      this.#failed.add("rekor2");
      throw new TypeError("connection reset");
    }
    const entry = await rekorV2Entry(log, logged, {
      index,
      size: index + 1,
      ...(fault === "other-checkpoint-key" ? { checkpointKey: otherRekor2.key } : {}),
    });
    // Protobuf JSON leaves defaults out.
    if (index === 0) {
      delete entry.logIndex;
      delete object(entry.inclusionProof).logIndex;
      delete object(entry.inclusionProof).hashes;
    }
    return Response.json(entry);
  }

  async #logV1(
    name: ServiceName,
    own: RekorV1,
    body: Bytes,
    fault: Fault | undefined,
  ): Promise<Response> {
    const stored = this.#entriesOf(name);
    const logged = await bodyOfProposal(jsonOf(body));
    const canonical = canonicalJson(logged);
    const known = stored.get(canonical);
    if (known !== undefined) return conflict(known.id, this.urls[name]);
    if (fault === "other-entry" || fault === "409-other") {
      const spec = object(logged.spec);
      if (logged.kind === "dsse") object(spec.payloadHash).value = "ab".repeat(32);
      else object(object(spec.data).hash).value = "ab".repeat(32);
    }
    const log: RekorV1 = fault === "other-log" ? this.#instance.otherRekor : own;
    const index = stored.size;
    const entry = await rekorV1Entry(log, logged, {
      index,
      size: index + 1,
      integratedTime: this.#now(),
      ...(fault === "other-checkpoint-key" ? { checkpointKey: this.#instance.otherRekor.key } : {}),
    });
    const id = "24296fb24b8ad77a" + encodeHex(sha256Of(canonical));
    const answer = { [id]: apiEntry(entry) };
    stored.set(canonical, { id, answer });
    if (fault === "409" || fault === "409-other") return conflict(id, this.urls[name]);
    if (fault === "409-elsewhere") return conflict(id, "https://elsewhere.example");
    if (fault === "lost-answer" && !this.#failed.has(name)) {
      this.#failed.add(name);
      throw new TypeError("connection reset");
    }
    return Response.json(answer, { status: 201 });
  }

  #entriesOf(name: ServiceName): Map<string, Stored> {
    let entries = this.#entries.get(name);
    if (entries === undefined) this.#entries.set(name, entries = new Map());
    return entries;
  }
}

const OTHER_SUBJECT: JsonObject = {
  email: "mallory@example.com",
  job_workflow_ref: "mallory/app/.github/workflows/release.yml@refs/heads/main",
};

function sanOf(claims: JsonObject): LeafOptions["san"] {
  const { email, job_workflow_ref: workflow, sub } = claims;
  const isWorkflow = text(sub).startsWith("repo:");
  return isWorkflow && typeof workflow === "string"
    ? { type: "uri", value: `https://github.com/${workflow}` }
    : typeof email === "string"
    ? { type: "email", value: email }
    : { type: "uri", value: text(sub) };
}

/** Fulcio's extensions of a workflow (sigstore/fulcio, docs/oid-info.md). */
function extensionsOf(claims: JsonObject): Record<number, string> {
  if (typeof claims.job_workflow_ref !== "string") return {};
  const github = (path: unknown) => `https://github.com/${path}`;
  const values: [number, unknown][] = [
    [2, claims.event_name],
    [3, claims.sha],
    [4, claims.workflow],
    [5, claims.repository],
    [6, claims.ref],
    [9, github(claims.job_workflow_ref)],
    [10, claims.job_workflow_sha],
    [11, claims.runner_environment],
    [12, github(claims.repository)],
    [13, claims.sha],
    [14, claims.ref],
    [15, claims.repository_id],
    [16, github(claims.repository_owner)],
    [17, claims.repository_owner_id],
    [18, github(claims.workflow_ref)],
    [19, claims.workflow_sha],
    [20, claims.event_name],
    [
      21,
      github(`${claims.repository}/actions/runs/${claims.run_id}/attempts/${claims.run_attempt}`),
    ],
    [22, claims.repository_visibility],
    [24, claims.sub],
  ];
  return Object.fromEntries(
    values.flatMap(([arc, value]) => typeof value === "string" ? [[arc, value]] : []),
  );
}

async function keyOfProof(request: JsonObject, challenge: string): Promise<Bytes> {
  const { der } = decodeOnePem(text(object(request.publicKey).content), "PUBLIC KEY");
  const key = parseSpki(der);
  const proof = bytes(request.proofOfPossession);
  if (!await verifySignature(key, defaultScheme(key), proof, utf8(challenge))) {
    throw new Refusal(400, "The signature supplied in the request could not be verified");
  }
  return der;
}

async function keyOfRequest(encoded: string): Promise<Bytes> {
  const pem = decodeUtf8(decodeBase64(encoded));
  const [info, , signature] = children(parseDer(decodeOnePem(pem, "CERTIFICATE REQUEST").der));
  const spki = Uint8Array.from(children(info)[2].raw);
  const key = parseSpki(spki);
  const bits = signature.value.subarray(1);
  if (!await verifySignature(key, defaultScheme(key), bits, info.raw)) {
    throw new Refusal(400, "The certificate signing request could not be verified");
  }
  return spki;
}

/** Canonical body of what was proposed to Rekor v1, when its signature is good. */
async function bodyOfProposal(proposal: JsonObject): Promise<JsonObject> {
  const spec = object(proposal.spec);
  if (proposal.kind === "dsse") {
    const { envelope, verifiers } = object(spec.proposedContent);
    const json = jsonOf(utf8(text(envelope)));
    const signature = bytes(object((json.signatures as JsonObject[])[0]).sig);
    const verifier = verifierOf(text((verifiers as string[])[0]));
    const payload = bytes(json.payload), payloadType = text(json.payloadType);
    const key = parseSpki(verifier.spki);
    const pae = preAuthenticationEncoding(payloadType, payload);
    if (!await verifySignature(key, defaultScheme(key), signature, pae)) {
      throw new Refusal(400, "the signature does not verify");
    }
    return dsseBody({ payloadType, payload, signature, text: text(envelope) }, verifier);
  }
  const signature = object(spec.signature), hash = object(object(spec.data).hash);
  const verifier = verifierOf(text(object(signature.publicKey).content));
  const value = decodeHex(text(hash.value));
  const good = await verifyDigestSignature(
    parseSpki(verifier.spki),
    bytes(signature.content),
    value,
  );
  if (good === false) throw new Refusal(400, "the signature does not verify");
  return hashedRekordBody(
    { algorithm: text(hash.algorithm), value },
    bytes(signature.content),
    verifier,
  );
}

function verifierOf(pem64: string): Verifier & { spki: Bytes } {
  const { der, label } = decodeOnePem(
    decodeUtf8(decodeBase64(pem64)),
    "CERTIFICATE",
    "PUBLIC KEY",
  );
  return label === "CERTIFICATE"
    ? { der, label, spki: spkiOf(der) }
    : { der, label: "PUBLIC KEY", spki: der };
}

function spkiOf(certificate: Uint8Array): Bytes {
  return Uint8Array.from(children(children(parseDer(certificate))[0])[6].raw);
}

/** A TransparencyLogEntry as the API of Rekor v1 shows it. */
function apiEntry(entry: JsonObject): JsonObject {
  const proof = object(entry.inclusionProof);
  const hex = (base64: unknown) => encodeHex(bytes(base64));
  return {
    body: entry.canonicalizedBody,
    integratedTime: Number(entry.integratedTime),
    logID: hex(object(entry.logId).keyId),
    logIndex: Number(entry.logIndex),
    verification: {
      inclusionProof: {
        checkpoint: object(proof.checkpoint).envelope,
        hashes: (proof.hashes as string[]).map(hex),
        logIndex: Number(proof.logIndex),
        rootHash: hex(proof.rootHash),
        treeSize: Number(proof.treeSize),
      },
      signedEntryTimestamp: object(entry.inclusionPromise).signedEntryTimestamp,
    },
  };
}

function conflict(id: string, base: string): Response {
  const headers = { location: `${base}/api/v1/log/entries/${id}` };
  return Response.json({ code: 409, message: "an equivalent entry already exists" }, {
    status: 409,
    headers,
  });
}

/** What goes wrong with a good answer. */
async function spoilt(answer: Response, fault: Fault | undefined): Promise<Response> {
  if (fault !== "malformed" && fault !== "truncated" && fault !== "oversized") return answer;
  const { status } = answer;
  const body = new Uint8Array(await answer.arrayBuffer());
  if (fault === "malformed") return new Response("{\u0030\u0082<html>", { status });
  if (fault === "oversized") return new Response(new Uint8Array(5 << 20), { status });
  const headers = { "content-length": `${body.length}` };
  return new Response(body.slice(0, body.length >> 1), { status, headers });
}

function object(value: unknown): JsonObject {
  if (!isObject(value)) throw new Refusal(400, "not an object");
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") throw new Refusal(400, "not a text");
  return value;
}

function bytes(value: unknown): Bytes {
  return decodeBase64(text(value));
}

function jsonOf(body: Uint8Array): JsonObject {
  return object(JSON.parse(decodeUtf8(body)));
}
