import { copyJson, parseJson, quote } from "../internal/json.ts";
import { ProblemList } from "./_shape.ts";
import { checkWaivers, partsOf } from "./_waivers.ts";
import type { PolicyDocument, Waiver } from "./document.ts";
import { throwFirst } from "./parse.ts";

/** The `type` of every file of waivers of this version. */
export const WAIVERS_TYPE = "attest-waivers/v1";

/** Waivers that are kept apart from the policy. */
export interface WaiversDocument {
  /** Always {@linkcode WAIVERS_TYPE}. */
  type: typeof WAIVERS_TYPE;
  /** `name` of the policy that they are for. Absent: any in which the names exist. */
  policy?: string;
  /** The waivers. */
  waivers: readonly Waiver[];
}

const MEMBERS = ["type", "policy", "waivers"];

/**
 * Reads a file of waivers. Who made it is not known: see `openSignedWaivers()`.
 *
 * @param source JSON text, its UTF-8 bytes, or parsed JSON.
 * @param policy Policy that they are for: a rule or requirement that it does not have is
 * refused.
 * @throws {AttestationError} `malformed-waivers` with the `path` of the first problem, or
 * what strict JSON refuses.
 *
 * @example
 * ```ts
 * import { parseWaivers } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const { waivers } = parseWaivers({
 *   type: "attest-waivers/v1",
 *   waivers: [{
 *     rule: "release/scan",
 *     artifact: { name: "app-1.2.3.tgz" },
 *     reason: "The finding is not reachable",
 *     owner: "security@acme.example",
 *     until: "2026-12-31T00:00:00Z",
 *   }],
 * });
 * assert.equal(waivers[0].owner, "security@acme.example");
 * ```
 */
export function parseWaivers(
  source: string | Uint8Array | object,
  policy?: PolicyDocument,
): WaiversDocument {
  const isText = typeof source === "string" || source instanceof Uint8Array;
  const value = isText
    ? parseJson(source, { maxLength: 8 << 20, maxDepth: 16 })
    : copyJson(source, 16);
  const list = new ProblemList("malformed-waivers", "Cannot read waivers");
  const document = list.members(value, "", "a file of waivers", MEMBERS);
  document?.need("type", "waivers");
  if (document?.has("type")) document.word("type", [WAIVERS_TYPE]);
  const name = document?.text("policy", 256);
  if (policy !== undefined && name !== undefined && name !== policy.name) {
    document?.wrong("policy", `they are for the policy ${quote(name)}`);
  }
  const waivers = document?.get("waivers");
  if (waivers !== undefined) {
    const parts = policy === undefined ? undefined : partsOf(copyJson(policy.rules));
    checkWaivers(list, waivers, "/waivers", parts, 0);
  }
  throwFirst(list.problems);
  return value as unknown as WaiversDocument;
}
