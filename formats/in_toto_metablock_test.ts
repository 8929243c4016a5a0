import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import type { Json } from "../internal/json.ts";
import { canonicalOlpcJson } from "../internal/olpc_json.ts";
import { encodePem } from "../internal/pem.ts";
import type { KeyAlgorithm } from "../keys/mod.ts";
import { ABC_SHA256, keyOf, verdict } from "./_fixtures_test.ts";
import { importInTotoKey, verifyFormat } from "./mod.ts";

const LINK = {
  _type: "link",
  name: "build",
  command: ["make"],
  materials: { "a.c": { sha256: "b".repeat(64) } },
  products: { abc: { sha256: ABC_SHA256 } },
  byproducts: { "return-value": 0, stdout: 'one\ntwo "quoted" \\ \t' },
  environment: {},
};

async function block(signed: Json, alg: KeyAlgorithm = "Ed25519", name = "ci") {
  const { signer } = await keyOf(alg, name);
  const sig = await signer.sign(utf8(canonicalOlpcJson(signed, "malformed-envelope")));
  return { signatures: [{ keyid: "ab", sig: encodeHex(sig) }], signed };
}

const ci = async () => ({ keys: [(await keyOf("Ed25519")).trustedKey] });
const text = async (signed: Json) => JSON.stringify(await block(signed), null, 1);

describe("verifyFormat() of a metablock", () => {
  it("accepts all three types of keys over the canonical form", async () => {
    for (const alg of ["Ed25519", "ES256", "PS256"] as const) {
      const source = JSON.stringify(await block(LINK, alg), null, 2);
      const result = await verifyFormat(source, { keys: [(await keyOf(alg)).trustedKey] });
      ok(result.ok, alg);
      equal(result.envelope.format, "in-toto-metablock");
      ok("statement" in result.statement);
      const { statement, materials, implicit } = result.statement;
      deepEqual(statement.subject, [{ name: "abc", digest: { sha256: ABC_SHA256 } }]);
      deepEqual(materials, [{ name: "a.c", digest: { sha256: "b".repeat(64) } }]);
      // A line feed stands for itself in what was signed, and is read back.
      deepEqual(statement.predicate?.byproducts, LINK.byproducts);
      deepEqual(implicit, ["predicateType"]);
    }
  });

  it("orders names by code points, not by UTF-16 units", async () => {
    const names = { "\uff5e": 1, "\u{1f600}": 2, a: 3 };
    equal(await verdict(await text({ ...LINK, environment: names }), await ci()), "ok");
    equal(
      canonicalOlpcJson(names, "malformed-envelope"),
      '{"a":3,"\uff5e":1,"\u{1f600}":2}',
    );
  });

  it("refuses numbers that are no integers, however they are written", async () => {
    for (const number of ["1.5", "1.0", "1e2", "9007199254740993"]) {
      const source = (await text({ ...LINK, environment: { n: 12345 } })).replace("12345", number);
      equal(await verdict(source, await ci()), "malformed-envelope", number);
    }
    const written = { ...LINK, environment: { text: '1.5 and "2e3" true' } };
    equal(await verdict(await text(written), await ci()), "ok");
  });

  it("reads texts of any length, and finds a fraction behind them", async () => {
    const long = { ...LINK, environment: { text: `\\"${"e".repeat(9 << 20)}`, n: 12345 } };
    const source = await text(long);
    equal(await verdict(source, await ci()), "ok");
    equal(await verdict(source.replace("12345", "1.0"), await ci()), "malformed-envelope");
  });

  it("refuses what was changed, and another's signature", async () => {
    const good = await text(LINK);
    equal(await verdict(good.replace('"make"', '"mask"'), await ci()), "invalid-signature");
    const other = JSON.stringify(await block(LINK, "Ed25519", "mallory"));
    equal(await verdict(other, await ci()), "invalid-signature");
    equal(await verdict(other, { keys: [] }), "missing-trusted-key");
    equal(
      await verdict(good.replace('"name"', '"name":"x","name"'), await ci()),
      "duplicate-json-key",
    );
  });

  it("counts a key once, whatever ids its signatures have", async () => {
    const one = await block(LINK);
    const twice = {
      ...one,
      signatures: [...one.signatures, { ...one.signatures[0], keyid: "cd" }],
    };
    equal(
      await verdict(JSON.stringify(twice), { ...await ci(), threshold: 2 }),
      "threshold-not-met",
    );
  });

  it("makes no Statement of a layout, and none without a product", async () => {
    const of = async (signed: Json) => {
      const result = await verifyFormat(await text(signed), await ci());
      ok(result.ok);
      return "statement" in result.statement ? "ok" : result.statement.reason;
    };
    equal(await of({ _type: "layout", steps: [] }), "unsupported-statement-type");
    equal(await of({ ...LINK, products: {} }), "missing-subject");
    equal(await of({ ...LINK, products: [] }), "malformed-statement");
  });

  it("tells signatures of GnuPG from none, and unknown members", async () => {
    const gpg = {
      signed: LINK,
      signatures: [{ keyid: "a", other_headers: "00", signature: "00" }],
    };
    equal(await verdict(JSON.stringify(gpg), await ci()), "unsupported-algorithm");
    const { signed } = await block(LINK);
    const of = async (signatures: unknown, more = {}) =>
      await verdict(JSON.stringify({ signed, signatures, ...more }), await ci());
    equal(await of([]), "missing-signatures");
    equal(await of([{ keyid: "a" }]), "malformed-envelope");
    equal(await of([{ keyid: "a", sig: "0" }]), "invalid-hex");
    equal(await of([{ keyid: "a", sig: "00" }], { payload: "" }), "malformed-envelope");
  });
});

describe("importInTotoKey()", () => {
  it("takes the algorithm of the scheme, and the id of the canonical form", async () => {
    const { trustedKey } = await keyOf("PS256");
    const pem = encodePem("PUBLIC KEY", trustedKey.spki);
    const key = await importInTotoKey({
      keytype: "rsa",
      scheme: "rsassa-pss-sha256",
      keyid_hash_algorithms: ["sha256", "sha512"],
      keyval: { public: pem, private: "" },
    }, "release");
    equal(key.alg, "PS256");
    equal(key.name, "release");
    const source = JSON.stringify(await block(LINK, "PS256"));
    equal(await verdict(source, { keys: [key] }), "ok");
  });

  it("refuses private keys, other schemes and schemes of other keys", async () => {
    const good = {
      keytype: "ed25519",
      scheme: "ed25519",
      keyval: { public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a" },
    };
    const bad: [object, string][] = [
      [{ ...good, keyval: { ...good.keyval, private: "00" } }, "malformed-key"],
      [{ ...good, scheme: "rsassa-pkcs1v15-sha256" }, "unsupported-algorithm"],
      [{ ...good, keytype: "rsa" }, "malformed-key"],
      [{ ...good, keyval: { public: "00".repeat(31) } }, "malformed-key"],
      [{ ...good, keyval: { public: `01${"00".repeat(31)}` } }, "weak-key"],
      [{ ...good, keyval: {} }, "malformed-key"],
    ];
    for (const [source, reason] of bad) await rejects(importInTotoKey(source), { reason });
  });
});
