import { AttestationError, type Reason } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import type { Bytes } from "../internal/bytes.ts";
import { isObject, type Json, type JsonObject, jsonText, quote } from "../internal/json.ts";

/**
 * Readers of protobuf JSON that know where they are: a wrong member is refused with the
 * document's reason and a JSON Pointer. Absent and null are the same, as in protobuf.
 */
export class Shape {
  readonly #value: JsonObject;
  readonly #reason: Reason;
  /** JSON Pointer of this object. */
  readonly path: string;

  constructor(value: Json | object | undefined, reason: Reason, path = "") {
    if (!isObject(value)) throw refusal(reason, "not an object", path);
    this.#value = value;
    this.#reason = reason;
    this.path = path;
  }

  /** A refusal at a member of this object. */
  refuse(name: string, what: string, reason: Reason = this.#reason): AttestationError {
    return refusal(reason, what, name === "" ? this.path : `${this.path}/${name}`);
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#value, name) && this.#value[name] !== null;
  }

  raw(name: string): Json | undefined {
    return this.has(name) ? this.#value[name] : undefined;
  }

  object(name: string): Shape {
    return new Shape(this.raw(name), this.#reason, `${this.path}/${name}`);
  }

  optionalObject(name: string): Shape | undefined {
    return this.has(name) ? this.object(name) : undefined;
  }

  /** Members of an array of objects; absent is empty. */
  objects(name: string, limit: number): Shape[] {
    const value = this.raw(name) ?? [];
    if (!Array.isArray(value)) throw this.refuse(name, "not an array");
    if (value.length > limit) {
      throw this.refuse(name, `${value.length} elements, at most ${limit}`, "limit-exceeded");
    }
    return value.map((one, i) => new Shape(one, this.#reason, `${this.path}/${name}/${i}`));
  }

  optionalText(name: string): string | undefined {
    const value = this.raw(name);
    if (value !== undefined && typeof value !== "string") throw this.refuse(name, "not a string");
    return value;
  }

  text(name: string): string {
    const value = this.optionalText(name);
    if (value === undefined || value === "") throw this.refuse(name, "missing");
    return value;
  }

  optionalBytes(name: string): Bytes | undefined {
    const value = this.optionalText(name);
    return value === undefined ? undefined : decodeBase64(value, { path: `${this.path}/${name}` });
  }

  bytes(name: string): Bytes {
    const value = this.optionalBytes(name);
    if (value === undefined || value.length === 0) throw this.refuse(name, "missing");
    return value;
  }

  /** A list of base64 texts; absent is empty. */
  bytesList(name: string, limit: number): Bytes[] {
    const value = this.raw(name) ?? [];
    if (!Array.isArray(value)) throw this.refuse(name, "not an array");
    if (value.length > limit) {
      throw this.refuse(name, `${value.length} elements, at most ${limit}`, "limit-exceeded");
    }
    return value.map((one, i) => {
      if (typeof one !== "string") throw this.refuse(`${name}/${i}`, "not a string");
      return decodeBase64(one, { path: `${this.path}/${name}/${i}` });
    });
  }

  /** An int64 >= 0: a string of digits, or a number that JSON keeps exactly. Absent is 0. */
  int64(name: string): bigint {
    const value = this.raw(name) ?? "0";
    const digits = typeof value === "number" && Number.isSafeInteger(value) ? `${value}` : value;
    if (typeof digits !== "string" || !/^(0|[1-9]\d{0,18})$/.test(digits)) {
      throw this.refuse(name, `not an integer from 0 to 2^63-1: ${quote(jsonText(value))}`);
    }
    const integer = BigInt(digits);
    if (integer >= 1n << 63n) throw this.refuse(name, "above 2^63-1");
    return integer;
  }
}

function refusal(reason: Reason, what: string, path: string): AttestationError {
  return new AttestationError(reason, `Cannot read ${path === "" ? "document" : path}: ${what}`, {
    path,
  });
}
