import { AttestationError } from "../../errors.ts";
import { isObject, type Json, parseJson, quote } from "../../internal/json.ts";
import { parseTimestamp } from "../../internal/timestamp.ts";
import { Shape } from "../_shape.ts";
import {
  isWithin,
  parseTrustedRoot,
  type TrustedRoot,
  type ValidityPeriod,
} from "../trusted_root.ts";

/** A service of a Sigstore instance. */
export interface SigningService {
  /** Base address; of a timestamp authority the whole address. */
  readonly url: string;
  /** Major version of its API. */
  readonly majorApiVersion: number;
  /** When it may be used. */
  readonly validFor: ValidityPeriod;
  /** Who runs it: of one operator at most one service is used. */
  readonly operator: string;
}

/** How many services of a kind are used: one, one of each operator, or so many. */
export type ServiceSelector =
  | {
    /** One, or one of each operator. */
    readonly selector: "ANY" | "ALL";
  }
  | {
    /** Exactly `count`. */
    readonly selector: "EXACT";
    /** Distinct operators. */
    readonly count: number;
  };

/** Services of a Sigstore instance to sign with; the members are named as on the wire. */
export interface SigningConfig {
  /** Certificate authorities (Fulcio). */
  readonly caUrls: readonly SigningService[];
  /** OIDC issuers to log in with. */
  readonly oidcUrls: readonly SigningService[];
  /** Transparency logs (Rekor). */
  readonly rekorTlogUrls: readonly SigningService[];
  /** How many logs; absent when the document does not say. */
  readonly rekorTlogConfig?: ServiceSelector;
  /** RFC 3161 timestamp authorities. */
  readonly tsaUrls: readonly SigningService[];
  /** How many timestamp authorities; absent when the document does not say. */
  readonly tsaConfig?: ServiceSelector;
}

/** The services that a signature is made with. */
export interface SelectedServices {
  /** Certificate authority; absent when the configuration names none that is valid now. */
  readonly ca?: SigningService;
  /** OIDC issuer to log in with; absent likewise. */
  readonly oidc?: SigningService;
  /** Logs, each of another operator. */
  readonly logs: readonly SigningService[];
  /** Timestamp authorities, each of another operator. */
  readonly timestampAuthorities: readonly SigningService[];
}

const SIGNING_CONFIG = /^application\/vnd\.dev\.sigstore\.signingconfig\.v0\.2(\.\d{1,4})?\+json$/;
const TRUST_CONFIG =
  /^application\/vnd\.dev\.sigstore\.clienttrustconfig\.v0\.1(\.\d{1,4})?\+json$/;

/** Most services of one kind. */
const MAX_SERVICES = 64;
const MAX_LENGTH = 1 << 20;
const MAX_TRUST_LENGTH = 8 << 20;

/**
 * Reads a `signing_config.json` of version 0.2.
 *
 * Source: sigstore/protobuf-specs, sigstore_trustroot.proto, `SigningConfig`.
 *
 * @param source JSON text, its UTF-8 bytes, or the parsed object; at most 1 MiB and 64
 * services of a kind.
 * @throws {AttestationError} `malformed-signing-config`, `limit-exceeded`, or what strict
 * JSON refuses.
 *
 * @example An instance without a log
 * ```ts
 * import { parseSigningConfig } from "@x/attest/sigstore/sign";
 * import assert from "node:assert/strict";
 *
 * const config = parseSigningConfig({
 *   mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
 *   tsaUrls: [{
 *     url: "https://tsa.example/api/v1/timestamp",
 *     majorApiVersion: 1,
 *     validFor: { start: "2025-01-01T00:00:00Z" },
 *     operator: "example",
 *   }],
 *   tsaConfig: { selector: "ANY" },
 * });
 * assert.equal(config.tsaUrls[0].operator, "example");
 * ```
 */
export function parseSigningConfig(source: string | Uint8Array | object): SigningConfig {
  return readConfig(new Shape(jsonOf(source, MAX_LENGTH), "malformed-signing-config"));
}

/**
 * Reads a client trust configuration: a trusted root and a signing configuration of the
 * same instance in one document.
 *
 * Source: sigstore/protobuf-specs, sigstore_trustroot.proto, `ClientTrustConfig`.
 *
 * @param source JSON text, its UTF-8 bytes, or the parsed object; at most 8 MiB.
 * @throws {AttestationError} `malformed-signing-config`, `malformed-trusted-root`,
 * `limit-exceeded`, or what strict JSON refuses.
 *
 * @example A document of another kind
 * ```ts
 * import { isAttestationError } from "@x/attest";
 * import { parseTrustConfig } from "@x/attest/sigstore/sign";
 * import assert from "node:assert/strict";
 *
 * try {
 *   parseTrustConfig({ mediaType: "text/html" });
 *   assert.fail("not reached");
 * } catch (error) {
 *   assert.ok(isAttestationError(error));
 *   assert.equal(error.reason, "malformed-signing-config");
 * }
 * ```
 */
export function parseTrustConfig(
  source: string | Uint8Array | object,
): { trustedRoot: TrustedRoot; signingConfig: SigningConfig } {
  const both = new Shape(jsonOf(source, MAX_TRUST_LENGTH), "malformed-signing-config");
  checkMediaType(both, TRUST_CONFIG);
  const trustedRoot = both.raw("trustedRoot");
  if (!isObject(trustedRoot)) throw both.refuse("trustedRoot", "not an object");
  return {
    trustedRoot: parseTrustedRoot(trustedRoot),
    signingConfig: readConfig(both.object("signingConfig")),
  };
}

function jsonOf(source: string | Uint8Array | object, maxLength: number): Json | object {
  const isText = typeof source === "string" || source instanceof Uint8Array;
  return isText ? parseJson(source, { maxLength }) : source;
}

function checkMediaType(document: Shape, wanted: RegExp): void {
  const mediaType = document.optionalText("mediaType") ?? "";
  if (!wanted.test(mediaType)) {
    throw document.refuse("mediaType", `${quote(mediaType)} is not ${describe(wanted)}`);
  }
}

function describe(wanted: RegExp): string {
  return wanted === SIGNING_CONFIG
    ? "a signing configuration of version 0.2"
    : "a client trust configuration of version 0.1";
}

function readConfig(config: Shape): SigningConfig {
  checkMediaType(config, SIGNING_CONFIG);
  const rekorTlogConfig = readSelector(config.optionalObject("rekorTlogConfig"));
  const tsaConfig = readSelector(config.optionalObject("tsaConfig"));
  return {
    caUrls: readServices(config, "caUrls"),
    oidcUrls: readServices(config, "oidcUrls"),
    rekorTlogUrls: readServices(config, "rekorTlogUrls"),
    ...(rekorTlogConfig === undefined ? {} : { rekorTlogConfig }),
    tsaUrls: readServices(config, "tsaUrls"),
    ...(tsaConfig === undefined ? {} : { tsaConfig }),
  };
}

function readServices(config: Shape, member: string): SigningService[] {
  return config.objects(member, MAX_SERVICES).map((service) => ({
    url: readUrl(service),
    majorApiVersion: Number(service.int64("majorApiVersion")),
    validFor: readPeriod(service.object("validFor")),
    operator: service.optionalText("operator") ?? "",
  }));
}

function readUrl(service: Shape): string {
  const text = service.text("url");
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (
    url === undefined || !/^https?:$/.test(url.protocol) || url.username + url.password !== "" ||
    url.hash !== "" || text.length > 2048 || !/^[!-~]+$/.test(text)
  ) throw service.refuse("url", `${quote(text)} is no address of a service`);
  return text;
}

function readPeriod(period: Shape): ValidityPeriod {
  const read = (name: string): Date => {
    const time = parseTimestamp(period.text(name));
    if (time === undefined) throw period.refuse(name, "not an RFC 3339 time in UTC");
    return time;
  };
  const start = read("start");
  return period.has("end") ? { start, end: read("end") } : { start };
}

function readSelector(config: Shape | undefined): ServiceSelector | undefined {
  const selector = config?.optionalText("selector");
  if (config === undefined || selector === undefined) return undefined;
  switch (selector) {
    case "ANY":
    case "ALL":
      return { selector };
    case "EXACT": {
      const count = Number(config.int64("count"));
      if (count < 1 || count > MAX_SERVICES) {
        throw config.refuse("count", `not from 1 to ${MAX_SERVICES}`);
      }
      return { selector, count };
    }
    case "SERVICE_SELECTOR_UNDEFINED":
      return undefined;
  }
  throw config.refuse("selector", `${quote(selector)} is not ANY, ALL or EXACT`);
}

/** Major versions of the APIs that are spoken here. Fulcio's is called 1 with paths of v2. */
const SUPPORTED = { ca: [1], oidc: [1], log: [1, 2], tsa: [1] } as const;

/**
 * Picks the services to sign with: those of the highest supported version that are valid
 * now, the newest first, at most one of each operator, and as many as the selector wants.
 *
 * A kind of which the configuration lists no service at all is not used.
 *
 * Source: sigstore/protobuf-specs, sigstore_trustroot.proto, `Service` and
 * `ServiceSelector`.
 *
 * @param config Parsed by {@linkcode parseSigningConfig}.
 * @param now Moment at which they must be valid.
 * @throws {AttestationError} `unsatisfied-signing-config`: too few are valid, or the
 * document does not say how many are wanted.
 *
 * @example A configuration without services
 * ```ts
 * import { parseSigningConfig, selectServices } from "@x/attest/sigstore/sign";
 * import assert from "node:assert/strict";
 *
 * const config = parseSigningConfig({
 *   mediaType: "application/vnd.dev.sigstore.signingconfig.v0.2+json",
 * });
 * assert.deepEqual(selectServices(config, new Date()), { logs: [], timestampAuthorities: [] });
 * ```
 */
export function selectServices(config: SigningConfig, now: Date): SelectedServices {
  const [ca] = candidates(config.caUrls, SUPPORTED.ca, now);
  const [oidc] = candidates(config.oidcUrls, SUPPORTED.oidc, now);
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(oidc === undefined ? {} : { oidc }),
    logs: select(config.rekorTlogUrls, config.rekorTlogConfig, {
      what: "transparency logs",
      versions: SUPPORTED.log,
      now,
    }),
    timestampAuthorities: select(config.tsaUrls, config.tsaConfig, {
      what: "timestamp authorities",
      versions: SUPPORTED.tsa,
      now,
    }),
  };
}

function candidates(
  services: readonly SigningService[],
  versions: readonly number[],
  now: Date,
): SigningService[] {
  const valid = services.filter(({ majorApiVersion, validFor }) =>
    versions.includes(majorApiVersion) && isWithin(now, validFor)
  );
  const highest = Math.max(...valid.map(({ majorApiVersion }) => majorApiVersion));
  const newest = valid
    .filter(({ majorApiVersion }) => majorApiVersion === highest)
    .sort((a, b) => b.validFor.start.getTime() - a.validFor.start.getTime());
  return newest.filter(({ operator }, i) =>
    newest.findIndex((one) => one.operator === operator) === i
  );
}

function select(
  services: readonly SigningService[],
  wanted: ServiceSelector | undefined,
  { what, versions, now }: { what: string; versions: readonly number[]; now: Date },
): SigningService[] {
  const need = wanted?.selector === "EXACT" ? wanted.count : 1;
  if (services.length === 0 && wanted?.selector !== "EXACT") return [];
  if (wanted === undefined) throw unsatisfied(`it does not say how many ${what} are wanted`);
  const found = candidates(services, versions, now);
  if (found.length < need) {
    throw unsatisfied(
      `${what} of different operators that are valid at ${now.toISOString()}: ${found.length}, ` +
        `needed: ${need}`,
    );
  }
  return wanted.selector === "ALL" ? found : found.slice(0, need);
}

/** A refusal of a configuration that does not give what a signature needs. */
export function unsatisfied(what: string): AttestationError {
  return new AttestationError(
    "unsatisfied-signing-config",
    `Cannot use signing configuration: ${what}`,
  );
}
