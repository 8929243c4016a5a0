import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { isObject, type Json, type JsonObject } from "../../internal/json.ts";
import type { Reason } from "../../errors.ts";

/** Kinds of cases that are made here. */
export type Kind =
  | "attestation-jsonl"
  | "checkpoint"
  | "dsse"
  | "format"
  | "gcb-provenance"
  | "npm-attestations"
  | "public-key"
  | "resource-descriptor"
  | "sigstore-bundle"
  | "slsa-provenance-predicate"
  | "statement"
  | "vsa";

/** One case of the index. */
export interface Case {
  id: string;
  kind: Kind;
  files: Record<string, string | string[]>;
  expected: "pass" | "fail";
  expectedReason?: Reason;
  why: string;
  rule: string;
  options: JsonObject;
  scope: "full" | "step:parse";
  /** Who decides otherwise. */
  contested?: string;
  /** The published fault of another program that it guards against. */
  advisory?: string;
}

/** What a case states; the rest follows. */
export type NewCase =
  & Pick<Case, "id" | "kind" | "files" | "why" | "rule">
  & {
    reason?: Reason;
    options?: JsonObject;
    scope?: Case["scope"];
    contested?: string;
    advisory?: string;
  };

/** Files and cases, by name. */
export class Collection {
  readonly #files = new Map<string, Bytes>();
  readonly #cases: Case[] = [];

  /** Files by path, relative to the folder of the index. */
  get files(): ReadonlyMap<string, Bytes> {
    return this.#files;
  }

  get cases(): readonly Case[] {
    return this.#cases;
  }

  /** Adds a file and gives back its path. The same path twice must have the same content. */
  file(path: string, content: Uint8Array | string): string {
    const bytes = typeof content === "string" ? utf8(content) : Uint8Array.from(content);
    const known = this.#files.get(path);
    if (known !== undefined && known.join() !== bytes.join()) {
      throw new RangeError(`Two contents for ${path}`);
    }
    this.#files.set(path, bytes);
    return path;
  }

  json(path: string, value: Json): string {
    return this.file(path, JSON.stringify(value, null, 1) + "\n");
  }

  /** Adds a case: one that passes, or one that fails with a `reason`. */
  case({ reason, options = {}, scope = "full", ...rest }: NewCase): void {
    const id = `x-attest/${rest.kind}/${rest.id}`;
    if (this.#cases.some((known) => known.id === id)) throw new RangeError(`Two cases ${id}`);
    for (const path of Object.values(rest.files).flat()) {
      if (!this.#files.has(path)) throw new RangeError(`${id} names no file: ${path}`);
    }
    this.#cases.push({
      ...rest,
      id,
      expected: reason === undefined ? "pass" : "fail",
      ...(reason === undefined ? {} : { expectedReason: reason }),
      options,
      scope,
    });
  }
}

/** A copy of some JSON with the value at a JSON Pointer replaced, or removed. */
export function edited(json: JsonObject, pointer: string, value: Json | undefined): JsonObject {
  const copy = structuredClone(json);
  const names = pointer.slice(1).split("/");
  const last = names.pop() ?? "";
  const parent = names.reduce<Json>((node, name) => member(node, name), copy);
  if (Array.isArray(parent)) {
    if (value === undefined) parent.splice(Number(last), 1);
    else parent[Number(last)] = value;
  } else if (isObject(parent)) {
    if (value === undefined) delete parent[last];
    else parent[last] = value;
  } else throw new RangeError(`No object at ${pointer}`);
  return copy;
}

/** The text at a JSON Pointer. */
export function textAt(json: JsonObject, pointer: string): string {
  const found = pointer.slice(1).split("/").reduce<Json>((node, name) => member(node, name), json);
  if (typeof found !== "string") throw new RangeError(`No text at ${pointer}`);
  return found;
}

function member(node: Json, name: string): Json {
  const found = Array.isArray(node) ? node[Number(name)] : isObject(node) ? node[name] : undefined;
  if (found === undefined) throw new RangeError(`Nothing at ${name}`);
  return found;
}
