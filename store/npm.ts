import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { digestStream } from "../internal/hasher.ts";
import { encodeHex } from "../internal/hex.ts";
import {
  HTTP_OPTIONS,
  type HttpAnswer,
  type HttpOptions,
  jsonAnswer,
  request,
  requestStream,
} from "../internal/http.ts";
import { isObject, type JsonObject, quote } from "../internal/json.ts";
import { limitOption, refuseUnknown } from "../internal/options.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { parseNpmAttestations } from "../npm/answer.ts";
import { describePackage, isNpmName, isNpmVersion, type NpmPackage } from "../npm/purl.ts";
import { aboutSubject, asking, baseAddress, contentOf, httpOf, refusePage } from "./_answers.ts";
import { wantedKeys } from "./claims.ts";
import type { AttestationSource, FindOptions, StoredAttestation, StoreOptions } from "./store.ts";

/** Which registry is asked, and how. */
export interface NpmRegistryOptions extends HttpOptions {
  /** Address of the registry, as npm's option `registry` has it. */
  registry: string;
  /** Token, as npm's `_authToken`; it is sent to the origin of the registry only. Default: none. */
  token?: string;
  /** Bytes of a tarball. Default 1 GiB; it is hashed as it comes, and not kept. */
  maxTarballBytes?: number;
}

/** The tarball of a package, as the registry serves it. */
export interface NpmTarball {
  /** Its digest, of the bytes that came. */
  readonly sha512: string;
  /** Bytes. */
  readonly size: number;
  /** Where it came from. */
  readonly url: string;
}

/** A registry of npm packages. */
export interface NpmRegistry {
  /** Its address, without a slash at the end. */
  readonly address: string;
  /**
   * Downloads a package and digests it; undefined if there is no such version.
   *
   * @throws {AttestationError} `store-unavailable`; `integrity-mismatch` if the tarball is not
   * what the registry itself says; `missing-integrity`; `limit-exceeded`.
   */
  tarball(one: NpmPackage, options?: StoreOptions): Promise<NpmTarball | undefined>;
  /**
   * The answer about its attestations, for `verifyNpmPackage()`; undefined if it has none.
   *
   * @throws {AttestationError} `store-unavailable`, `limit-exceeded`.
   */
  attestations(one: NpmPackage, options?: StoreOptions): Promise<Uint8Array | undefined>;
  /** The attestations of one package, to be found by the SHA-512 of its tarball. */
  source(one: NpmPackage): AttestationSource;
}

const MAX_ANSWER_BYTES = 48 << 20;
const MAX_MANIFEST_BYTES = 8 << 20;

/**
 * A registry of npm packages: tarballs, and the attestations that it keeps of them.
 *
 * Nothing of what it says is believed: the digest is that of the bytes, and attestations are
 * for `verifyNpmPackage()` to verify. A tarball may lie at another origin, which gets no token.
 *
 * Source: npm/attestation; npm registry API, "Get a package version"; pacote.
 *
 * @throws {TypeError} If `registry` is no address, or an option is unknown.
 * @throws {RangeError} If `maxTarballBytes` is no integer >= 1.
 *
 * @example A registry that has no attestations of a package
 * ```ts
 * import { createNpmRegistry } from "@x/attest/store";
 * import assert from "node:assert/strict";
 *
 * const registry = createNpmRegistry({
 *   registry: "https://registry.example",
 *   fetch: () => Promise.resolve(new Response(null, { status: 404 })),
 * });
 * assert.equal(await registry.attestations({ name: "app", version: "1.0.0" }), undefined);
 * ```
 */
export function createNpmRegistry(options: NpmRegistryOptions): NpmRegistry {
  refuseUnknown(
    options,
    [...HTTP_OPTIONS, "registry", "token", "maxTarballBytes"],
    "createNpmRegistry()",
  );
  return new Registry(options);
}

class Registry implements NpmRegistry {
  readonly address: string;
  readonly #options: NpmRegistryOptions;
  readonly #maxTarballBytes: number;

  constructor(options: NpmRegistryOptions) {
    this.address = baseAddress("Option registry", options.registry);
    this.#options = options;
    this.#maxTarballBytes = limitOption("maxTarballBytes", options.maxTarballBytes, 2 ** 30);
  }

  async tarball(
    one: NpmPackage,
    { signal }: StoreOptions = {},
  ): Promise<NpmTarball | undefined> {
    checkPackage(one);
    signal?.throwIfAborted();
    const what = describePackage(one);
    return await asking(this.address, signal, async () => {
      const action = `ask for package ${quote(what)}`;
      const path = `/${encodeName(one.name)}/${encodeURIComponent(one.version)}`;
      const answer = await this.#ask(action, path, MAX_MANIFEST_BYTES, signal);
      if (answer.status === 404) return undefined;
      const { url, sha512 } = readDist(action, jsonAnswer(action, answer), this.address);
      const found = await this.#digest(url, signal);
      if (found.sha512 === sha512) return { ...found, url };
      throw new AttestationError(
        "integrity-mismatch",
        `Cannot use package ${quote(what)}: its tarball is not the one that the registry names`,
      );
    }, ["integrity-mismatch", "missing-integrity"]);
  }

  async attestations(
    one: NpmPackage,
    { signal }: StoreOptions = {},
  ): Promise<Uint8Array | undefined> {
    checkPackage(one);
    signal?.throwIfAborted();
    return await asking(this.address, signal, async () => {
      const action = `ask for attestations of ${quote(describePackage(one))}`;
      const name = `${encodeName(one.name)}@${encodeURIComponent(one.version)}`;
      const path = `/-/npm/v1/attestations/${name}`;
      const answer = await this.#ask(action, path, MAX_ANSWER_BYTES, signal);
      if (answer.status === 404) return undefined;
      jsonAnswer(action, answer);
      return answer.body;
    });
  }

  source(one: NpmPackage): AttestationSource {
    checkPackage(one);
    const name = `npm:${describePackage(one)}`;
    return {
      name,
      find: async (
        subject: DigestSet,
        options: FindOptions = {},
      ): Promise<StoredAttestation[] | undefined> => {
        const wanted = wantedKeys(subject);
        const answer = await this.attestations(one, options);
        if (answer === undefined) return undefined;
        return await asking(this.address, options.signal, async () => {
          const given = parseNpmAttestations(answer).map(({ bundle }, i) => ({
            content: contentOf(bundle),
            source: `${name}#${i + 1}`,
          }));
          return await aboutSubject(given, wanted, options);
        });
      },
    };
  }

  async #ask(
    action: string,
    path: string,
    maxBytes: number,
    signal: AbortSignal | undefined,
  ): Promise<HttpAnswer> {
    const answer = await request(action, this.address + path, {
      headers: { accept: "application/json", ...this.#credentials(this.address) },
      accept: [200, 404],
      unread: [404],
      reasons: STATUS_REASONS,
      redirects: 3,
    }, { maxBytes, ...httpOf(this.#options, signal) });
    if (answer.status === 200) refusePage(action, answer);
    return answer;
  }

  #credentials(url: string): Record<string, string> {
    const { token } = this.#options;
    const isOwn = new URL(url).origin === new URL(this.address).origin;
    return token === undefined || !isOwn ? {} : { authorization: `Bearer ${token}` };
  }

  async #digest(
    url: string,
    signal: AbortSignal | undefined,
  ): Promise<{ sha512: string; size: number }> {
    const answer = await requestStream("download a tarball", url, {
      headers: this.#credentials(url),
      reasons: STATUS_REASONS,
      redirects: 5,
    }, { ...httpOf(this.#options, signal), maxBytes: this.#maxTarballBytes });
    let size = 0;
    const onBytes = (count: number) => void (size += count);
    const { digests: [sha512] } = await digestStream(answer.body, ["SHA-512"], {
      onBytes,
      ...(signal === undefined ? {} : { signal }),
    });
    return { sha512: encodeHex(sha512), size };
  }
}

const STATUS_REASONS = {
  401: "registry-access-denied",
  403: "registry-access-denied",
  429: "registry-rate-limited",
} as const;

function checkPackage({ name, version }: NpmPackage): void {
  if (!isNpmName(name)) throw new TypeError("That is no name of an npm package");
  if (!isNpmVersion(version)) throw new TypeError("That is no version of an npm package");
}

/** `@scope%2fname`, as npm writes it. */
function encodeName(name: string): string {
  return name.startsWith("@")
    ? `@${name.slice(1).split("/").map(encodeURIComponent).join("%2f")}`
    : encodeURIComponent(name);
}

/** Address and SHA-512 of the tarball in the document of a version. */
function readDist(
  action: string,
  document: JsonObject,
  base: string,
): { url: string; sha512: string } {
  const { dist } = document;
  if (!isObject(dist) || typeof dist.tarball !== "string") {
    throw new AttestationError("malformed-response", `Cannot ${action}: it names no tarball`);
  }
  let url: URL;
  try {
    url = new URL(dist.tarball, `${base}/`);
  } catch {
    throw new AttestationError("malformed-response", `Cannot ${action}: its tarball is no address`);
  }
  const integrity = typeof dist.integrity === "string" ? dist.integrity : "";
  const digests = integrity.split(/\s+/).flatMap((one) => {
    const match = /^sha512-([A-Za-z0-9+/]{86}==)(?:\?.*)?$/.exec(one);
    return match === null ? [] : [encodeHex(decodeBase64(match[1]))];
  });
  if (digests.length !== 1) {
    throw new AttestationError(
      "missing-integrity",
      `Cannot ${action}: the registry does not state one SHA-512 of the tarball`,
    );
  }
  return { url: url.href, sha512: digests[0] };
}
