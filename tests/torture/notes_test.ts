import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { decodeHex, encodeHex } from "../../internal/hex.ts";
import { parseSpki } from "../../keys/public_key.ts";
import { encodeSpki } from "../../keys/spki.ts";
import {
  type NoteKey,
  noteKeyHint,
  parseCheckpoint,
  verifyCheckpoint,
} from "../../sigstore/checkpoint.ts";
import { load, options, ran } from "./corpus.ts";

/* Third-party vectors: golang/mod sumdb/note, transparency-dev/formats and sigsum. */

function keyFrom(name: string, point: Uint8Array): NoteKey {
  const spki = encodeSpki({ kind: "Ed25519", point: Uint8Array.from(point) });
  return { name, key: parseSpki(spki), scheme: { name: "Ed25519" } };
}

/** `name+hint+base64(type ‖ key)`; undefined if the hint is not that of name and key. */
function readVkey(vkey: string): NoteKey | undefined {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/=]+)$/.exec(vkey);
  if (match === null) return undefined;
  try {
    const bytes = decodeBase64(match[3], { alphabet: "standard", padding: "required" });
    if (bytes[0] !== 1 || bytes.length !== 33) return undefined;
    const key = keyFrom(match[1], bytes.subarray(1));
    return encodeHex(noteKeyHint(key.name, key.key)) === match[2] ? key : undefined;
  } catch (error) {
    if (isAttestationError(error)) return undefined;
    throw error;
  }
}

async function verdictOf(
  note: string | Uint8Array,
  by: NoteKey,
  origin = by.name,
): Promise<string> {
  try {
    const checkpoint = parseCheckpoint(note);
    if (checkpoint.origin !== origin) return "origin";
    return await verifyCheckpoint(checkpoint, by) ? "valid" : "signature";
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

describe("parseCheckpoint() and verifyCheckpoint()", options, () => {
  it("decide sigsum's checkpoints", async () => {
    const { publicKey, cases } = load<{
      publicKey: string;
      cases: { name: string; note: string; result: string }[];
    }>("sigsum/checkpoints.json");
    const origin = cases[0].note.split("\n")[0];
    ran("sigsum", cases.length);
    const key = keyFrom(origin, decodeHex(publicKey));
    const found: [string, string][] = [];
    for (const { name, note } of cases) found.push([name, await verdictOf(note, key)]);
    deepEqual(found, [
      ["valid", "valid"],
      ["bad origin", "origin"],
      ["bad key id", "signature"],
      ["bad size", "signature"],
      ["bad hash", "signature"],
      ["bad signature", "signature"],
    ]);
  });

  it("give the key hints of sumdb's verifier keys, and refuse the mutated ones", () => {
    const { cases } = load<{ cases: { vkey: string; result: string; why: string }[] }>(
      "sumdb-note/vkeys.json",
    );
    const wrong = cases.filter(({ vkey, result }) =>
      (readVkey(vkey) !== undefined) !== (result === "valid")
    );
    deepEqual(wrong.map(({ vkey }) => vkey), []);
    ran("sumdb-note", cases.length);
  });

  it("never take a note of sumdb for a checkpoint: their text is none", async () => {
    const { cases } = load<{ cases: { note?: string; noteBase64?: string; vkeys?: string[] }[] }>(
      "sumdb-note/notes.json",
    );
    const found = new Map<string, number>();
    const fallback = readVkey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW");
    for (const { note: text, noteBase64, vkeys = [] } of cases) {
      const note = text ?? decodeBase64(noteBase64 ?? "");
      const key = [...vkeys.map(readVkey), fallback].find((one) => one !== undefined);
      const verdict = key === undefined ? "no key" : await verdictOf(note, key);
      found.set(verdict, (found.get(verdict) ?? 0) + 1);
    }
    console.log("sumdb notes:", Object.fromEntries(found));
    equal(found.has("valid"), false);
    ran("sumdb-note", cases.length);
  });

  it("verify the signatures of sumdb's notes over their text", async () => {
    const { cases } = load<{
      cases: { name: string; note: string; vkeys: string[]; result: string; verified?: string[] }[];
    }>("sumdb-note/notes.json");
    let checked = 0;
    for (const { name, note, vkeys, result, verified = [] } of cases) {
      if (result !== "valid") continue;
      const border = note.lastIndexOf("\n\n");
      const lines = note.slice(border + 2, -1).split("\n").map((line) => line.split(" "));
      // A checkpoint around the text, so that line, hint and signature are judged as they are.
      const signatures = lines.map(([, signer, text]) => {
        const bytes = decodeBase64(text);
        return { name: signer, keyHint: bytes.subarray(0, 4), signature: bytes.subarray(4) };
      });
      const signed = new TextEncoder().encode(note.slice(0, border + 1));
      for (const vkey of vkeys) {
        const key = readVkey(vkey);
        if (key === undefined) continue;
        const checkpoint = {
          origin: "",
          size: 0n,
          rootHash: new Uint8Array(32),
          extensions: [],
          signed,
          signatures,
        };
        equal(await verifyCheckpoint(checkpoint, key), verified.includes(key.name), name);
        checked++;
      }
    }
    equal(checked > 0, true);
  });

  it("decide transparency-dev's checkpoint bodies, but for what is no SHA-256 log", () => {
    const { cases } = load<{ cases: { name: string; checkpoint: string; result: string }[] }>(
      "tdev-formats/checkpoint-bodies.json",
    );
    const line = `\n\u2014 x ${"A".repeat(8)}\n`;
    const accepted: string[] = [];
    for (const { name, checkpoint, result } of cases) {
      let verdict = "accepted";
      try {
        parseCheckpoint(checkpoint + line);
      } catch (error) {
        if (!isAttestationError(error)) throw error;
        verdict = error.reason;
      }
      if (verdict === "accepted") accepted.push(name);
      // All bodies that the origin accepts have a root hash that is not 32 bytes.
      if (result === "valid") equal(verdict, "malformed-checkpoint", name);
    }
    deepEqual(accepted, []);
    // What is valid there and none here.
    ran("tdev-formats", cases.length, cases.filter(({ result }) => result === "valid").length);
  });

  it("refuse every signed checkpoint of transparency-dev: their roots are not 32 bytes", async () => {
    const { cases } = load<{
      cases: { name: string; origin: string; note: string; logKey: string; result: string }[];
    }>("tdev-formats/checkpoint-notes.json");
    const found = new Map<string, number>();
    for (const { note, logKey, origin } of cases) {
      const key = readVkey(logKey);
      const verdict = key === undefined ? "no key" : await verdictOf(note, key, origin);
      found.set(verdict, (found.get(verdict) ?? 0) + 1);
    }
    deepEqual([...found.keys()], ["malformed-checkpoint"]);
    ran("tdev-formats", cases.length, cases.filter(({ result }) => result === "valid").length);
  });
});
