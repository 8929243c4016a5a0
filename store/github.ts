import { AttestationError } from "../errors.ts";
import {
  HTTP_OPTIONS,
  type HttpAnswer,
  type HttpOptions,
  jsonAnswer,
  request,
} from "../internal/http.ts";
import { isObject, type JsonObject, printable } from "../internal/json.ts";
import { limitOption, refuseUnknown } from "../internal/options.ts";
import { decodeSnappy } from "../internal/snappy.ts";
import { mapWindow } from "../internal/window.ts";
import type { DigestSet } from "../intoto/digest_set.ts";
import {
  aboutSubject,
  asking,
  baseAddress,
  contentOf,
  type Given,
  httpOf,
  refusePage,
} from "./_answers.ts";
import { nextLink } from "./_link.ts";
import { CLAIM_LIMITS, wantedKeys } from "./claims.ts";
import type { AttestationSource, FindOptions, StoredAttestation } from "./store.ts";

/** Whose attestations GitHub is asked for, and how. Exactly one of the three owners. */
export interface GithubSourceOptions extends HttpOptions {
  /** Address of the API, such as the variable `GITHUB_API_URL` of a workflow holds. */
  api: string;
  /** Repository, `owner/name`. */
  repository?: string;
  /** Organisation: all its repositories that the token may see. */
  organization?: string;
  /** User: all repositories that the token may see. */
  user?: string;
  /** Token; needed for what is private. It is sent to `api` only. Default: none. */
  token?: string;
  /** Only attestations with this predicate type, if the service filters. Default: all. */
  predicateType?: string;
  /** Pages that are read; one more is `limit-exceeded`. Default 10, of 100 attestations each. */
  maxPages?: number;
  /** What it is called in reports. Default `github:` and the owner. */
  name?: string;
}

/** Version of the API whose answers are read here. */
const API_VERSION = "2022-11-28";
const PER_PAGE = 100;
const MAX_PAGE_BYTES = 64 << 20;
const WINDOW = 8;
const OWNER = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?$/;
const REPOSITORY =
  /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,98}[A-Za-z0-9_])?\/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/;

/**
 * The attestations that GitHub keeps of an artifact, by its SHA-256 (or SHA-512).
 *
 * GitHub answers 404 both for "none" and for "not for you to see": the first is taken for
 * granted, so give a token for what is private. Any other failure is `store-unavailable`.
 * Bundles that the answer names by address are fetched without the token.
 *
 * Source: GitHub REST API 2022-11-28, "List attestations" of repositories, organizations and
 * users; actions/attest; cli/cli, `pkg/cmd/attestation/api`.
 *
 * @throws {TypeError} If not exactly one owner is given, a name is none of GitHub's, `api` is
 * no address, or an option is unknown.
 *
 * @example With an answer as GitHub gives it
 * ```ts
 * import { createGithubSource } from "@x/attest/store";
 * import assert from "node:assert/strict";
 *
 * const source = createGithubSource({
 *   api: "https://api.example",
 *   repository: "acme/app",
 *   fetch: () => Promise.resolve(Response.json({ attestations: [] })),
 * });
 * assert.equal(await source.find({ sha256: "a".repeat(64) }), undefined);
 * ```
 */
export function createGithubSource(options: GithubSourceOptions): AttestationSource {
  refuseUnknown(
    options,
    [
      ...HTTP_OPTIONS,
      "api",
      "repository",
      "organization",
      "user",
      "token",
      "predicateType",
      "maxPages",
      "name",
    ],
    "createGithubSource()",
  );
  return new GithubSource(options);
}

class GithubSource implements AttestationSource {
  readonly name: string;
  readonly #options: GithubSourceOptions;
  readonly #address: string;
  readonly #maxPages: number;

  constructor(options: GithubSourceOptions) {
    const { repository, organization, user } = options;
    const owners = [
      ["repos", repository, REPOSITORY],
      ["orgs", organization, OWNER],
      ["users", user, OWNER],
    ] as const;
    const stated = owners.filter(([, owner]) => owner !== undefined);
    if (stated.length !== 1) {
      throw new TypeError("Exactly one of repository, organization and user is needed");
    }
    const [kind, owner = "", form] = stated[0];
    if (!form.test(owner)) throw new TypeError("The owner is no name of GitHub");
    this.name = options.name ?? `github:${owner}`;
    this.#options = options;
    this.#address = `${baseAddress("Option api", options.api)}/${kind}/${owner}/attestations/`;
    this.#maxPages = limitOption("maxPages", options.maxPages, 10);
  }

  async find(
    subject: DigestSet,
    options: FindOptions = {},
  ): Promise<StoredAttestation[] | undefined> {
    const wanted = wantedKeys(subject);
    const { signal } = options;
    signal?.throwIfAborted();
    const key =
      ["sha256", "sha512"].flatMap((name) =>
        wanted.filter(({ algorithm }) => algorithm === name)
      )[0];
    if (key === undefined) {
      throw new AttestationError(
        "store-unavailable",
        `Cannot ask ${this.name}: it goes by sha256 or sha512, and neither is known`,
      );
    }
    return await asking(this.name, signal, async () => {
      const at = `${this.#address}${key.algorithm}:${key.value}`;
      const given: Given[] = [];
      const seen = new Set<string>();
      let page: string | undefined = this.#firstPage(at);
      while (page !== undefined) {
        if (seen.size >= this.#maxPages) {
          throw new AttestationError(
            "limit-exceeded",
            `Cannot ask ${this.name}: more than ${this.#maxPages} pages of attestations`,
          );
        }
        seen.add(page);
        const answer = await this.#ask(page, signal);
        if (answer.status === 404) break;
        refusePage(ACTION, answer);
        const start = given.length;
        given.push(...await this.#read(jsonAnswer(ACTION, answer), at, start, options));
        page = nextPage(answer, seen);
      }
      return await aboutSubject(given, wanted, options);
    });
  }

  #firstPage(at: string): string {
    const { predicateType } = this.#options;
    const filter = predicateType === undefined
      ? ""
      : `&predicate_type=${encodeURIComponent(predicateType)}`;
    return `${at}?per_page=${PER_PAGE}${filter}`;
  }

  #ask(url: string, signal: AbortSignal | undefined): Promise<HttpAnswer> {
    const { token } = this.#options;
    return request(ACTION, url, {
      headers: {
        accept: "application/vnd.github+json",
        "x-github-api-version": API_VERSION,
        "user-agent": "attest",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      accept: [200, 404],
      unread: [404],
      reasons: STATUS_REASONS,
      // A repository that was renamed is found under its number.
      redirects: 3,
    }, { maxBytes: MAX_PAGE_BYTES, ...httpOf(this.#options, signal) });
  }

  async #read(
    answer: JsonObject,
    at: string,
    start: number,
    { signal, onNote }: FindOptions,
  ): Promise<Given[]> {
    const { attestations } = answer;
    if (!Array.isArray(attestations)) throw malformed("attestations is no array");
    if (attestations.length > PER_PAGE) {
      throw malformed(`a page has ${attestations.length} attestations, ${PER_PAGE} were asked for`);
    }
    const read = await mapWindow(attestations, WINDOW, async (one, i): Promise<Given[]> => {
      const source = `${at}#${start + i + 1}`;
      if (!isObject(one)) throw malformed("an attestation is no object");
      const { bundle, bundle_url: address } = one;
      if (isObject(bundle)) return [{ content: contentOf(bundle), source }];
      if (typeof address === "string" && address !== "") {
        return [{ content: await this.#fetchBundle(address, signal), source }];
      }
      onNote?.({
        reason: "malformed-response",
        message: `Left out ${printable(source)}: it has neither a bundle nor its address`,
      });
      return [];
    });
    return read.flat();
  }

  /** A bundle that is kept apart, as a block of Snappy or as it is. */
  async #fetchBundle(address: string, signal: AbortSignal | undefined): Promise<Uint8Array> {
    const action = "fetch a bundle";
    const answer = await request(action, address, { accept: [200], redirects: 3 }, {
      ...httpOf(this.#options, signal),
      maxBytes: CLAIM_LIMITS.maxBytes,
    });
    refusePage(action, answer);
    // No block of a bundle's length begins with a brace: that would be 123 bytes.
    return answer.body[0] === 0x7b ? answer.body : decodeSnappy(answer.body, CLAIM_LIMITS.maxBytes);
  }
}

const ACTION = "list attestations";

const STATUS_REASONS = {
  401: "registry-access-denied",
  403: "registry-access-denied",
  429: "registry-rate-limited",
} as const;

/** The next page: of the same list, at the same origin, and not one that was read. */
function nextPage({ headers, url }: HttpAnswer, seen: ReadonlySet<string>): string | undefined {
  const next = nextLink(headers.get("link") ?? "");
  if (next === undefined) return undefined;
  let target: URL;
  const from = new URL(url);
  try {
    target = new URL(next, from);
  } catch {
    throw malformed("the link to its next page is no address");
  }
  if (target.origin !== from.origin || target.pathname !== from.pathname) {
    throw malformed("its next page is of another list");
  }
  if (seen.has(target.href)) throw malformed("its next page is one that was read");
  return target.href;
}

function malformed(why: string): AttestationError {
  return new AttestationError("malformed-response", `Cannot ${ACTION}: ${why}`);
}
