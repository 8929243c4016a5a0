import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { CheckList } from "../internal/check_list.ts";
import { isAttestationError } from "../errors.ts";
import { refusalOf } from "./_fixtures_test.ts";
import { type KeySetDocumentEntry, parseKeySet } from "./key_set.ts";
import {
  combineKeys,
  countKeys,
  describeValidity,
  type KeyMoments,
  type KeySet,
  type KeySetEntry,
  refusalOfKey,
  validKeys,
} from "./key_validity.ts";
import { type GeneratedSigner, generateSigner } from "./signer.ts";

const KEYS = await Promise.all(
  ["Ed25519", "ES256", "ES384"].map((alg) => generateSigner(alg as "Ed25519")),
);
const [A, B, C] = KEYS.map(({ publicKey }) => publicKey);
const JWK: JsonWebKey = {
  kty: "OKP",
  crv: "Ed25519",
  x: "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
  kid: "from-jwk",
} as JsonWebKey;

function setOf(...keys: object[]): object {
  return { type: "attest-key-set/v1", keys };
}

function entry(more: object = {}): object {
  return { name: "a", publicKey: A, ...more };
}

async function refusal(source: string | object): Promise<string> {
  try {
    await parseKeySet(source);
    return "ok";
  } catch (error) {
    return isAttestationError(error) ? `${error.reason} ${error.path ?? ""}`.trim() : `${error}`;
  }
}

async function one(more: object = {}): Promise<KeySetEntry> {
  return (await parseKeySet(setOf(entry({ ...more, successor: undefined }), {
    name: "next",
    publicKey: B,
  }))).keys[0];
}

const EARLY = new Date("2024-01-01T00:00:00Z");
const IN = new Date("2025-06-01T00:00:00Z");
const LATE = new Date("2026-06-01T00:00:00Z");
const FROM = "2025-01-01T00:00:00Z";
const UNTIL = "2025-12-31T23:59:59Z";

describe("parseKeySet()", () => {
  it("reads PEM and JWK with all that a key may have", async () => {
    const document = setOf(
      entry({ validFrom: FROM, validUntil: UNTIL, successor: "b", keyid: "k1" }),
      { name: "b", publicKey: JWK, alg: "Ed25519" },
      {
        name: "c",
        publicKey: C,
        revoked: { at: UNTIL, reason: "compromised", note: "laptop stolen" },
      },
    );
    for (const source of [document, JSON.stringify(document)]) {
      const { keys } = await parseKeySet(source);
      deepEqual(keys.map(({ name }) => name), ["a", "b", "c"]);
      deepEqual(keys.map(({ key }) => key.name), ["a", "b", "c"]);
      deepEqual(keys.map(({ key }) => key.keyid), ["k1", "from-jwk", undefined]);
      equal(keys[0].validFrom?.toISOString(), "2025-01-01T00:00:00.000Z");
      equal(keys[0].validUntil?.toISOString(), "2025-12-31T23:59:59.000Z");
      equal(keys[0].successor, "b");
      equal(keys[2].revoked?.reason, "compromised");
      equal(keys[2].revoked?.note, "laptop stolen");
    }
    const bytes = new TextEncoder().encode(JSON.stringify(document));
    equal((await parseKeySet(bytes)).keys.length, 3);
  });

  it("refuses what is not of its form, and tells where", async () => {
    const at = UNTIL;
    const cases: [object | string, string][] = [
      [[], "malformed-key-set"],
      [{ keys: [entry()] }, "malformed-key-set /type"],
      [{ type: "attest-key-set/v2", keys: [entry()] }, "malformed-key-set /type"],
      [{ ...setOf(entry()), extra: 1 }, "malformed-key-set"],
      [setOf(), "malformed-key-set /keys"],
      [{ type: "attest-key-set/v1", keys: {} }, "malformed-key-set /keys"],
      [setOf(entry(), []), "malformed-key-set /keys/1"],
      [setOf(entry({ valid_until: at })), "malformed-key-set /keys/0"],
      [setOf(entry({ revoke: { at, reason: "retired" } })), "malformed-key-set /keys/0"],
      [setOf({ publicKey: A }), "malformed-key-set /keys/0/name"],
      [setOf(entry({ name: "" })), "malformed-key-set /keys/0/name"],
      [setOf(entry({ name: 1 })), "malformed-key-set /keys/0/name"],
      [setOf(entry({ name: "x".repeat(201) })), "malformed-key-set /keys/0/name"],
      [setOf({ name: "a" }), "malformed-key-set /keys/0/publicKey"],
      [setOf(entry({ publicKey: null })), "malformed-key-set /keys/0/publicKey"],
      [setOf(entry({ publicKey: "x" })), "malformed-pem /keys/0/publicKey"],
      [setOf(entry({ publicKey: { kty: "x" } })), "unsupported-algorithm /keys/0/publicKey"],
      [setOf(entry({ alg: "none" })), "unsupported-algorithm /keys/0/publicKey"],
      [setOf(entry({ alg: "ES256" })), "key-algorithm-mismatch /keys/0/publicKey"],
      [setOf(entry({ alg: null })), "malformed-key-set /keys/0/alg"],
      [setOf(entry({ keyid: "" })), "malformed-key-set /keys/0/keyid"],
      [setOf(entry({ validFrom: "2025-01-01" })), "malformed-key-set /keys/0/validFrom"],
      [
        setOf(entry({ validFrom: "2025-01-01T00:00:00+01:00" })),
        "malformed-key-set /keys/0/validFrom",
      ],
      [setOf(entry({ validUntil: 1767225599 })), "malformed-key-set /keys/0/validUntil"],
      [setOf(entry({ validUntil: null })), "malformed-key-set /keys/0/validUntil"],
      [setOf(entry({ validFrom: at, validUntil: at })), "malformed-key-set /keys/0/validUntil"],
      [setOf(entry({ validFrom: at, validUntil: FROM })), "malformed-key-set /keys/0/validUntil"],
      [setOf(entry({ revoked: true })), "malformed-key-set /keys/0/revoked"],
      [setOf(entry({ revoked: null })), "malformed-key-set /keys/0/revoked"],
      [setOf(entry({ revoked: { reason: "retired" } })), "malformed-key-set /keys/0/revoked/at"],
      [setOf(entry({ revoked: { at } })), "malformed-key-set /keys/0/revoked/reason"],
      [
        setOf(entry({ revoked: { at, reason: "Compromised" } })),
        "malformed-key-set /keys/0/revoked/reason",
      ],
      [
        setOf(entry({ revoked: { at, reason: "retired", when: at } })),
        "malformed-key-set /keys/0/revoked",
      ],
      [
        setOf(entry({ revoked: { at, reason: "retired", note: "x".repeat(1001) } })),
        "malformed-key-set /keys/0/revoked/note",
      ],
      ["{", "malformed-json"],
      ["", "empty-input"],
      ['{"type":"attest-key-set/v1","type":"attest-key-set/v1","keys":[]}', "duplicate-json-key"],
      [" ".repeat((1 << 20) + 1), "limit-exceeded"],
    ];
    for (const [source, wanted] of cases) {
      const found = await refusal(source);
      equal(found, wanted, JSON.stringify(source).slice(0, 160));
    }
    const many = Array.from({ length: 1001 }, (_, i) => entry({ name: `${i}` }));
    equal(await refusal(setOf(...many)), "limit-exceeded /keys");
    // As many as are allowed are read: the second of these is the first under another name.
    equal(await refusal(setOf(...many.slice(1))), "malformed-key-set /keys/1/publicKey");
  });

  it("takes names and notes of the length that is allowed", async () => {
    const name = "x".repeat(200);
    const note = "y".repeat(1000);
    const { keys } = await parseKeySet(
      setOf(entry({ name, revoked: { at: UNTIL, reason: "retired", note } })),
    );
    equal(keys[0].name, name);
    equal(keys[0].revoked?.note, note);
  });

  it("refuses a private key", async () => {
    const { privateKey } = KEYS[0];
    equal(
      await refusal(setOf(entry({ publicKey: privateKey }))),
      "malformed-key /keys/0/publicKey",
    );
    const jwk = { ...JWK, d: "nWGxne_9WmC6hEr0kuwsxERJxXN7MmkZcDusAxyuf2A" };
    const found = await refusal(setOf(entry({ publicKey: jwk })));
    equal(found, "malformed-key /keys/0/publicKey");
  });

  it("refuses a name or a key that is there twice, also in another encoding", async () => {
    const name = { name: "a", publicKey: B };
    equal(await refusal(setOf(entry(), name)), "malformed-key-set /keys/1/name");
    equal(
      await refusal(setOf(entry(), entry({ name: "b" }))),
      "malformed-key-set /keys/1/publicKey",
    );
    const { spki } = KEYS[0].trustedKey;
    const imported = await crypto.subtle.importKey("spki", spki, "Ed25519", true, ["verify"]);
    const { kty, crv, x } = await crypto.subtle.exportKey("jwk", imported);
    const jwk = entry({ name: "b", publicKey: { kty, crv, x }, validFrom: FROM });
    equal(await refusal(setOf(entry(), jwk)), "malformed-key-set /keys/1/publicKey");
  });

  it("refuses a successor that is not there, and a circle of them", async () => {
    const names = ["a", "b", "c"];
    const chain = (...successors: (string | undefined)[]): object =>
      setOf(...successors.map((successor, i) => ({
        name: names[i],
        publicKey: [A, B, C][i],
        ...(successor === undefined ? {} : { successor }),
      })));
    equal(await refusal(chain("b", "c", undefined)), "ok");
    equal(await refusal(chain("c", "c", undefined)), "ok");
    equal(await refusal(chain("d")), "malformed-key-set /keys/0/successor");
    equal(await refusal(chain("a")), "malformed-key-set /keys/0/successor");
    equal(await refusal(chain("b", "a")), "malformed-key-set /keys/0/successor");
    equal(await refusal(chain("b", "c", "b")), "malformed-key-set /keys/0/successor");
  });
});

describe("refusalOfKey()", () => {
  const judge = (rule: KeySetEntry, verifiedTimes: Date[], now = LATE) =>
    refusalOfKey(rule, { verifiedTimes, now })?.reason ?? "ok";

  it("counts from the first to the last moment, both included", async () => {
    const rule = await one({ validFrom: FROM, validUntil: UNTIL });
    const from = Date.parse(FROM);
    const until = Date.parse(UNTIL);
    equal(judge(rule, [new Date(from)]), "ok");
    equal(judge(rule, [new Date(from - 1)]), "key-not-valid");
    equal(judge(rule, [new Date(until)]), "ok");
    equal(judge(rule, [new Date(until + 1)]), "key-not-valid");
    equal(judge(await one({ validFrom: FROM }), [LATE]), "ok");
    equal(judge(await one({ validUntil: UNTIL }), [EARLY]), "ok");
    equal(judge(await one(), [EARLY, LATE]), "ok");
  });

  it("asks for every verified time, not for any", async () => {
    const rule = await one({ validFrom: FROM, validUntil: UNTIL });
    equal(judge(rule, [IN, LATE]), "key-not-valid");
    equal(judge(rule, [LATE, IN]), "key-not-valid");
    const revoked = await one({ revoked: { at: FROM, reason: "superseded" } });
    equal(judge(revoked, [EARLY, IN]), "key-revoked");
  });

  it("takes now only where no time is verified", async () => {
    const rule = await one({ validFrom: FROM, validUntil: UNTIL });
    equal(judge(rule, [], IN), "ok");
    equal(judge(rule, [], LATE), "key-not-valid");
    equal(judge(rule, [IN], LATE), "ok");
    equal(judge(rule, [LATE], IN), "key-not-valid");
  });

  it("counts a revoked key strictly before its revocation", async () => {
    for (const reason of ["superseded", "retired", "unspecified", "compromised"]) {
      const rule = await one({ revoked: { at: FROM, reason } });
      const at = Date.parse(FROM);
      equal(judge(rule, [new Date(at - 1)]), "ok", reason);
      equal(judge(rule, [new Date(at)]), "key-revoked", reason);
      equal(judge(rule, [], LATE), "key-revoked", reason);
    }
  });

  it("never counts a compromised key without a verified time, even before its revocation", async () => {
    const compromised = await one({ revoked: { at: FROM, reason: "compromised" } });
    equal(judge(compromised, [], EARLY), "key-revoked");
    equal(judge(await one({ revoked: { at: FROM, reason: "retired" } }), [], EARLY), "ok");
  });

  it("names key, interval, revocation, note and successor, harmlessly", async () => {
    const { keys } = await parseKeySet(setOf(
      entry({
        name: "old\u001b[2J",
        validFrom: FROM,
        validUntil: UNTIL,
        successor: "next",
        revoked: { at: UNTIL, reason: "compromised", note: "laptop\nstolen" },
      }),
      { name: "next", publicKey: B },
    ));
    const message = refusalOfKey(keys[0], { now: LATE })?.message ?? "";
    for (
      const part of ["old", "2025-01-01T00:00:00", "2025-12-31T23:59:59", "compromised", "next"]
    ) ok(message.includes(part), `${part} is not in ${message}`);
    // deno-lint-ignore no-control-regex
    ok(!/[\x00-\x1f]/.test(message));
    ok(message.includes("laptop"), message);
    // Of what the key is not refused for, nothing is told but its rule.
    const early = refusalOfKey(keys[0], { verifiedTimes: [EARLY], now: LATE });
    equal(early?.reason, "key-not-valid");
    ok(!early?.message.includes("laptop"), early?.message);
  });

  it("refuses a moment under another name, which would let now count", async () => {
    const rule = await one({ validUntil: UNTIL });
    const moments = { verifiedTime: [LATE], now: IN } as KeyMoments;
    throws(() => refusalOfKey(rule, moments), /Unknown option "verifiedTime"/);
  });

  it("refuses a moment that is none", async () => {
    const rule = await one();
    throws(() => refusalOfKey(rule, { now: new Date("x") }), RangeError);
  });
});

describe("describeValidity()", () => {
  it("tells interval and revocation", async () => {
    const from = "2025-01-01T00:00:00.000Z";
    const until = "2025-12-31T23:59:59.000Z";
    const rows: [object, string][] = [
      [{}, "valid at any time"],
      [{ validFrom: FROM }, `valid from ${from}`],
      [{ validUntil: UNTIL }, `valid until ${until}`],
      [{ validFrom: FROM, validUntil: UNTIL }, `valid from ${from} until ${until}`],
      [
        { revoked: { at: UNTIL, reason: "retired" } },
        `valid at any time, revoked at ${until} (retired)`,
      ],
    ];
    for (const [rule, wanted] of rows) equal(describeValidity(await one(rule)), wanted);
  });
});

describe("validKeys()", () => {
  it("gives the keys that count at a moment", async () => {
    const set = await parseKeySet(setOf(
      entry({ validUntil: UNTIL }),
      { name: "b", publicKey: B, validFrom: UNTIL },
      { name: "c", publicKey: C, revoked: { at: UNTIL, reason: "compromised" } },
    ));
    deepEqual(validKeys(set, IN).map(({ name }) => name), ["a"]);
    deepEqual(validKeys(set, LATE).map(({ name }) => name), ["b"]);
  });
});

describe("combineKeys()", () => {
  const plain = (key: GeneratedSigner) => key.trustedKey;

  it("refuses the same key under different rules, wherever it stands", async () => {
    const free = await parseKeySet(setOf(entry()));
    const ended = await parseKeySet(setOf(entry({ name: "x", validUntil: UNTIL })));
    const revoked = await parseKeySet(
      setOf(entry({ name: "y", revoked: { at: UNTIL, reason: "retired" } })),
    );
    const worse = await parseKeySet(
      setOf(entry({ name: "z", revoked: { at: UNTIL, reason: "compromised" } })),
    );
    throws(() => combineKeys([plain(KEYS[0])], [ended]), TypeError);
    throws(() => combineKeys([], [free, ended]), TypeError);
    throws(() => combineKeys([], [ended, free]), TypeError);
    throws(() => combineKeys([], [revoked, ended]), TypeError);
    throws(() => combineKeys([], [revoked, worse]), TypeError);
    equal(combineKeys([plain(KEYS[0])], [free]).rules.size, 1);
    equal(combineKeys([], [ended, ended]).rules.size, 1);
    equal(combineKeys([plain(KEYS[1])], [ended]).keys.length, 2);
  });

  it("refuses what is no key set", async () => {
    const { keys } = await parseKeySet(setOf(entry({ validUntil: UNTIL })));
    const [good] = keys;
    const { verify, fingerprint } = good.key;
    const bad: unknown[] = [
      {},
      null,
      [],
      A,
      { keys: new Set(keys) },
      { keys: [null] },
      { keys: [{}] },
      { keys: [KEYS[0].trustedKey] },
      { keys: [{ ...good, name: undefined }] },
      { keys: [{ ...good, key: { fingerprint } }] },
      { keys: [{ ...good, key: { verify } }] },
      { keys: [{ ...good, validUntil: UNTIL }] },
      { keys: [{ ...good, validUntil: { getTime: () => 1 } }] },
      { keys: [{ ...good, validFrom: new Date("x") }] },
      { keys: [{ ...good, revoked: { reason: "retired" } }] },
    ];
    for (const set of bad) {
      const found = refusalOf(() => combineKeys([], [set as KeySet]));
      equal(found, "TypeError | A key set is not what parseKeySet() returns", JSON.stringify(set));
    }
    for (const keySets of [{ keys }, new Set([{ keys }]), null]) {
      const found = refusalOf(() => combineKeys([], keySets as unknown as KeySet[]));
      equal(found, "TypeError | keySets is not an array");
    }
  });
});

describe("countKeys()", () => {
  it("counts, and says which do not", async () => {
    const set = await parseKeySet(setOf(
      entry({ validUntil: UNTIL, successor: "b" }),
      { name: "b", publicKey: B },
      { name: "c", publicKey: C },
    ));
    const { keys, rules } = combineKeys([], [set]);
    const moments = { now: LATE };
    const enough = new CheckList();
    const counted = countKeys(enough, keys, { rules, needed: 2, moments });
    deepEqual(counted.map(({ name }) => name), ["b", "c"]);
    equal(enough.checks[0].outcome, "passed");
    ok(/"a" \(key-not-valid\)/.test(enough.checks[0].message));
    const few = new CheckList();
    countKeys(few, keys, { rules, needed: 3, moments });
    equal(few.checks[0].reason, "key-not-valid");
    ok(/keys that count: 2, needed: 3/.test(few.checks[0].message), few.checks[0].message);
    const none = new CheckList();
    equal(countKeys(none, keys, { rules: new Map(), needed: 1, moments }).length, 3);
    equal(none.checks.length, 0);
    const all = new CheckList();
    countKeys(all, keys.slice(1), { rules, needed: 2, moments });
    equal(all.checks[0].message, "The key is valid now, and no time of signing is verified");
    const stamped = new CheckList();
    const verified = { verifiedTimes: [IN], now: LATE };
    countKeys(stamped, keys, { rules, needed: 3, moments: verified });
    equal(stamped.checks[0].message, "The key was valid at every verified time of signing");
  });
});

describe("KeySetDocumentEntry", () => {
  it("is what parseKeySet() reads", async () => {
    const written: KeySetDocumentEntry = { name: "a", publicKey: A, validFrom: FROM };
    equal((await parseKeySet(setOf(written))).keys.length, 1);
    await rejects(parseKeySet(setOf({ ...written, x: 1 })));
  });
});
