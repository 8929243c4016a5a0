import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { Json, JsonObject } from "../../internal/json.ts";
import { sha256 } from "../../internal/sha256.ts";
import { canonicalTufJson } from "./canonical.ts";
import { parseTufFile, type TufType } from "./metadata.ts";

const HEX = "00".repeat(32);
const EXPIRES = "2026-12-01T00:00:00Z";
const KEY = { keytype: "ed25519", scheme: "ed25519", keyval: { public: HEX } };
const ROLE = { keyids: [idOf(KEY)], threshold: 1 };
const DELEGATION = { name: "a", ...ROLE, terminating: true, paths: ["a/*"] };

/** What is signed, of each kind, without fault. */
const BODIES: Readonly<Record<TufType, JsonObject>> = {
  root: {
    consistent_snapshot: true,
    keys: keyed(KEY),
    roles: { root: ROLE, timestamp: ROLE, snapshot: ROLE, targets: ROLE },
  },
  timestamp: { meta: { "snapshot.json": { version: 1 } } },
  snapshot: { meta: { "targets.json": { version: 1 } } },
  targets: { targets: {}, delegations: { keys: keyed(KEY), roles: [DELEGATION] } },
};

function idOf(key: JsonObject): string {
  return encodeHex(sha256(utf8(canonicalTufJson(key))));
}

/** Keys under the ids that are theirs. */
function keyed(...keys: JsonObject[]): JsonObject {
  return Object.fromEntries(keys.map((key) => [idOf(key), key]));
}

function parse(type: TufType, changes: JsonObject, signatures: Json = []) {
  const signed = {
    _type: type,
    spec_version: "1.0.31",
    version: 1,
    expires: EXPIRES,
    ...BODIES[type],
    ...changes,
  };
  return parseTufFile(`${type}.json`, type, utf8(JSON.stringify({ signed, signatures })));
}

/** What is wrong and where, or `good`. */
function verdict(type: TufType, changes: JsonObject, signatures?: Json): string {
  try {
    parse(type, changes, signatures);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    equal(error.reason, "malformed-tuf-metadata");
    return `${error.path}: ${error.message.replace(/^.* is /, "")}`;
  }
  return "good";
}

describe("parseTufFile()", () => {
  it("takes what it refuses nothing of", () => {
    for (const type of ["root", "timestamp", "snapshot", "targets"] as const) {
      equal(verdict(type, {}), "good");
    }
  });

  it("says whether the JSON or what it holds is at fault", () => {
    const read = (text: string) => () => parseTufFile("root.json", "root", utf8(text));
    throws(read('{"signed":1,"signed":2}'), (error) => {
      ok(isAttestationError(error) && isAttestationError(error.cause));
      equal(error.cause.reason, "duplicate-json-key");
      return true;
    });
    throws(read("[]"), (error) => {
      ok(isAttestationError(error));
      equal(error.cause, undefined);
      equal(error.message, "Cannot read root.json: the file is not an object");
      return true;
    });
  });

  // TUF 1.0, 4.3: a boolean. The text "false" would be read as true.
  for (const consistent_snapshot of ["false", 0, null, undefined]) {
    it(`refuses a root whose consistent_snapshot is ${JSON.stringify(consistent_snapshot)}`, () => {
      const changes = { consistent_snapshot } as JsonObject;
      equal(verdict("root", changes), "/signed/consistent_snapshot: neither true nor false");
    });
  }

  const keys: Record<string, [JsonObject, string]> = {
    "no key type": [{ scheme: "ed25519", keyval: { public: HEX } }, "keytype"],
    "an empty key type": [{ ...KEY, keytype: "" }, "keytype"],
    "a key type that is a list": [{ ...KEY, keytype: ["ed25519"] }, "keytype"],
    "no scheme": [{ keytype: "ed25519", keyval: { public: HEX } }, "scheme"],
    "a scheme that is a number": [{ ...KEY, scheme: 7 }, "scheme"],
    "no key": [{ keytype: "ed25519", scheme: "ed25519" }, "keyval"],
    "a key that is a text": [{ ...KEY, keyval: HEX }, "keyval"],
    "a key that is a list": [{ ...KEY, keyval: [HEX] }, "keyval"],
  };
  for (const [what, [key, member]] of Object.entries(keys)) {
    it(`refuses a key with ${what}`, () => {
      const told = verdict("root", { keys: keyed(KEY, key) });
      ok(told.startsWith(`/signed/keys/${idOf(key)}/${member}: not a`), told);
    });
  }

  it("refuses a timestamp that names another file than snapshot.json", () => {
    const at = "/signed/meta: not snapshot.json alone";
    equal(verdict("timestamp", { meta: { "targets.json": { version: 1 } } }), at);
    equal(verdict("timestamp", { meta: {} }), at);
    const both = { "snapshot.json": { version: 1 }, "targets.json": { version: 1 } };
    equal(verdict("timestamp", { meta: both }), at);
  });

  const infos: Record<string, [JsonObject, string]> = {
    "no version": [{ version: undefined as unknown as Json }, "/version: not an integer above 0"],
    "version 0": [{ version: 0 }, "/version: not an integer above 0"],
    "a version below 0": [{ version: -1 }, "/version: not an integer above 0"],
    "a version as text": [{ version: "1" }, "/version: not an integer above 0"],
    "a length below 0": [{ length: -1 }, "/length: not a length"],
    "a length as text": [{ length: "5" }, "/length: not a length"],
    "a length that is a list": [{ length: [5] }, "/length: not a length"],
    "a digest that is no hex": [{ hashes: { sha256: `${HEX}zz` } }, "/hashes: not hex"],
    "a digest in capitals": [{ hashes: { sha256: "AB" } }, "/hashes: not hex"],
    "half an octet of a digest": [{ hashes: { sha256: "abc" } }, "/hashes: not hex"],
  };
  for (const [what, [info, told]] of Object.entries(infos)) {
    it(`refuses a file of which it states ${what}`, () => {
      const meta = { "targets.json": { version: 1, ...info } };
      equal(verdict("snapshot", { meta }), `/signed/meta/targets.json${told}`);
    });
  }

  it("takes a file of no bytes", () => {
    const info = { length: 0, hashes: { sha256: HEX } };
    const { targets } = parse("targets", { targets: { a: info } }).signed as {
      targets: ReadonlyMap<string, unknown>;
    };
    deepEqual(targets.get("a"), info);
  });

  const delegations: Record<string, [JsonObject, string]> = {
    // TUF 1.0, 4.5: a boolean that ends the search, as the text "false" would.
    "an end as text": [{ terminating: "false" }, "/terminating: neither true nor false"],
    "no end": [{ terminating: undefined as unknown as Json }, "/terminating: neither"],
    // Of both, the one that is read might not be the one that the signer looked at.
    "two kinds of paths": [{ path_hash_prefixes: ["00"] }, ": not either paths or"],
    "no paths": [{ paths: undefined as unknown as Json }, ": not either paths or"],
    "an empty name": [{ name: "" }, "/name: not a string of 1 to 512 characters"],
    "a name that is a number": [{ name: 7 }, "/name: not a string of 1 to 512 characters"],
  };
  for (const [what, [changes, told]] of Object.entries(delegations)) {
    it(`refuses a delegated role with ${what}`, () => {
      const roles = [{ ...DELEGATION, ...changes }];
      const found = verdict("targets", { delegations: { keys: keyed(KEY), roles } });
      ok(found.startsWith(`/signed/delegations/roles/0${told}`), found);
    });
  }

  it("leaves out a signature that cannot count, and refuses what is none", () => {
    const found = (sig: Json) => [...parse("root", {}, [{ keyid: "a", sig }]).signatures.keys()];
    // tuf-on-ci keeps a place for a signature that is still to come.
    for (const sig of ["", "zz", "abc", "0x00"]) deepEqual(found(sig), []);
    deepEqual(found("00".repeat(1024)), ["a"], "RSA of 8192 bits");
    deepEqual(found("00".repeat(1025)), []);
    for (const sig of [7, null, ["00"], {}]) {
      equal(verdict("root", {}, [{ keyid: "a", sig }]), "/signatures/0/sig: not a string");
    }
    const keyid = "/signatures/0/keyid: not a string of 1 to 512 characters";
    for (const one of ["", 7, null, ["a"], "a".repeat(513)]) {
      equal(verdict("root", {}, [{ keyid: one, sig: "00" }]), keyid);
    }
  });

  it("takes what is as long as is accepted", () => {
    equal(verdict("root", {}, [{ keyid: "a".repeat(512), sig: "00" }]), "good");
    const many = (count: number) =>
      Array.from({ length: count }, (_, i) => ({ keyid: `${i}`, sig: "00" }));
    equal(verdict("root", {}, many(256)), "good");
    equal(verdict("root", {}, many(257)), "/signatures: more than 256 elements");
    const hashes = (count: number) =>
      Object.fromEntries(Array.from({ length: count }, (_, i) => [`h${i}`, HEX]));
    const meta = (count: number) => ({ "targets.json": { version: 1, hashes: hashes(count) } });
    equal(verdict("snapshot", { meta: meta(16) }), "good");
    const at = "/signed/meta/targets.json/hashes";
    equal(verdict("snapshot", { meta: meta(17) }), `${at}: more than 16 members`);
    equal(
      verdict("snapshot", { meta: { "": { version: 1 } } }),
      "/signed/meta: not a string of 1 to 512 characters",
    );
  });
});
