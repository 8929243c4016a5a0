import { AttestationError, isAttestationError } from "../errors.ts";
import { HTTP_OPTIONS, type HttpAnswer, type HttpOptions, request } from "../internal/http.ts";
import { isObject, type Json, parseJson, printable } from "../internal/json.ts";
import { limitOption, refuseUnknown } from "../internal/options.ts";
import { mapWindow } from "../internal/window.ts";
import { detectFormat } from "../intoto/detect.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import { aboutSubject, asking, contentOf, type Given, httpOf, refusePage } from "./_answers.ts";
import { CLAIM_LIMITS, wantedKeys } from "./claims.ts";
import { ATTESTATION_SUFFIXES, namesByDigest } from "./file_names.ts";
import type { AttestationSource, FindOptions, StoredAttestation } from "./store.ts";

/** Where attestations lie on a server, and how it is asked. */
export interface HttpSourceOptions extends HttpOptions {
  /**
   * Address of an artifact, beside which its attestations lie (`app.tgz.sigstore.json`); of a
   * folder, with a slash at its end, such as the assets of a release; or of one file of
   * attestations.
   */
  url: string;
  /** Further headers, such as `authorization`. They are sent to the origin of `url` only. */
  headers?: Readonly<Record<string, string>>;
  /** What it is called in reports. Default: the address without its query. */
  name?: string;
  /** Attestations in one file; more are `limit-exceeded`. Default 1000. */
  maxAttestations?: number;
}

const WINDOW = 4;
const ACTION = "fetch attestations";

/**
 * Attestations that lie on a server, as files beside an artifact: release assets, a folder of
 * downloads, a single file.
 *
 * 404 and 410 are absence; everything else that is no attestation is `store-unavailable`: a
 * login, a page that answers every address, a server that fails. Redirects are followed to
 * `https:` and without headers to another origin.
 *
 * @throws {TypeError} If `url` is no `https:` address (`http:` only of this machine), or an
 * option is unknown.
 *
 * @example The files beside an artifact
 * ```ts
 * import { createHttpSource } from "@x/attest/store";
 * import assert from "node:assert/strict";
 *
 * const asked: string[] = [];
 * const source = createHttpSource({
 *   url: "https://downloads.example/1.0/app.tgz",
 *   fetch: (address) => {
 *     asked.push(address);
 *     return Promise.resolve(new Response(null, { status: 404 }));
 *   },
 * });
 * assert.equal(await source.find({ sha256: "a".repeat(64) }), undefined);
 * assert.ok(asked.includes("https://downloads.example/1.0/app.tgz.sigstore.json"));
 * ```
 */
export function createHttpSource(options: HttpSourceOptions): AttestationSource {
  refuseUnknown(
    options,
    [...HTTP_OPTIONS, "url", "headers", "name", "maxAttestations"],
    "createHttpSource()",
  );
  return new HttpSource(options);
}

class HttpSource implements AttestationSource {
  readonly name: string;
  readonly #options: HttpSourceOptions;
  readonly #url: URL;
  readonly #maxAttestations: number;

  constructor(options: HttpSourceOptions) {
    try {
      this.#url = new URL(options.url);
    } catch {
      throw new TypeError("Option url is no address");
    }
    const { origin, pathname, protocol, username, password, hash } = this.#url;
    if (!/^https?:$/.test(protocol) || username !== "" || password !== "" || hash !== "") {
      throw new TypeError("Option url is no https: address, or holds a password");
    }
    this.name = options.name ?? `${origin}${pathname}`;
    this.#options = options;
    this.#maxAttestations = limitOption("maxAttestations", options.maxAttestations, 1000);
  }

  async find(
    subject: DigestSet,
    options: FindOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const wanted = wantedKeys(subject);
    const { signal } = options;
    signal?.throwIfAborted();
    const urls = this.#places(subject, options.name);
    return await asking(this.name, signal, async () => {
      const given = await mapWindow(urls, WINDOW, (url) => this.#read(url, options));
      return await aboutSubject(given.flat(), wanted, options);
    });
  }

  /** Addresses that may hold an attestation of the subject. */
  #places(subject: DigestSet, name: string | undefined): URL[] {
    const { pathname } = this.#url;
    const at = (path: string) => {
      const url = new URL(this.#url);
      url.pathname = path;
      return url;
    };
    const folder = pathname.slice(0, pathname.lastIndexOf("/") + 1);
    const byDigest = namesByDigest(subject).filter((name) => name.includes("-")).map((name) =>
      at(folder + name)
    );
    if (pathname.endsWith("/")) {
      const isName = name !== undefined && name !== "" && !/^\.{1,2}$|[/\\]/.test(name);
      const beside = isName
        ? ATTESTATION_SUFFIXES.map((suffix) => at(folder + encodeURIComponent(name) + suffix))
        : [];
      return [...beside, ...byDigest];
    }
    const isFile = ATTESTATION_SUFFIXES.some((suffix) => pathname.endsWith(suffix)) ||
      /\.jsonl?$/.test(pathname);
    if (isFile) return [this.#url];
    return [...ATTESTATION_SUFFIXES.map((suffix) => at(pathname + suffix)), ...byDigest];
  }

  async #read(url: URL, options: FindOptions): Promise<Given[]> {
    const { headers = {} } = this.#options;
    const answer = await request(ACTION, url.href, {
      headers: { accept: "application/json, */*", ...headers },
      accept: [200, 404, 410],
      unread: [404, 410],
      reasons: {
        401: "registry-access-denied",
        403: "registry-access-denied",
        429: "registry-rate-limited",
      },
      redirects: 5,
    }, { maxBytes: 2 * CLAIM_LIMITS.maxBytes, ...httpOf(this.#options, options.signal) });
    if (answer.status !== 200) return [];
    refusePage(ACTION, answer);
    const source = `${url.origin}${url.pathname}`;
    const contents = await this.#split(answer, source, options);
    if (contents.length > this.#maxAttestations) {
      throw new AttestationError(
        "limit-exceeded",
        `Cannot ${ACTION}: ${printable(source)} has more than ${this.#maxAttestations}`,
      );
    }
    return contents;
  }

  /** One attestation, a list of them as services answer, or one a line. */
  async #split(
    { body }: HttpAnswer,
    source: string,
    { onNote }: FindOptions,
  ): Promise<Given[]> {
    let value: Json | undefined;
    try {
      value = parseJson(body, { maxLength: Math.max(1, body.length) });
    } catch (cause) {
      if (!isAttestationError(cause)) throw cause;
      const lines = await readLines(body, source);
      if (lines.length > 0) return lines;
      onNote?.({
        reason: cause.reason,
        message: `Left out ${printable(source)}: ${cause.message}`,
      });
      return [];
    }
    const list = Array.isArray(value)
      ? value
      : isObject(value) && detectFormat(value).endsWith("-attestations")
      ? value.attestations as Json[]
      : undefined;
    if (list === undefined) return [{ content: body, source }];
    return list.map((one, i) => {
      const inner = isObject(one) && isObject(one.bundle) ? one.bundle : one;
      return { content: contentOf(inner), source: `${source}#${i + 1}` };
    });
  }
}

async function readLines(body: Uint8Array, source: string): Promise<Given[]> {
  const { readJsonLines } = await import("../intoto/json_lines.ts");
  const given: Given[] = [];
  for await (const line of readJsonLines(body)) {
    if (!line.ok) continue;
    given.push({ content: new TextEncoder().encode(line.text), source: `${source}#${line.line}` });
  }
  return given;
}
