import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { utf8 } from "../internal/bytes.ts";
import { type EnvelopeLimits, parseEnvelope } from "./envelope.ts";

const GOOD = { payload: "e30=", payloadType: "t", signatures: [{ sig: "AAEC", keyid: "k" }] };

/** Reason and place of the refusal, or `ok`. */
function outcome(source: string | Uint8Array | object, limits?: EnvelopeLimits): string {
  try {
    parseEnvelope(source, limits);
    return "ok";
  } catch (error) {
    if (isAttestationError(error)) return `${error.reason} ${error.path ?? "-"}`;
    throw error;
  }
}

/** The same of GOOD with members changed, as object, text and bytes alike. */
function changed(members: object): string {
  const value = { ...GOOD, ...members };
  const found = outcome(value);
  equal(outcome(JSON.stringify(value)), found);
  equal(outcome(utf8(JSON.stringify(value))), found);
  return found;
}

describe("parseEnvelope()", () => {
  it("decodes payload and signatures, in either alphabet, padded or not", () => {
    deepEqual(parseEnvelope(GOOD), {
      payloadType: "t",
      payload: utf8("{}"),
      signatures: [{ sig: Uint8Array.of(0, 1, 2), keyid: "k" }],
    });
    const mixed = { payload: "_-8", payloadType: "", signatures: [{ sig: "/+8=" }, { sig: "" }] };
    deepEqual(parseEnvelope(mixed), {
      payloadType: "",
      payload: Uint8Array.of(0xff, 0xef),
      signatures: [{ sig: Uint8Array.of(0xff, 0xef), keyid: "" }, {
        sig: new Uint8Array(0),
        keyid: "",
      }],
    });
  });

  it("wants its members, of their types (envelope.md, Standard JSON envelope)", () => {
    equal(changed({}), "ok");
    equal(changed({ payload: "" }), "ok");
    equal(changed({ payloadType: "" }), "ok");
    for (const bad of [undefined, null, 1, {}, [], true]) {
      equal(changed({ payload: bad }), "malformed-envelope /payload");
      equal(changed({ payloadType: bad }), "malformed-envelope /payloadType");
    }
    for (const bad of [undefined, null, {}, "x", 1, { 0: { sig: "" }, length: 1 }]) {
      equal(changed({ signatures: bad }), "malformed-envelope /signatures");
    }
    equal(changed({ signatures: [] }), "missing-signatures /signatures");
    for (const bad of [null, "x", 1, [], ["AA=="]]) {
      equal(changed({ signatures: [{ sig: "" }, bad] }), "malformed-envelope /signatures/1");
    }
    for (const bad of [undefined, null, 1, {}, ["AA=="]]) {
      equal(changed({ signatures: [{ sig: bad }] }), "malformed-envelope /signatures/0/sig");
    }
    for (const bad of [1, {}, [], false]) {
      equal(
        changed({ signatures: [{ sig: "", keyid: bad }] }),
        "malformed-envelope /signatures/0/keyid",
      );
    }
    for (const absent of [undefined, null, ""]) {
      equal(changed({ signatures: [{ sig: "", keyid: absent }] }), "ok");
    }
  });

  it("ignores unknown members at every level", () => {
    equal(changed({ x: 1, signatures: [{ sig: "", cert: "c", ext: {} }] }), "ok");
  });

  it("refuses base64 that is not strict, and says where", () => {
    for (const bad of ["e30 ", "e3", "e30==", "e31=", "e3=0", "e30=\n", "+-AA", "\u00e9", "e"]) {
      equal(changed({ payload: bad }), "invalid-base64 /payload", bad);
      equal(
        changed({ signatures: [{ sig: "AA==" }, { sig: bad }] }),
        "invalid-base64 /signatures/1/sig",
        bad,
      );
    }
  });

  it("refuses what is no JSON object, and what strict JSON refuses", () => {
    for (const bad of ["[]", "null", "1", '"x"', JSON.stringify([GOOD])]) {
      equal(outcome(bad), "malformed-envelope ", bad);
    }
    equal(outcome([]), "malformed-envelope ");
    equal(outcome(""), "empty-input -");
    equal(outcome("<html>"), "malformed-json -");
    equal(outcome(JSON.stringify(GOOD).slice(0, -1)), "malformed-json -");
    equal(outcome("\ufeff" + JSON.stringify(GOOD)), "malformed-json -");
    equal(
      outcome('{"payload":"","payload":"","payloadType":"","signatures":[]}'),
      "duplicate-json-key -",
    );
    equal(
      outcome('{"payload":"","p\\u0061yload":"e30=","payloadType":"","signatures":[]}'),
      "duplicate-json-key -",
    );
    equal(outcome(Uint8Array.of(0x7b, 0xff)), "invalid-unicode -");
    equal(changed({ payloadType: "\ud800" }), "invalid-unicode -");
    equal(outcome(`{"x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`), "limit-exceeded -");
  });

  it("is not a metablock of in-toto's own", () => {
    equal(
      outcome({ signed: { _type: "link" }, signatures: [{ keyid: "k", sig: "00" }] }),
      "malformed-envelope /payload",
    );
  });

  it("refuses objects that cannot be read, or hold what JSON cannot", () => {
    equal(
      outcome({
        ...GOOD,
        get payload(): string {
          throw new Error("no");
        },
      }),
      "malformed-json -",
    );
    equal(outcome(new Proxy([], {})), "malformed-envelope ");
    const hole: unknown[] = [];
    hole.length = 1;
    equal(outcome({ ...GOOD, signatures: hole }), "malformed-json -");
    equal(outcome({ ...GOOD, payload: 1n }), "malformed-json -");
  });

  it("reads each member once", () => {
    let reads = 0;
    const source = {
      ...GOOD,
      get payload(): string {
        return ++reads === 1 ? "e30=" : "AAAA";
      },
    };
    deepEqual(parseEnvelope(source).payload, utf8("{}"));
    equal(reads, 1);
  });

  it("bounds payload and signatures, at the limit and over it", () => {
    for (let max = 1; max < 8; max++) {
      for (let length = 0; length < 12; length++) {
        const padded = encodeBase64(new Uint8Array(length));
        for (const payload of [padded, padded.replace(/=+$/, "")]) {
          const found = outcome({ ...GOOD, payload }, { maxPayloadBytes: max });
          equal(found, length <= max ? "ok" : "limit-exceeded /payload", `${length} of ${max}`);
        }
      }
    }
    const signatures = (count: number) => ({
      ...GOOD,
      signatures: Array(count).fill({ sig: "AA==" }),
    });
    equal(outcome(signatures(64)), "ok");
    equal(outcome(signatures(65)), "limit-exceeded /signatures");
    equal(outcome(JSON.stringify(signatures(100_000))), "limit-exceeded /signatures");
    equal(outcome(signatures(3), { maxSignatures: 2 }), "limit-exceeded /signatures");
    const long = { ...GOOD, payload: "A".repeat(((16 << 20) / 4 + 1) * 4 * 4 / 3 & ~3) };
    equal(outcome(long), "limit-exceeded /payload");
    equal(outcome(`{"x":"${"A".repeat(100 << 20)}"}`), "limit-exceeded -");
  });

  it("throws for limits that bound nothing", () => {
    for (const bad of [NaN, 0, -1, 1.5, Infinity]) {
      throws(() => parseEnvelope(GOOD, { maxPayloadBytes: bad }), TypeError);
      throws(() => parseEnvelope(GOOD, { maxSignatures: bad }), TypeError);
    }
    const misspelt: object = { maxPayload: 1 };
    throws(() => parseEnvelope(GOOD, misspelt), TypeError);
    equal(outcome(GOOD, { maxPayloadBytes: undefined }), "ok");
  });
});
