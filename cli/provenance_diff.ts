import type { Json } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import type { ResourceDescriptor } from "../intoto/resource_descriptor.ts";
import type { CertificateIdentity } from "../sigstore/identity.ts";
import type { Provenance } from "../slsa/provenance.ts";
import { splitRef } from "../slsa/source.ts";
import { type FactName, provenanceFacts } from "./provenance_facts.ts";

/** One verified provenance. */
export interface DiffSide {
  /** What it says. */
  provenance: Provenance;
  /** Holder of the certificate, if one signed. */
  identity?: CertificateIdentity;
  /** Names of the signers. */
  signers: readonly string[];
  /** Build level of the recognised builder. */
  level?: number;
}

/** One difference; a side that has nothing of it is absent. */
export interface Difference {
  /** What differs. */
  field:
    | "level"
    | "signer"
    | "builder"
    | "build type"
    | "source"
    | "ref"
    | "commit"
    | "workflow"
    | "parameter"
    | "dependency";
  /** Of a parameter the JSON Pointer, of a dependency its name without version. */
  name?: string;
  /** In A. */
  a?: string;
  /** In B. */
  b?: string;
}

const FACTS: readonly (FactName & Difference["field"])[] = [
  "builder",
  "build type",
  "source",
  "ref",
  "commit",
  "workflow",
];

/**
 * What differs between two verified provenances, of whatever versions. Runs, times and
 * internal parameters differ always, and are not compared.
 */
export function diffProvenance(a: DiffSide, b: DiffSide): Difference[] {
  const differences: Difference[] = [];
  const compare = (
    field: Difference["field"],
    left: string | undefined,
    right: string | undefined,
    name?: string,
  ) => {
    if (left === right) return;
    differences.push({
      field,
      ...(name === undefined ? {} : { name }),
      ...(left === undefined ? {} : { a: left }),
      ...(right === undefined ? {} : { b: right }),
    });
  };
  compare("level", a.level?.toString(), b.level?.toString());
  compare("signer", signerOf(a), signerOf(b));
  const left = factsOf(a);
  const right = factsOf(b);
  for (const field of FACTS) compare(field, left.get(field), right.get(field));
  const from = flatten(a.provenance.externalParameters);
  const to = flatten(b.provenance.externalParameters);
  for (const name of [...new Set([...from.keys(), ...to.keys()])].sort()) {
    compare("parameter", from.get(name), to.get(name), name);
  }
  const dependencies = diffDependencies(
    a.provenance.resolvedDependencies,
    b.provenance.resolvedDependencies,
  );
  for (const [name, one, other] of dependencies) compare("dependency", one, other, name);
  return differences;
}

function signerOf({ identity, signers }: DiffSide): string {
  return identity?.subjectAlternativeName ?? [...signers].sort().join(", ");
}

function factsOf({ provenance, identity }: DiffSide): Map<FactName, string> {
  return new Map(provenanceFacts(provenance, identity).map(({ name, value }) => [name, value]));
}

/** Values by their pointer; an empty object or list is a value too. */
function flatten(value: Json): Map<string, string> {
  const values = new Map<string, string>();
  const open: [string, Json][] = [["", value]];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const [path, at] = next;
    const members = typeof at === "object" && at !== null ? Object.entries(at) : [];
    if (members.length === 0) values.set(path, JSON.stringify(at));
    for (const [name, member] of members) open.push([pointer(path, name), member]);
  }
  return values;
}

type DependencyChange = [name: string, a: string | undefined, b: string | undefined];

/** Dependencies that are not the same in both, paired by name where both have it. */
function diffDependencies(
  a: readonly ResourceDescriptor[],
  b: readonly ResourceDescriptor[],
): DependencyChange[] {
  const left = byName(a);
  const right = byName(b);
  const changes: DependencyChange[] = [];
  for (const name of [...new Set([...left.keys(), ...right.keys()])].sort()) {
    const before = left.get(name) ?? [];
    const after = right.get(name) ?? [];
    const removed = without(before, after);
    const added = without(after, before);
    for (let i = 0; i < Math.max(removed.length, added.length); i++) {
      changes.push([name, removed[i], added[i]]);
    }
  }
  return changes;
}

/** What is in the first list and not in the second; what is there twice counts twice. */
function without(list: readonly string[], others: readonly string[]): string[] {
  const counts = new Map<string, number>();
  for (const other of others) counts.set(other, (counts.get(other) ?? 0) + 1);
  return list.filter((one) => {
    const count = counts.get(one) ?? 0;
    if (count > 0) counts.set(one, count - 1);
    return count === 0;
  }).sort();
}

function byName(dependencies: readonly ResourceDescriptor[]): Map<string, string[]> {
  const named = new Map<string, string[]>();
  for (const dependency of dependencies) {
    const { uri, name, digest = {} } = dependency;
    const digests = Object.entries(digest).map(([algorithm, value]) => `${algorithm}:${value}`);
    const key = uri === undefined ? name ?? "(no name)" : withoutVersion(uri);
    const text = [uri ?? name ?? "(no name)", ...digests.sort()].join(" ");
    const list = named.get(key);
    if (list === undefined) named.set(key, [text]);
    else list.push(text);
  }
  return named;
}

/** `git+https://host/path@ref` and `pkg:type/name@version?…` without what changes. */
function withoutVersion(uri: string): string {
  if (!uri.startsWith("pkg:")) return splitRef(uri).uri;
  const end = uri.search(/[?#]/);
  const path = end < 0 ? uri : uri.slice(0, end);
  const at = path.lastIndexOf("@");
  return at < 0 ? path : path.slice(0, at);
}
