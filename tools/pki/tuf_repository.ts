/**
 * A throw-away TUF repository in memory, with keys of its own: what it publishes can be
 * taken away, exchanged and signed by anybody, so that each attack is one line.
 *
 * Nothing of the client is used here but the canonical form.
 *
 * @module
 */
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { Fetch } from "../../internal/http.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { encodePem } from "../../internal/pem.ts";
import { canonicalTufJson } from "../../sigstore/tuf/canonical.ts";
import { p1363ToDer } from "../../keys/ecdsa_signature.ts";

/** Kinds of keys that TUF metadata knows. */
export type TufKeyScheme =
  | "ed25519"
  | "ecdsa-sha2-nistp256"
  | "ecdsa-sha2-nistp384"
  | "rsassa-pss-sha256";

/** A key that signs metadata. */
export interface TufSigner {
  /** SHA-256 of the canonical form of `key`. */
  readonly keyid: string;
  /** The public key as metadata has it. */
  readonly key: JsonObject;
  /** Hex of a signature. */
  sign(data: Uint8Array): Promise<string>;
}

/** Top-level roles. */
export type TopRole = "root" | "timestamp" | "snapshot" | "targets";

/** Who signs for a role. */
export interface RoleKeys {
  signers: TufSigner[];
  threshold: number;
}

/** A role to which targets are delegated. */
export interface Delegated extends RoleKeys {
  name: string;
  paths: string[];
  terminating: boolean;
  targets: Map<string, Bytes>;
  version: number;
}

/** Day from which the expiry of metadata is counted, unless another is given. */
export const TUF_START: Date = new Date("2026-11-20T00:00:00Z");

const DAY = 24 * 60 * 60 * 1000;

/** A new key. */
export async function tufSigner(scheme: TufKeyScheme = "ed25519"): Promise<TufSigner> {
  if (scheme === "ed25519") {
    const pair = await crypto.subtle.generateKey("Ed25519", true, ["sign"]) as CryptoKeyPair;
    const point = encodeHex(
      new Uint8Array(await crypto.subtle.exportKey("raw", pair.publicKey)),
    );
    return signerOf(
      "ed25519",
      scheme,
      point,
      async (data) => new Uint8Array(await crypto.subtle.sign("Ed25519", pair.privateKey, data)),
    );
  }
  if (scheme === "rsassa-pss-sha256") {
    const pair = await crypto.subtle.generateKey(
      {
        name: "RSA-PSS",
        hash: "SHA-256",
        modulusLength: 2048,
        publicExponent: Uint8Array.of(1, 0, 1),
      },
      true,
      ["sign", "verify"],
    );
    return signerOf("rsa", scheme, await pemOf(pair), async (data) =>
      new Uint8Array(
        await crypto.subtle.sign({ name: "RSA-PSS", saltLength: 32 }, pair.privateKey, data),
      ));
  }
  const bits = scheme.slice(-3);
  const pair = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: `P-${bits}` },
    true,
    ["sign", "verify"],
  );
  return signerOf("ecdsa", scheme, await pemOf(pair), async (data) =>
    p1363ToDer(
      new Uint8Array(
        await crypto.subtle.sign({ name: "ECDSA", hash: `SHA-${bits}` }, pair.privateKey, data),
      ),
    ));
}

/** The same key under another id: a private extension is part of the canonical form. */
export async function withOtherId(signer: TufSigner): Promise<TufSigner> {
  const key = { ...signer.key, "x-note": "the same" };
  return { keyid: await keyIdOf(key), key, sign: signer.sign };
}

async function signerOf(
  keytype: string,
  scheme: string,
  text: string,
  sign: (data: Bytes) => Promise<Uint8Array>,
): Promise<TufSigner> {
  const key = { keytype, scheme, keyval: { public: text } };
  return {
    keyid: await keyIdOf(key),
    key,
    sign: async (data) => encodeHex(await sign(Uint8Array.from(data))),
  };
}

async function keyIdOf(key: JsonObject): Promise<string> {
  return await sha256Hex(utf8(canonicalTufJson(key)));
}

async function pemOf({ publicKey }: CryptoKeyPair): Promise<string> {
  return encodePem("PUBLIC KEY", new Uint8Array(await crypto.subtle.exportKey("spki", publicKey)));
}

async function sha256Hex(bytes: Bytes): Promise<string> {
  return encodeHex(new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)));
}

/** Metadata with signatures, as bytes. */
export async function signTuf(
  signed: JsonObject,
  signers: readonly TufSigner[],
): Promise<Bytes> {
  const data = utf8(canonicalTufJson(signed));
  const signatures: Json[] = [];
  for (const { keyid, sign } of signers) signatures.push({ keyid, sig: await sign(data) });
  return utf8(JSON.stringify({ signatures, signed }));
}

/** A repository: what it holds is changed by its members, and published by its methods. */
export class TestTufRepository {
  /** Address of the metadata. */
  readonly baseUrl: string = "https://tuf.example/repo";
  /** What is served, by its path below {@linkcode TestTufRepository.baseUrl}. */
  readonly files: Map<string, Bytes> = new Map();
  /** Paths in the order in which they were asked for. */
  readonly requested: string[] = [];
  /** The targets of the top-level role. */
  readonly targets: Map<string, Bytes> = new Map();
  /** Roles below it. */
  readonly delegations: Delegated[] = [];
  /** Who signs. */
  readonly roles: Record<TopRole, RoleKeys>;
  /** Versions that were published last. */
  readonly versions: Record<TopRole, number> = { root: 0, timestamp: 0, snapshot: 0, targets: 0 };
  /** Days from the start to the expiry of what is published. */
  readonly days: Record<TopRole, number> = { root: 180, timestamp: 7, snapshot: 30, targets: 90 };
  /** Whether the metadata states lengths and digests of other metadata. */
  statesDigests = true;
  /** First root, from which clients start. */
  firstRoot: Bytes = new Uint8Array();
  readonly #start: Date;

  private constructor(roles: Record<TopRole, RoleKeys>, start: Date) {
    this.roles = roles;
    this.#start = start;
  }

  /** A repository with one published state. */
  static async create(
    targets: Readonly<Record<string, string>>,
    scheme: TufKeyScheme = "ed25519",
    start: Date = TUF_START,
  ): Promise<TestTufRepository> {
    const online = { signers: [await tufSigner(scheme)], threshold: 1 };
    const repository = new TestTufRepository({
      root: { signers: [await tufSigner(scheme), await tufSigner(scheme)], threshold: 2 },
      timestamp: online,
      snapshot: { ...online, signers: [...online.signers] },
      targets: { signers: [await tufSigner(scheme)], threshold: 1 },
    }, start);
    for (const [name, text] of Object.entries(targets)) repository.targets.set(name, utf8(text));
    repository.firstRoot = await repository.publishRoot();
    await repository.publish();
    return repository;
  }

  /** Answers requests for what is served, and 404 for all else. */
  get fetch(): Fetch {
    return (url) => {
      const path = decodeURI(url.slice(this.baseUrl.length + 1));
      this.requested.push(path);
      const bytes = this.files.get(path);
      return Promise.resolve(
        bytes === undefined ? new Response("not here", { status: 404 }) : new Response(bytes),
      );
    };
  }

  /** `signed` of the next root. */
  rootBody(changes: JsonObject = {}): JsonObject {
    const keys: JsonObject = {};
    const roles: JsonObject = {};
    for (const [name, { signers, threshold }] of Object.entries(this.roles)) {
      for (const { keyid, key } of signers) keys[keyid] = key;
      roles[name] = { keyids: signers.map(({ keyid }) => keyid), threshold };
    }
    const version = this.versions.root + 1;
    const body = this.#body("root", version, { consistent_snapshot: true, keys, roles });
    return { ...body, ...changes };
  }

  /** Publishes the next root, signed by its own keys and by those of the one before. */
  async publishRoot(before: readonly TufSigner[] = []): Promise<Bytes> {
    const signers = new Map(
      [...before, ...this.roles.root.signers].map((one) => [one.keyid, one]),
    );
    const bytes = await signTuf(this.rootBody(), [...signers.values()]);
    this.versions.root++;
    this.files.set(`${this.versions.root}.root.json`, bytes);
    return bytes;
  }

  /** Publishes the targets with new targets, snapshot and timestamp metadata. */
  async publish(): Promise<void> {
    this.versions.targets++;
    await this.publishTargets();
    await this.publishSnapshot();
  }

  /** `signed` of the current targets. */
  async targetsBody(): Promise<JsonObject> {
    const body: JsonObject = { targets: await this.#serve(this.targets) };
    if (this.delegations.length > 0) {
      const keys: JsonObject = {};
      const roles: Json[] = [];
      for (const { name, signers, threshold, paths, terminating } of this.delegations) {
        for (const { keyid, key } of signers) keys[keyid] = key;
        roles.push({
          name,
          keyids: signers.map(({ keyid }) => keyid),
          threshold,
          paths,
          terminating,
        });
      }
      body.delegations = { keys, roles };
    }
    return this.#body("targets", this.versions.targets, body);
  }

  /** Publishes `targets.json` and those of the delegated roles, at their versions. */
  async publishTargets(): Promise<void> {
    for (const { name, signers, targets, version } of this.delegations) {
      const body = this.#body("targets", version, { targets: await this.#serve(targets) });
      this.files.set(
        `${version}.${encodeURIComponent(name)}.json`,
        await signTuf(body, signers),
      );
    }
    const bytes = await signTuf(await this.targetsBody(), this.roles.targets.signers);
    this.files.set(`${this.versions.targets}.targets.json`, bytes);
  }

  /** Publishes the next snapshot over the targets, and a timestamp. */
  async publishSnapshot(): Promise<void> {
    this.versions.snapshot++;
    const meta: JsonObject = { "targets.json": await this.#meta("targets", this.versions.targets) };
    for (const { name, version } of this.delegations) {
      meta[`${name}.json`] = await this.#meta(encodeURIComponent(name), version);
    }
    const { snapshot } = this.versions;
    const body = this.#body("snapshot", snapshot, { meta });
    this.files.set(`${snapshot}.snapshot.json`, await signTuf(body, this.roles.snapshot.signers));
    await this.publishTimestamp();
  }

  /** Publishes the next timestamp over the snapshot. */
  async publishTimestamp(): Promise<void> {
    this.versions.timestamp++;
    const meta = { "snapshot.json": await this.#meta("snapshot", this.versions.snapshot) };
    const body = this.#body("timestamp", this.versions.timestamp, { meta });
    this.files.set("timestamp.json", await signTuf(body, this.roles.timestamp.signers));
  }

  #body(type: TopRole, version: number, rest: JsonObject): JsonObject {
    const expires = new Date(this.#start.getTime() + this.days[type] * DAY);
    return {
      _type: type,
      spec_version: "1.0.31",
      version,
      expires: expires.toISOString().replace(/\.\d+Z$/, "Z"),
      ...rest,
    };
  }

  async #meta(name: string, version: number): Promise<JsonObject> {
    const bytes = this.files.get(`${version}.${name}.json`);
    if (!this.statesDigests || bytes === undefined) return { version };
    return { version, length: bytes.length, hashes: { sha256: await sha256Hex(bytes) } };
  }

  async #serve(targets: ReadonlyMap<string, Bytes>): Promise<JsonObject> {
    const infos: JsonObject = {};
    for (const [name, bytes] of targets) {
      const sha256 = await sha256Hex(bytes);
      infos[name] = { length: bytes.length, hashes: { sha256 } };
      const at = name.lastIndexOf("/") + 1;
      this.files.set(`targets/${name.slice(0, at)}${sha256}.${name.slice(at)}`, bytes);
    }
    return infos;
  }
}
