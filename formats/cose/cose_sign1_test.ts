import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { KeyAlgorithm } from "../../keys/mod.ts";
import { basicConstraints, extendedKeyUsage, keyUsage } from "../../tools/pki/certificate.ts";
import { testKey } from "../../tools/pki/keys.ts";
import { ABC, ABC_SHA256, keyOf, raw, STATEMENT, verdict } from "../_fixtures_test.ts";
import { AFTER, authority, chainOf, WITHIN } from "../_notation_fixtures_test.ts";
import { createCertificateTrust, parseFormat, verifyFormat } from "../mod.ts";
import { ALG, bytes, IN_TOTO, int, list, map, NULL, sign1, tag, text } from "./_fixtures_test.ts";
import { type CoseTrust, verifyCoseSign1 } from "./mod.ts";

const trustOf = async (alg: KeyAlgorithm = "Ed25519") => ({
  keys: [(await keyOf(alg)).trustedKey],
});

async function reason(source: Bytes, trust?: CoseTrust): Promise<string> {
  const result = await verifyCoseSign1(source, trust ?? await trustOf());
  return result.ok ? "ok" : result.errorReason;
}

/** What both ways of asking answer: they have to agree. */
async function both(source: Bytes): Promise<string> {
  const answer = await verdict(source, await trustOf());
  equal(await reason(source), answer);
  return answer;
}

describe("verifyFormat() of COSE_Sign1", () => {
  it("makes a Statement of a payload that is one", async () => {
    const source = await sign1();
    const result = await verifyFormat(source, await trustOf());
    ok(result.ok && "statement" in result.statement);
    equal(result.envelope.format, "cose-sign1");
    deepEqual(result.envelope.messageType, { value: IN_TOTO, authenticated: true });
    equal(result.envelope.coverage, "message");
    deepEqual(result.statement.statement.subject, STATEMENT.subject);
    deepEqual(result.statement.implicit, []);
    equal(result.signers[0].name, "ci");
  });

  it("takes each algorithm of its keys, and lets the header confirm it only", async () => {
    for (const alg of ["Ed25519", "ES256", "ES384", "PS256", "RS256"] as const) {
      const source = await sign1({ alg });
      equal(await verdict(source, await trustOf(alg)), "ok", alg);
      equal(
        await verdict(source, await trustOf(alg === "ES256" ? "ES384" : "ES256")),
        "key-algorithm-mismatch",
      );
    }
    // The key decides: a header that says something else of a good signature is no way in.
    for (const alg of [-7, -36, -37, -257, -9]) {
      const header = map([1, int(alg)], [3, text(IN_TOTO)]);
      equal(await both(await sign1({ header })), "key-algorithm-mismatch", String(alg));
    }
    // HMAC, none, unassigned, and names.
    for (const alg of [5, 0, -999, -65535, -6]) {
      equal(await both(await sign1({ header: map([1, int(alg)]) })), "unsupported-algorithm");
    }
    equal(await both(await sign1({ header: map([1, text("ES256")]) })), "unsupported-algorithm");
    // ES256 of COSE is a hash, with whatever curve: RFC 9053, 2.1.
    const { signer, trustedKey } = await keyOf("ES384");
    const source = await sign1({ alg: "ES384" });
    equal(signer.alg, trustedKey.alg);
    const other = { ...trustedKey, alg: "ECDSA-P384-SHA256" as const };
    equal(await reason(source, { keys: [other] }), "key-algorithm-mismatch");
  });

  it("wants the algorithm in the protected header", async () => {
    const type: [number, Bytes] = [3, text(IN_TOTO)];
    const alg: [number, Bytes] = [1, int(-8)];
    equal(await both(await sign1({ header: map(type) })), "malformed-envelope");
    equal(
      await both(await sign1({ header: map(type), unprotected: map(alg) })),
      "malformed-envelope",
    );
    // A header without parameters is signed as the empty string, and has no algorithm.
    equal(await both(await sign1({ header: map(), unprotected: map(alg) })), "malformed-envelope");
    equal(await both(await sign1({ unprotected: map(alg) })), "malformed-envelope");
  });

  it("refuses altered parts, each by its signature", async () => {
    const payload = utf8(JSON.stringify({ ...STATEMENT, predicateType: "https://x.test/y" }));
    const { signer } = await keyOf("Ed25519");
    const good = await signer.sign(utf8("other"));
    equal(await both(await sign1({ sign: () => Promise.resolve(good) })), "invalid-signature");
    const signed = (data: Bytes) => signer.sign(data);
    // The signature of another payload, header, or external data.
    let first: Uint8Array | undefined;
    await sign1({ sign: async (data) => first = await signed(data) });
    const again = () => Promise.resolve(first!);
    equal(await both(await sign1({ sign: again })), "ok");
    equal(await both(await sign1({ sign: again, payload })), "invalid-signature");
    const header = map([1, int(-8)], [3, text("application/json")]);
    equal(await both(await sign1({ sign: again, header })), "invalid-signature");
    equal(await both(await sign1({ externalData: ABC })), "invalid-signature");
    equal(await both(await sign1({ name: "mallory" })), "invalid-signature");
    equal(await verdict(await sign1(), { keys: [] }), "missing-trusted-key");
    for (const size of [0, 63, 65]) {
      const sign = () => Promise.resolve(new Uint8Array(size));
      equal(await both(await sign1({ sign })), "invalid-signature");
    }
  });

  it("takes the tag 18 alone, and a list without one only where it is asked for", async () => {
    const trust = await trustOf();
    for (const other of [17, 19, 96, 97, 98, 998]) {
      const source = await sign1({ wrap: (item) => tag(other, item) });
      equal(await verdict(source, trust), "unknown-format");
      equal(await reason(source), "malformed-envelope");
      equal(await reason(source, { ...trust, untagged: true }), "malformed-envelope");
    }
    const bare = await sign1({ wrap: (item) => item });
    equal(await verdict(bare, trust), "unknown-format");
    equal(await reason(bare), "malformed-envelope");
    equal(await reason(bare, { ...trust, untagged: true }), "ok");
    equal(await reason(await sign1(), { ...trust, untagged: true }), "ok");
    const twice = await sign1({ wrap: (item) => tag(18, tag(18, item)) });
    equal(await reason(twice), "malformed-envelope");
    equal(await verdict(twice, trust), "unknown-format");
  });

  it("refuses what is no list of four", async () => {
    const header = bytes(map([1, int(-8)]));
    const parts = [header, map(), bytes(ABC), bytes(new Uint8Array(64))];
    const replaced = (at: number, item: Bytes) =>
      tag(18, list(...parts.map((part, i) => i === at ? item : part)));
    equal(await both(replaced(3, bytes(new Uint8Array(64)))), "invalid-signature");
    for (
      const [at, item] of [
        [0, map()],
        [0, bytes(list())],
        [0, bytes(text("x"))],
        [1, list()],
        [1, bytes(map())],
        [2, text("abc")],
        [2, map()],
        [3, text("abc")],
        [3, NULL],
      ] as const
    ) equal(await reason(replaced(at, item)), "malformed-envelope", `${at}`);
    equal(await reason(tag(18, list(...parts.slice(0, 3)))), "malformed-envelope");
    equal(await reason(tag(18, list(...parts, NULL))), "malformed-envelope");
    equal(await reason(tag(18, map())), "malformed-envelope");
  });

  it("reads strict CBOR, in the document and in its protected header", async () => {
    const source = await sign1();
    equal(await both(concat(source, Uint8Array.of(0))), "malformed-cbor");
    equal(await both(source.subarray(0, -1)), "malformed-cbor");
    const endless = concat(Uint8Array.of(0xd2, 0x9f), source.subarray(2), Uint8Array.of(0xff));
    equal(await reason(endless), "malformed-cbor");
    equal(await verdict(endless, await trustOf()), "unknown-format");
    for (
      const header of [
        Uint8Array.of(0xa2, 1, 0x27, 1, 0x27), // twice the same
        Uint8Array.of(0xa2, 1, 0x27, 1, 0x26),
        Uint8Array.of(0xbf, 1, 0x27, 0xff),
        Uint8Array.of(0xa1, 0x18, 1, 0x27),
        Uint8Array.of(0xa1, 1, 0x38, 7),
        Uint8Array.of(0xa1, 1, 0x27, 0),
        Uint8Array.of(0xa1, 1),
      ]
    ) equal(await both(await sign1({ header })), "malformed-cbor", encodeHex(header));
    const unprotected = Uint8Array.of(0xa2, 4, 0x41, 1, 4, 0x41, 1);
    equal(await both(await sign1({ unprotected })), "malformed-cbor");
    const deep = concat(Uint8Array.of(0xa1, 9), new Uint8Array(64).fill(0x81), Uint8Array.of(0));
    equal(await both(await sign1({ unprotected: deep })), "limit-exceeded");
  });

  it("refuses a parameter in both headers, and a crit that nobody signed", async () => {
    const kid: [number, Bytes] = [4, bytes(utf8("a"))];
    const header = map([1, int(-8)], kid);
    equal(await both(await sign1({ header })), "ok");
    equal(await both(await sign1({ header, unprotected: map(kid) })), "malformed-envelope");
    const unprotected = map([2, list(int(4))], kid);
    equal(await both(await sign1({ unprotected })), "malformed-envelope");
  });

  it("understands what is critical, or refuses", async () => {
    const withCrit = async (crit: Bytes, ...more: [number | string, Bytes][]) =>
      await both(await sign1({ header: map([1, int(-8)], [2, crit], ...more) }));
    equal(await withCrit(list(int(1))), "ok");
    equal(await withCrit(list(int(3)), [3, text(IN_TOTO)]), "ok");
    for (const crit of [list(), int(1), text("alg"), list(int(1), int(1)), list(NULL)]) {
      equal(await withCrit(crit), "malformed-envelope");
    }
    equal(await withCrit(list(int(3))), "malformed-envelope");
    equal(await withCrit(list(text("x"))), "malformed-envelope");
    equal(await withCrit(list(text("x")), ["x", int(1)]), "unsupported-critical-header");
    equal(await withCrit(list(int(-70001)), [-70001, int(1)]), "unsupported-critical-header");
    // The type of a name counts.
    equal(await withCrit(list(text("1"))), "malformed-envelope");
  });

  it("takes the type of the payload from what is signed alone", async () => {
    const statementOf = async (header: Bytes, unprotected = map()) => {
      const result = await verifyFormat(await sign1({ header, unprotected }), await trustOf());
      ok(result.ok);
      const { statement, envelope: { messageType } } = result;
      return "statement" in statement ? messageType?.value ?? "none" : statement.reason;
    };
    const alg: [number, Bytes] = [1, int(-8)];
    equal(await statementOf(map(alg, [3, int(50)])), "application/json");
    equal(await statementOf(map(alg, [3, int(0)])), "unsupported-payload-type");
    equal(await statementOf(map(alg, [3, int(11542)])), "unsupported-payload-type");
    equal(await statementOf(map(alg, [3, text("text/plain")])), "unsupported-payload-type");
    // A type that nobody signed does not say how to read it.
    equal(await statementOf(map(alg), map([3, text("text/plain")])), "none");
    for (const type of [bytes(ABC), int(-1), int(65536), list()]) {
      equal(await reason(await sign1({ header: map(alg, [3, type]) })), "malformed-envelope");
    }
  });

  it("has what is not signed in its report, and where it lies", async () => {
    const unprotected = map([4, bytes(utf8("key-1"))], ["note", text("\u001b[1m")], [7, list()]);
    const source = await sign1({ unprotected });
    const result = await verifyFormat(source, await trustOf());
    ok(result.ok);
    const [range] = result.envelope.uncovered ?? [];
    deepEqual(source.subarray(range.start, range.end), unprotected);
    deepEqual(result.envelope.unauthenticated, {
      header: { "4": "5 bytes", "note": "\ufffd[1m", "7": "a list of 0" },
    });
    ok("statement" in result.statement);
    equal(JSON.stringify(result.statement).includes("key-1"), false);
    const parsed = await parseFormat(source);
    deepEqual(parsed.signatures, [{ keyid: "key-1", algorithm: "Ed25519", bytes: 64 }]);
  });

  it("verifies a payload that lies elsewhere by its bytes", async () => {
    const source = await sign1({ detached: true, payload: ABC, header: map([1, int(-8)]) });
    const trust = await trustOf();
    equal(await both(source), "artifact-required");
    const digest = { sha256: ABC_SHA256 };
    equal(await verdict(source, { ...trust, detached: { digest } }), "artifact-required");
    const result = await verifyFormat(source, { ...trust, detached: { content: ABC, digest } });
    ok(result.ok);
    equal(result.envelope.coverage, "whole-artifact");
    deepEqual(result.envelope.detached, digest);
    const detached = { content: utf8("abd"), digest };
    equal(await verdict(source, { ...trust, detached }), "invalid-signature");
    equal((await parseFormat(source)).message, undefined);
    // Of another file what is inside says nothing, whoever signed it.
    const inside = await sign1();
    const beside = { ...trust, detached: { content: ABC, digest } };
    equal(await both(inside), "ok");
    equal(await verdict(inside, beside), "subject-mismatch");
    equal(await reason(inside, beside), "subject-mismatch");
    const content = utf8(JSON.stringify(STATEMENT));
    equal(await reason(inside, { ...trust, detached: { content, digest: {} } }), "ok");
    equal(await reason(await sign1({ name: "x" }), beside), "invalid-signature");
  });

  it("verifies what both sides know, if it is given", async () => {
    const source = await sign1({ externalData: ABC });
    const trust = await trustOf();
    equal(await reason(source, { ...trust, externalData: ABC }), "ok");
    equal(await reason(source, { ...trust, externalData: utf8("abd") }), "invalid-signature");
    equal(await reason(await sign1(), { ...trust, externalData: ABC }), "invalid-signature");
  });

  it("refuses options that it does not know, or that are not of their form", async () => {
    const source = await sign1();
    for (
      const options of [
        { formats: ["cose-sign1"] },
        { implicitAssertion: ABC },
        { externalAad: ABC },
        { untagged: 1 },
        { externalData: "abc" },
        { threshold: 0 },
        { keys: ["x"] },
        { now: 1 },
      ]
    ) await rejects(verifyCoseSign1(source, options as never), TypeError);
    await rejects(verifyCoseSign1("d284" as never, {}), TypeError);
  });
});

describe("verifyFormat() of COSE_Sign1 with certificates", () => {
  const own = async (key = "leaf-p256") => {
    const { sign } = await testKey(key);
    return async (data: Bytes) => raw("ES256", await sign(data));
  };
  const withChain = async (chain: Uint8Array[], header = map([1, int(-7)]), key?: string) =>
    await sign1({
      header,
      sign: await own(key),
      unprotected: map([33, chain.length === 1 ? bytes(chain[0]) : list(...chain.map(bytes))]),
    });
  const trust = async (identity = "CN=release", now = WITHIN) => ({
    now,
    certificates: createCertificateTrust({
      authorities: [(await authority()).root],
      identities: [identity],
    }),
  });

  it("accepts a chain to a trusted authority, of an expected holder, that is valid", async () => {
    const chain = await chainOf();
    const source = await withChain(chain);
    const result = await verifyFormat(source, await trust());
    ok(result.ok);
    equal(result.signers[0].name, "O=acme, CN=release");
    equal(await verdict(source, await trust("CN=other")), "identity-mismatch");
    equal(await verdict(source, await trust("CN=release", AFTER)), "certificate-not-valid");
    equal(await verdict(source, {}), "untrusted-certificate");
    equal(
      await verdict(await withChain(chain.slice(0, 1)), await trust()),
      "untrusted-certificate",
    );
    // In the protected header it is as good.
    const header = map([1, int(-7)], [33, list(...chain.map(bytes))]);
    equal(await verdict(await sign1({ header, sign: await own() }), await trust()), "ok");
  });

  it("accepts the certificate's own key alone, and one that is for signing code", async () => {
    const chain = await chainOf();
    equal(
      await verdict(await withChain(chain, undefined, "leaf-other"), await trust()),
      "invalid-signature",
    );
    // PS256, ES384 for P-384 alone, Ed25519; ES256 for P-256 alone.
    for (const alg of [-37, -51, -8]) {
      const header = map([1, int(alg)]);
      equal(await verdict(await withChain(chain, header), await trust()), "key-algorithm-mismatch");
    }
    equal(await verdict(await withChain(chain, map([1, int(-9)])), await trust()), "ok");
    for (
      const extensions of [
        [keyUsage("certificates"), basicConstraints(false)],
        [keyUsage("sign"), extendedKeyUsage(["1.3.6.1.5.5.7.3.1"])],
      ]
    ) {
      const other = await chainOf(extensions);
      equal(await verdict(await withChain(other), await trust()), "invalid-certificate-usage");
    }
  });

  it("reads a chain that is one", async () => {
    const chain = await chainOf();
    const reasonOf = async (value: Bytes) =>
      await verdict(
        await sign1({
          header: map([1, int(-7)]),
          sign: await own(),
          unprotected: map([33, value]),
        }),
        await trust(),
      );
    for (const value of [list(), text("x"), list(bytes(chain[0]), text("x")), map()]) {
      equal(await reasonOf(value), "malformed-envelope");
    }
    equal(await reasonOf(bytes(ABC)), "malformed-certificate");
    const most = (count: number) =>
      list(...[...chain, ...Array(count - 3).fill(chain[2])].map((one) => bytes(one)));
    equal(await reasonOf(most(16)), "ok");
    equal(await reasonOf(most(17)), "limit-exceeded");
  });

  it("needs no certificate where a key is trusted, and believes none that is not", async () => {
    const chain = await chainOf();
    const unprotected = map([33, list(...chain.map(bytes))]);
    const source = await sign1({ unprotected });
    equal(await verdict(source, await trustOf()), "ok");
    equal(await verdict(source, { ...await trustOf(), ...await trust("CN=other") }), "ok");
    const forged = await sign1({ unprotected: map([33, bytes(ABC)]) });
    equal(await verdict(forged, { ...await trustOf(), ...await trust() }), "ok");
    const stranger = await sign1({ name: "mallory", unprotected });
    equal(await verdict(stranger, await trustOf()), "invalid-signature");
    equal(
      await verdict(stranger, { ...await trustOf(), ...await trust() }),
      "key-algorithm-mismatch",
    );
  });
});

describe("identification of COSE", () => {
  const formatOf = async (source: Bytes) => (await parseFormat(source)).format;

  it("tells signed statements and receipts of SCITT by their parameters, not by their bytes", async () => {
    const alg: [number, Bytes] = [1, int(-8)];
    const claims: [number, Bytes] = [15, map([1, text("issuer")], [2, text("subject")])];
    equal(await formatOf(await sign1({ header: map(alg, claims) })), "scitt-statement");
    equal(await formatOf(await sign1({ header: map(alg, [395, int(1)]) })), "scitt-statement");
    for (const name of [394, 396]) {
      const unprotected = map([name, list(bytes(ABC))]);
      equal(await formatOf(await sign1({ unprotected })), "scitt-statement");
    }
    equal(await verdict(await sign1({ header: map(alg, claims) }), {}), "format-not-verified");
    // The same bytes inside a value say nothing.
    const lookalike = Uint8Array.of(0x0f, 0xa1, 0x01, 0x19, 0x01, 0x8b, 0x19, 0x01, 0x8a);
    equal(await formatOf(await sign1({ header: map(alg, [4, bytes(lookalike)]) })), "cose-sign1");
    equal(await formatOf(await sign1({ payload: lookalike })), "cose-sign1");
  });

  it("looks at what is cut off or forged without failing", async () => {
    const source = await sign1();
    for (let end = 0; end < 80; end++) {
      const answer = await verdict(source.slice(0, end), await trustOf());
      ok(answer === "unknown-format" || answer === "malformed-cbor", answer);
    }
    const huge = concat(source.subarray(0, 2), Uint8Array.of(0x5b), new Uint8Array(9).fill(0xff));
    equal(await verdict(huge, await trustOf()), "unknown-format");
    equal(ALG.Ed25519, -8);
  });
});

describe("every bit of a COSE_Sign1 document", () => {
  it("changes the verdict, or lies in what nobody signed", async () => {
    const unprotected = map([4, bytes(utf8("k"))]);
    const source = await sign1({ unprotected, header: map([1, int(-8)]), payload: ABC });
    const trust = await trustOf();
    const whole = await verifyFormat(source, trust);
    ok(whole.ok);
    const [{ start, end }] = whole.envelope.uncovered ?? [];
    for (let at = 0; at < source.length * 8; at++) {
      const changed = source.slice();
      changed[at >> 3] ^= 1 << (at & 7);
      const result = await verifyFormat(changed, trust);
      if (!result.ok) continue;
      ok(at >> 3 >= start && at >> 3 < end, `bit ${at}`);
      deepEqual(result.envelope.message, ABC);
    }
  });
});
