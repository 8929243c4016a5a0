import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { importNoteKey, importPaserk, verifyFormat } from "../../formats/mod.ts";
import { decodeBase64, encodeBase64Url } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { decodeHex } from "../../internal/hex.ts";
import { importTrustedKey, type TrustedKey } from "../../keys/mod.ts";
import { load, options, ran } from "./corpus.ts";

/* Third-party vectors: paseto-standard/test-vectors and golang/mod sumdb/note. */

interface Token {
  "name": string;
  "expect-fail": boolean;
  "public-key": string;
  "public-key-pem": string;
  "token": string;
  "payload": string | null;
  "footer": string;
  "implicit-assertion": string;
}

interface NoteCase {
  name: string;
  note?: string;
  noteBase64?: string;
  vkeys?: string[];
  result: string;
  why?: string;
}

describe("verifyFormat() and importPaserk() on PASETO's vectors", options, () => {
  for (const version of ["v3", "v4"]) {
    it(`decide those of ${version}.public`, async () => {
      const { cases } = load<{ cases: Token[] }>(`paseto/${version}.public.json`);
      for (const one of cases) {
        const paserk = `k${version[1]}.public.${encodeBase64Url(decodeHex(one["public-key"]))}`;
        const pem = await importTrustedKey(one["public-key-pem"]);
        const key = await importPaserk(paserk);
        equal(key.fingerprint, pem.fingerprint);
        const implicitAssertion = utf8(one["implicit-assertion"]);
        const now = new Date("2021-01-01T00:00:00Z");
        const result = await verifyFormat(one.token, { keys: [key], implicitAssertion, now });
        equal(result.ok, !one["expect-fail"], one.name);
        if (result.ok) equal(new TextDecoder().decode(result.envelope.message), one.payload);
        else equal(result.errorReason, "unsupported-algorithm");
        const late = await verifyFormat(one.token, { keys: [key], implicitAssertion });
        equal(late.ok, false);
      }
      ran("paseto", cases.length);
    });
  }
});

/** The origin refuses two trusted keys of one name and hash; here the one that signed is found. */
const OTHERWISE: ReadonlySet<string> = new Set(["ambiguous verifier used"]);

describe("verifyFormat() and importNoteKey() on sumdb's notes", options, () => {
  it("decide which notes verify", async () => {
    const { cases } = load<{ cases: NoteCase[] }>("sumdb-note/notes.json");
    const different: string[] = [];
    for (const { name, note, noteBase64, vkeys = [], result } of cases) {
      const keys: TrustedKey[] = [];
      for (const vkey of vkeys) {
        try {
          keys.push(await importNoteKey(vkey));
        } catch (error) {
          if (!isAttestationError(error)) throw error;
        }
      }
      const source = note ?? decodeBase64(noteBase64 ?? "");
      const verdict = await verifyFormat(source, { keys });
      if (verdict.ok !== (result === "valid") && !OTHERWISE.has(name)) different.push(name);
    }
    deepEqual(different, []);
  });

  it("take and refuse the verifier keys", async () => {
    const { cases } = load<{ cases: { vkey: string; result: string }[] }>("sumdb-note/vkeys.json");
    for (const { vkey, result } of cases) {
      let good = true;
      try {
        await importNoteKey(vkey);
      } catch (error) {
        ok(isAttestationError(error));
        good = false;
      }
      equal(good, result === "valid", vkey);
    }
  });

  it("take the keys of witnesses", async () => {
    const { cases } = load<{ cases: { name: string; vkey: string; result: string }[] }>(
      "tdev-formats/cosignature-vkeys.json",
    );
    for (const { name, vkey, result } of cases) {
      const key = await importNoteKey(vkey).catch((error) => {
        ok(isAttestationError(error));
        return undefined;
      });
      // ML-DSA of witnesses is refused by its type.
      if (key === undefined && !name.includes("MLDSA")) equal(result, "invalid", name);
    }
  });
});
