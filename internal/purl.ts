import { AttestationError } from "../errors.ts";
import { quote } from "./json.ts";

/** A package URL in its parts, decoded and normalised. */
export interface Purl {
  /** Kind of package, lower case: `npm`, `oci`. */
  type: string;
  /** Segments joined by `/`: `@angular`, `github.com/owner`. */
  namespace?: string;
  /** Name of the package. */
  name: string;
  /** Version as the ecosystem writes it. */
  version?: string;
  /** By key in lower case; none is empty. */
  qualifiers?: Record<string, string>;
  /** Path inside the package, no empty and no dot segments. */
  subpath?: string;
}

const MAX_LENGTH = 8192;
const TYPE = /^[a-z][a-z0-9.-]*$/;
const KEY = /^[a-z][a-z0-9._-]*$/;

/** What a type asks for beyond the syntax. */
interface TypeRule {
  /** Parts in which letters have no case: `n`amespace, na`m`e, `v`ersion. */
  lower?: string;
  namespace?: "required" | "prohibited";
  /** The namespace is the first segment, all others are the name. */
  pathName?: boolean;
  /** Key of a qualifier without which the name is ambiguous. */
  qualifier?: string;
  name?: RegExp;
  version?: RegExp;
}

const RULES: ReadonlyMap<string, TypeRule> = new Map<string, TypeRule>([
  ["alpm", { lower: "nm" }],
  ["apk", { lower: "nm" }],
  ["bitbucket", { lower: "nm" }],
  ["bitnami", { lower: "nm" }],
  ["brew", { lower: "nm" }],
  ["chrome-extension", {
    lower: "m",
    namespace: "prohibited",
    name: /^[a-p]{32}$/,
    version: /^\d{1,5}(?:\.\d{1,5}){0,3}$/,
  }],
  ["composer", { lower: "nm" }],
  ["cpan", { name: /^(?!.*::)/ }],
  ["deb", { lower: "nm" }],
  ["git", { pathName: true }],
  ["github", { lower: "nm" }],
  ["golang", { lower: "nm" }],
  ["hex", { lower: "nm" }],
  ["huggingface", { lower: "v" }],
  ["julia", { qualifier: "uuid" }],
  ["oci", { lower: "nm", namespace: "prohibited" }],
  ["otp", { lower: "m", namespace: "prohibited" }],
  ["pub", { lower: "m" }],
  ["pypi", { lower: "m" }],
  ["qpkg", { lower: "n" }],
  ["rpm", { lower: "n" }],
  ["swift", { namespace: "required" }],
  ["vcpkg", { lower: "m", namespace: "prohibited" }],
  ["vscode-extension", { lower: "nm", namespace: "required" }],
]);

/**
 * Reads a package URL strictly: what two readers could take for two packages is refused.
 * White space, malformed escapes, escapes that are no UTF-8, keys that are not lower case
 * or occur twice, and a `/` hidden in an escape of a namespace.
 *
 * Source: ECMA-427, 5 and 6; package-url/purl-spec, types.
 *
 * @param text A package URL, escaped or not as far as the syntax leaves that open.
 * @throws {AttestationError} `malformed-purl`.
 *
 * @example
 * ```ts
 * import { parsePurl } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const { namespace, name, version } = parsePurl("pkg:npm/%40angular/http@7.2.16");
 * assert.deepEqual([namespace, name, version], ["@angular", "http", "7.2.16"]);
 * ```
 */
export function parsePurl(text: string): Purl {
  if (text.length > MAX_LENGTH) throw refusal(text, `longer than ${MAX_LENGTH} characters`);
  if (!/^[\x21-\x7e]+$/.test(text)) throw refusal(text, "characters that must be escaped");
  const scheme = /^pkg:\/*/.exec(text);
  if (scheme === null) throw refusal(text, "it does not start with pkg:");
  let rest = text.slice(scheme[0].length);
  let subpath: string | undefined;
  let query: string | undefined;
  [rest, subpath] = splitAt(rest, rest.lastIndexOf("#"));
  [rest, query] = splitAt(rest, rest.indexOf("?"));
  const slash = rest.indexOf("/");
  if (slash < 0) throw refusal(text, "it has no name");
  const type = rest.slice(0, slash).toLowerCase();
  rest = withoutSlashesAtEnd(rest.slice(slash + 1));
  let version: string | undefined;
  // An @ before the last slash belongs to a namespace that was not escaped.
  const at = rest.lastIndexOf("@");
  if (at > rest.lastIndexOf("/")) [rest, version] = splitAt(rest, at);
  const segments = rest.split("/").filter((segment) => segment !== "");
  if (rest === "" || rest.endsWith("/")) throw refusal(text, "it has no name");
  const isPath = RULES.get(type)?.pathName === true;
  const length = isPath ? 1 : segments.length - 1;
  const readName = isPath ? decodeSegment : decode;
  return normalise({
    type,
    namespace: segments.slice(0, length).map((segment) => decodeSegment(segment, text)).join("/"),
    name: segments.slice(length).map((segment) => readName(segment, text)).join("/"),
    version: version === undefined ? undefined : decode(version, text),
    qualifiers: query === undefined ? undefined : readQualifiers(query, text),
    subpath: (subpath ?? "").split("/").map((segment) => decodeSegment(segment, text)).join("/"),
  }, text);
}

/**
 * Canonical text of a package URL.
 *
 * Source: ECMA-427, 5.
 *
 * @throws {AttestationError} `malformed-purl` if the parts make none.
 *
 * @example
 * ```ts
 * import { formatPurl } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const purl = formatPurl({ type: "npm", namespace: "@angular", name: "http" });
 * assert.equal(purl, "pkg:npm/%40angular/http");
 * ```
 */
export function formatPurl(purl: Purl): string {
  const { type, namespace, name, version, qualifiers, subpath } = normalise(
    purl,
    `pkg:${purl.type}/${purl.name}`,
  );
  let text = `pkg:${type}/`;
  if (namespace !== undefined) text += `${namespace.split("/").map(encode).join("/")}/`;
  text += RULES.get(type)?.pathName ? name.split("/").map(encode).join("/") : encode(name);
  if (version !== undefined) text += `@${encode(version)}`;
  if (qualifiers !== undefined) {
    text += "?" + Object.keys(qualifiers).sort().map((key) => `${key}=${encode(qualifiers[key])}`)
      .join("&");
  }
  if (subpath !== undefined) text += `#${subpath.split("/").map(encode).join("/")}`;
  return text;
}

function normalise(purl: Purl, text: string): Purl {
  if (typeof purl.type !== "string" || typeof purl.name !== "string") {
    throw refusal(text, "it lacks its type or its name");
  }
  const { namespace: space = "", version: given = "", qualifiers: pairs = {} } = purl;
  const parts = [purl.name, space, given, purl.subpath ?? "", ...Object.values(pairs)];
  if (!parts.every((part) => part.isWellFormed())) throw refusal(text, "an unpaired surrogate");
  const type = purl.type.toLowerCase();
  if (!TYPE.test(type)) throw refusal(text, "its type is malformed");
  const rule = RULES.get(type) ?? {};
  const lower = (part: string, letter: string): string =>
    rule.lower?.includes(letter) ? part.toLowerCase() : part;
  const namespace = lower(trimSlashes(space), "n");
  let name = lower(purl.name, "m");
  if (type === "pypi") name = name.replaceAll("_", "-");
  const version = lower(given, "v");
  if (name === "") throw refusal(text, "it has no name");
  if (rule.namespace === "required" && namespace === "") {
    throw refusal(text, `one of type ${type} has a namespace`);
  }
  if (rule.namespace === "prohibited" && namespace !== "") {
    throw refusal(text, `one of type ${type} has no namespace`);
  }
  if (rule.name !== undefined && !rule.name.test(name)) {
    throw refusal(text, `its name is none of type ${type}`);
  }
  if (rule.version !== undefined && version !== "" && !rule.version.test(version)) {
    throw refusal(text, `its version is none of type ${type}`);
  }
  if (rule.qualifier !== undefined && !pairs[rule.qualifier]) {
    throw refusal(text, `one of type ${type} has the qualifier ${rule.qualifier}`);
  }
  const found: Purl = { type, name };
  if (namespace !== "") found.namespace = namespace;
  if (version !== "") found.version = version;
  const qualifiers = Object.entries(pairs).filter(([, value]) => value !== "");
  for (const [key] of qualifiers) {
    if (!KEY.test(key)) throw refusal(text, `its qualifier ${quote(key)} is malformed`);
  }
  if (qualifiers.length > 0) found.qualifiers = Object.fromEntries(qualifiers);
  const subpath = trimSlashes(purl.subpath ?? "").split("/")
    .filter((segment) => segment !== "." && segment !== "..").join("/");
  if (subpath !== "") found.subpath = subpath;
  return found;
}

function readQualifiers(query: string, text: string): Record<string, string> {
  const found = new Map<string, string>();
  for (const pair of query.split("&")) {
    const equals = pair.indexOf("=");
    if (equals < 1) throw refusal(text, "a qualifier is no pair key=value");
    const key = pair.slice(0, equals);
    if (!KEY.test(key)) throw refusal(text, `its qualifier ${quote(key)} is malformed`);
    if (found.has(key)) throw refusal(text, `its qualifier ${quote(key)} occurs twice`);
    found.set(key, decode(pair.slice(equals + 1), text));
  }
  return Object.fromEntries(found);
}

function splitAt(text: string, at: number): [string, string | undefined] {
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 1)];
}

function withoutSlashesAtEnd(text: string): string {
  let end = text.length;
  while (text[end - 1] === "/") end--;
  return text.slice(0, end);
}

function trimSlashes(text: string): string {
  return text.split("/").filter((segment) => segment !== "").join("/");
}

function decodeSegment(segment: string, text: string): string {
  const decoded = decode(segment, text);
  if (decoded.includes("/")) throw refusal(text, "a segment hides a slash in an escape");
  return decoded;
}

function decode(part: string, text: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw refusal(text, "an escape with % is malformed");
  }
}

function encode(part: string): string {
  // RFC 3986 unreserved characters and the colon stay.
  return encodeURIComponent(part).replaceAll("%3A", ":").replace(
    /[!'()*]/g,
    (unit) => `%${unit.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function refusal(text: string, what: string): AttestationError {
  return new AttestationError(
    "malformed-purl",
    `Cannot read package URL ${quote(text)}: ${what}`,
  );
}
