import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import type { JsonObject } from "../internal/json.ts";
import { sha256 } from "../internal/sha256.ts";
import { canonicalTufJson } from "../sigstore/tuf/canonical.ts";
import { ABC_SHA256, raw, verdict } from "./_fixtures_test.ts";
import {
  type MadeRoot,
  type MadeTuf,
  TUF_NOW,
  tufKey,
  tufRootFile,
  tufTargetsFile,
} from "./_tuf_fixtures_test.ts";
import { type FormatTrust, importTufRoot, parseFormat, verifyFormat } from "./mod.ts";

const DIALECTS = ["notary", "tuf"] as const;

async function trust(made: MadeRoot = {}): Promise<FormatTrust> {
  return { tufRoots: [await importTufRoot(await tufRootFile(made), "pinned")], now: TUF_NOW };
}

async function reason(targets: MadeTuf, root: MadeRoot = {}): Promise<string> {
  return await verdict(await tufTargetsFile(targets), await trust(root));
}

describe("verifyFormat() of targets of TUF", () => {
  for (const dialect of DIALECTS) {
    it(`accepts ${dialect}'s, with digests as subjects`, async () => {
      const source = await tufTargetsFile({ dialect });
      const result = await verifyFormat(source, await trust({ dialect }));
      ok(result.ok && "statement" in result.statement);
      const { statement, implicit } = result.statement;
      deepEqual(statement.subject, [{ name: "latest", digest: { sha256: ABC_SHA256 } }]);
      deepEqual(implicit, ["predicateType"]);
      deepEqual(result.envelope.authenticated, {
        version: "2",
        expires: "2027-01-01T00:00:00.000Z",
      });
      equal(result.envelope.messageType?.authenticated, true);
    });

    it(`${dialect}: no byte can be changed and something else be said`, async () => {
      const bytes = utf8(await tufTargetsFile({ dialect }));
      const believed = await trust({ dialect });
      const whole = await verifyFormat(bytes, believed);
      ok(whole.ok);
      for (let at = 0; at < bytes.length; at++) {
        const changed = bytes.slice();
        changed[at] ^= 1;
        const result = await verifyFormat(changed, believed);
        if (result.ok) deepEqual(result.envelope.message, whole.envelope.message, `byte ${at}`);
      }
    });

    it(`${dialect}: wants as many keys of the role as the root says, none twice`, async () => {
      const root: MadeRoot = { dialect, targetSigners: ["ci", "second"], threshold: 2 };
      equal(await reason({ dialect, signers: ["ci", "second"] }, root), "ok");
      equal(await reason({ dialect, signers: ["ci"] }, root), "threshold-not-met");
      equal(await reason({ dialect, signers: ["ci", "stranger"] }, root), "threshold-not-met");
      equal(await reason({ dialect, signers: ["ci", "ci"] }, root), "malformed-tuf-metadata");
      equal(await reason({ dialect, signers: ["stranger"] }, root), "invalid-signature");
      // A key of another role of the same root is none of targets.
      equal(await reason({ dialect, signers: ["root"] }, root), "invalid-signature");
      equal(await reason({ dialect, signers: [] }, root), "missing-signatures");
    });

    it(`${dialect}: expires, by its own date and by the root's`, async () => {
      const expires = "2025-12-31T23:59:59Z";
      equal(await reason({ dialect, expires }, { dialect }), "tuf-expired");
      equal(await reason({ dialect }, { dialect, expires }), "tuf-expired");
      const now = TUF_NOW.toISOString();
      equal(await reason({ dialect, expires: now }, { dialect }), "tuf-expired");
    });
  }

  it("takes Notary's signatures as r and s and in DER, and Ed25519", async () => {
    equal(await reason({ der: true }), "ok");
    equal(await reason({ alg: "Ed25519" }, { alg: "Ed25519" }), "ok");
    equal(
      await reason({ expires: "2027-06-01T12:00:00.123456789-07:00" }),
      "ok",
    );
  });

  it("counts a key once that the root has under two ids", async () => {
    const { keyid, key, signer } = await tufKey("notary", "ES256", { name: "ci" });
    const again: JsonObject = { ...key, note: "the same" };
    const other = encodeHex(sha256(utf8(canonicalTufJson(again))));
    const role = { keyids: [keyid, other], threshold: 2 };
    const roles = { root: role, targets: role, snapshot: role, timestamp: role };
    const keys = { [keyid]: key, [other]: again };
    const pinned = await importTufRoot(await tufRootFile({ signed: { keys, roles } }));
    equal(pinned.keys.length, 2);
    const { signed, signatures } = JSON.parse(await tufTargetsFile());
    const sig = encodeBase64(raw("ES256", await signer.sign(utf8(canonicalTufJson(signed)))));
    const source = JSON.stringify({ signed, signatures: [...signatures, { keyid: other, sig }] });
    const result = await verifyFormat(source, { tufRoots: [pinned], now: TUF_NOW });
    equal(result.envelope?.signers.filter((one) => one.ok).length, 2);
    equal(result.errorReason, "threshold-not-met");
  });

  it("bounds its signatures", async () => {
    const { signed, signatures: [one] } = JSON.parse(await tufTargetsFile());
    const of = async (count: number) => {
      const more = Array.from({ length: count }, (_, i) => ({ ...one, keyid: `${i}` }));
      return await verdict(JSON.stringify({ signed, signatures: [one, ...more] }), await trust());
    };
    equal(await of(63), "ok");
    equal(await of(64), "limit-exceeded");
  });

  it("reads digests as their dialect writes them, whatever they look like", async () => {
    // 48 octets have no padding, and could be hex of 32.
    const sha384 = "0123456789abcdef".repeat(4);
    const file = { length: 3, hashes: { sha384, sha256: `${"A".repeat(43)}=` } };
    const source = await tufTargetsFile({ signed: { targets: { a: file } } });
    const result = await verifyFormat(source, await trust());
    ok(result.ok && "statement" in result.statement, JSON.stringify(result));
    const { digest = {} } = result.statement.statement.subject[0];
    deepEqual([digest.sha384.length, digest.sha256], [96, "0".repeat(64)]);
  });

  it("never takes keys of two roots for one", async () => {
    const of = async (...targetSigners: string[]) =>
      await importTufRoot(await tufRootFile({ targetSigners, threshold: 1 }));
    const both = await importTufRoot(
      await tufRootFile({ targetSigners: ["ci", "second"], threshold: 2 }),
    );
    const source = await tufTargetsFile({ signers: ["ci"] });
    const by = async (...tufRoots: FormatTrust["tufRoots"] & object) =>
      await verdict(source, { tufRoots, now: TUF_NOW });
    equal(await by(await of("second"), both), "threshold-not-met");
    equal(await by(both, await of("ci")), "ok");
    equal(await by(await of("ci"), both), "ok");
    equal(await by(), "missing-trusted-key");
    equal(await verdict(source, { now: TUF_NOW }), "missing-trusted-key");
  });

  it("refuses what is malformed, each with its place", async () => {
    const cases: [MadeTuf, string][] = [
      [{ signed: { expires: "soon" } }, "malformed-tuf-metadata"],
      [{ signed: { version: 0 } }, "malformed-tuf-metadata"],
      [{ signed: { targets: { a: { length: 1, hashes: {} } } } }, "malformed-tuf-metadata"],
      [
        { signed: { targets: { a: { length: -1, hashes: { sha256: "AA==" } } } } },
        "malformed-tuf-metadata",
      ],
      [
        { signed: { targets: { a: { length: 1, hashes: { sha256: "?" } } } } },
        "malformed-tuf-metadata",
      ],
      [{ signed: { targets: 1 } }, "malformed-tuf-metadata"],
      [
        { dialect: "tuf", signed: { spec_version: "2.0" } },
        "malformed-tuf-metadata",
      ],
    ];
    for (const [made, wanted] of cases) {
      equal(
        await reason(made, made.dialect === undefined ? {} : { dialect: made.dialect }),
        wanted,
      );
    }
  });

  it("shows the version and how many there are, and verifies nothing", async () => {
    const parsed = await parseFormat(await tufTargetsFile());
    equal(parsed.format, "tuf-targets");
    deepEqual(parsed.facts, { version: "2", expires: "2027-01-01T00:00:00.000Z", targets: "1" });
  });
});

describe("importTufRoot()", () => {
  it("takes keys of the targets role only, each under the id that is its own", async () => {
    const root = await importTufRoot(await tufRootFile({ targetSigners: ["ci", "second"] }));
    deepEqual(
      root.keys.map(({ keyid }) => keyid),
      [
        (await tufKey("notary", "ES256", { name: "ci" })).keyid,
        (await tufKey("notary", "ES256", { name: "second" })).keyid,
      ],
    );
    const text = await tufRootFile();
    const { keyid } = await tufKey("notary", "ES256", { name: "ci" });
    const renamed = text.replaceAll(keyid, "0".repeat(64));
    await rejects(importTufRoot(renamed), { reason: "malformed-tuf-metadata" });
  });

  it("leaves out keys that it cannot use: they do not count", async () => {
    const key = { keytype: "gost", keyval: { private: null, public: "AAAA" } };
    const keyid = encodeHex(sha256(utf8(canonicalTufJson(key))));
    const role = { keyids: [keyid], threshold: 1 };
    const roles = { root: role, targets: role, snapshot: role, timestamp: role };
    const root = await importTufRoot(
      await tufRootFile({ signed: { keys: { [keyid]: key }, roles } }),
    );
    deepEqual(root.keys, []);
    const refused = await verdict(await tufTargetsFile(), { tufRoots: [root], now: TUF_NOW });
    equal(refused, "invalid-signature");
  });

  it("refuses other files, and what is too long", async () => {
    await rejects(importTufRoot(await tufTargetsFile()), { reason: "malformed-tuf-metadata" });
    for (const dialect of DIALECTS) {
      const snapshot = await tufRootFile({ dialect, signed: { _type: "Snapshot" } });
      await rejects(importTufRoot(snapshot), { reason: "malformed-tuf-metadata" });
    }
    await rejects(importTufRoot("not JSON"), { reason: "malformed-tuf-metadata" });
    await rejects(importTufRoot(" ".repeat(600 << 10)), { reason: "limit-exceeded" });
  });
});
