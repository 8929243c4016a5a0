import { AttestationError } from "../errors.ts";
import { isObject, type Json } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";

/** A value, and where it was found. */
export interface Found {
  /** The value. */
  value: Json;
  /** JSON Pointer of it. */
  path: string;
}

/** What is at a path. */
export interface FoundAll {
  /** Values, in the order of the document. */
  values: Found[];
  /** Places that a `*` led to and behind which the rest of the path leads nowhere. */
  missing: string[];
}

const MAX_LENGTH = 1024;
const MAX_SEGMENTS = 32;
const MAX_VISITED = 200_000;
const ROOTS: readonly string[] = ["_type", "subject", "predicateType", "predicate"];

/** What is wrong with a path into a Statement, or undefined. */
export function pathFault(path: string): string | undefined {
  if (!path.startsWith("/")) return "it does not begin with /";
  if (path.length > MAX_LENGTH) return `it has more than ${MAX_LENGTH} characters`;
  if (/~(?![01])/.test(path)) return "~ stands for itself only as ~0";
  const segments = path.slice(1).split("/");
  if (segments.length > MAX_SEGMENTS) return `it has more than ${MAX_SEGMENTS} parts`;
  if (!ROOTS.includes(segments[0])) {
    return `a Statement has ${ROOTS.map((name) => `/${name}`).join(", ")} and nothing else`;
  }
  if (segments.includes("")) return "a part of it is empty";
  if (segments.includes("**")) return "** has no meaning in a path; * is every element or member";
}

/**
 * A JSON Pointer (RFC 6901) in which `*` stands for every element or member. A member
 * whose name is `*` is reached by it only with all others.
 */
export function compilePath(path: string): (root: Json) => FoundAll {
  const segments = path.slice(1).split("/").map((part) =>
    part === "*" ? undefined : part.replaceAll("~1", "/").replaceAll("~0", "~")
  );
  if (!segments.includes(undefined)) {
    const names = segments as string[];
    return (root) => {
      const value = memberAt(root, names);
      return { values: value === undefined ? [] : [{ value, path }], missing: [] };
    };
  }
  const first = segments.indexOf(undefined);
  const names = segments.slice(0, first) as string[];
  const start = names.reduce((at, name) => pointer(at, name), "");
  const rest = segments.slice(first).map((name) =>
    name === undefined ? undefined : { name, text: pointer("", name) }
  );
  return (root) => {
    const value = memberAt(root, names);
    if (value === undefined) return { values: [], missing: [] };
    let level: Found[] = [{ value, path: start }];
    const missing: string[] = [];
    let visited = 0;
    let parted = false;
    for (const part of rest) {
      const next: Found[] = [];
      for (const { value, path: at } of level) {
        if (part !== undefined) {
          const inner = member(value, part.name);
          if (inner !== undefined) next.push({ value: inner, path: at + part.text });
          else if (parted) missing.push(at + part.text);
          continue;
        }
        const before = next.length;
        visited = pushMembers(next, value, at, visited);
        if (visited > MAX_VISITED) throw tooMany(path);
        if (parted && next.length === before) missing.push(`${at}/*`);
      }
      parted ||= part === undefined;
      level = next;
    }
    return { values: level, missing };
  };
}

/** {@linkcode compilePath} for one use: the values alone. */
export function valuesAt(path: string, root: Json): Found[] {
  return compilePath(path)(root).values;
}

function memberAt(root: Json, names: readonly string[]): Json | undefined {
  let value: Json | undefined = root;
  for (const name of names) value = member(value, name);
  return value;
}

/** An own member, or an element by its index; nothing that is inherited, and of nothing none. */
function member(value: Json | undefined, name: string): Json | undefined {
  if (Array.isArray(value)) {
    return /^(?:0|[1-9]\d{0,8})$/.test(name) ? value[Number(name)] : undefined;
  }
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

/** Every element or member; no more than one beyond the limit. Gives what was visited by now. */
function pushMembers(next: Found[], value: Json, at: string, visited: number): number {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) {
      if (++visited > MAX_VISITED) return visited;
      next.push({ value: value[i], path: `${at}/${i}` });
    }
  } else if (isObject(value)) {
    for (const name of Object.keys(value)) {
      if (value[name] === undefined) continue;
      if (++visited > MAX_VISITED) return visited;
      next.push({ value: value[name], path: pointer(at, name) });
    }
  }
  return visited;
}

function tooMany(path: string): AttestationError {
  return new AttestationError(
    "limit-exceeded",
    `Cannot look at ${path}: it leads to more than ${MAX_VISITED} values`,
    { path },
  );
}
