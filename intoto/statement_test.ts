import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { isProportional } from "../tests/fixtures/growth.ts";
import type { ResourceDescriptor } from "./resource_descriptor.ts";
import {
  createStatement,
  encodeStatement,
  parseStatement,
  type ParseStatementOptions,
  validateStatement,
} from "./statement.ts";

const SHA256 = "a".repeat(64);
const V1 = "https://in-toto.io/Statement/v1";
const V0_1 = "https://in-toto.io/Statement/v0.1";

function good(): Record<string, unknown> {
  return {
    _type: V1,
    subject: [{ name: "app.tgz", digest: { sha256: SHA256 } }],
    predicateType: "https://example.com/t/v1",
    predicate: { a: 1 },
  };
}

function faults(value: unknown, options?: ParseStatementOptions): string[] {
  return validateStatement(value, options).map(({ reason, path }) => `${reason} ${path}`);
}

/** Reason and place of the refusal, or "accepted". */
function outcome(act: () => unknown): string {
  try {
    act();
    return "accepted";
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    ok(/^[A-Z].*[^.]$/su.test(error.message), error.message);
    return `${error.reason} ${error.path ?? ""}`.trimEnd();
  }
}

function parsed(value: unknown, options?: ParseStatementOptions): string {
  return outcome(() => parseStatement(JSON.stringify(value), options));
}

describe("parseStatement()", () => {
  it("reads text, bytes and objects into the four members", () => {
    const wire = { x: 1, ...good(), type: "ignored" };
    const text = JSON.stringify(wire);
    for (const source of [text, new TextEncoder().encode(text), wire]) {
      deepEqual(JSON.parse(JSON.stringify(parseStatement(source))), good());
    }
  });

  it("leaves an absent or null predicate out", () => {
    for (const predicate of [undefined, null]) {
      ok(!("predicate" in parseStatement({ ...good(), predicate })));
    }
    deepEqual(parseStatement({ ...good(), predicate: {} }).predicate, {});
  });

  it("leaves members of subjects that are null out, and does not touch what it was given", () => {
    const subject = [{ name: null, uri: null, digest: { sha256: SHA256 } }, { digest: { a: "b" } }];
    const source = { ...good(), subject };
    deepEqual(parseStatement(source).subject, [
      { digest: { sha256: SHA256 } },
      { digest: { a: "b" } },
    ]);
    equal(source.subject[0].name, null);
    const nameless = { ...good(), subject: [subject[0]] };
    deepEqual(parseStatement(nameless).subject, [{ digest: { sha256: SHA256 } }]);
    const full = good();
    equal(parseStatement(full).subject, full.subject);
  });

  it("refuses every other _type, without normalising", () => {
    for (
      const _type of [
        `${V1}/`,
        `${V1}.0`,
        `${V1} `,
        "https://in-toto.io/Statement/v2",
        "https://in-toto.io/Statement/v0",
        "https://in-toto.io/statement/v1",
        "HTTPS://in-toto.io/Statement/v1",
        "http://in-toto.io/Statement/v1",
        "https://in-toto.io/Statement%2Fv1",
        "link",
        "layout",
        "",
      ]
    ) equal(parsed({ ...good(), _type }), "unsupported-statement-type /_type", _type);
    for (const _type of [undefined, null, 1, [V1]]) {
      equal(parsed({ ...good(), _type }), "malformed-statement /_type");
    }
    const { _type, ...rest } = good();
    equal(parsed({ ...rest, type: _type }), "malformed-statement /_type");
  });

  it("refuses what is no JSON object", () => {
    for (const value of [null, [], [good()], "x", 1, true]) {
      equal(parsed(value), "malformed-statement");
    }
    equal(outcome(() => parseStatement("")), "empty-input");
    equal(outcome(() => parseStatement("<!DOCTYPE html>")), "malformed-json");
    equal(outcome(() => parseStatement(JSON.stringify(good()).slice(0, -1))), "malformed-json");
  });

  it("refuses JSON that two readers could understand differently", () => {
    const text = JSON.stringify(good());
    const twice = text.replace(`"predicateType"`, `"predicateType":"other","predicateType"`);
    equal(outcome(() => parseStatement(twice)), "duplicate-json-key");
    const hidden = text.replace(`"subject"`, `"s\\u0075bject":[],"subject"`);
    equal(outcome(() => parseStatement(hidden)), "duplicate-json-key");
    equal(outcome(() => parseStatement(`\ufeff${text}`)), "malformed-json");
    const bytes = new TextEncoder().encode(text);
    bytes[text.indexOf("app")] = 0xff;
    equal(outcome(() => parseStatement(bytes)), "invalid-unicode");
    equal(outcome(() => parseStatement(text.replace("app", "\\ud800"))), "invalid-unicode");
  });

  it("asks for subjects, each with a digest", () => {
    for (const subject of [undefined, null, {}, "x"]) {
      equal(parsed({ ...good(), subject }), "malformed-statement /subject");
    }
    equal(parsed({ ...good(), subject: [] }), "missing-subject /subject");
    const first = { name: "a", digest: { sha256: SHA256 } };
    for (
      const second of [{}, { name: "b" }, { digest: null }, { digest: {} }, { content: "aGk=" }]
    ) {
      equal(
        parsed({ ...good(), subject: [first, second] }),
        "missing-subject-digest /subject/1/digest",
      );
    }
    for (const second of [null, 5, "x", [first]]) {
      equal(
        parsed({ ...good(), subject: [first, second] }),
        "malformed-resource-descriptor /subject/1",
      );
    }
    equal(
      parsed({ ...good(), subject: [first, { digest: [SHA256] }] }),
      "malformed-resource-descriptor /subject/1/digest",
    );
    equal(
      parsed({ ...good(), subject: [first, { digest: { sha256: SHA256.slice(1) } }] }),
      "invalid-digest /subject/1/digest/sha256",
    );
  });

  it("asks for a predicateType, any text", () => {
    equal(parsed({ ...good(), predicateType: "thePredicate" }), "accepted");
    for (const predicateType of [undefined, null, ""]) {
      equal(parsed({ ...good(), predicateType }), "missing-predicate-type /predicateType");
    }
    for (const predicateType of [1, {}, ["a"]]) {
      equal(parsed({ ...good(), predicateType }), "malformed-statement /predicateType");
    }
  });

  it("takes a predicate that is an object, and a string only when asked", () => {
    for (const predicate of ["SPDXVersion: SPDX-2.2", "", 0, false, []]) {
      equal(parsed({ ...good(), predicate }), "malformed-predicate /predicate");
    }
    const allowStringPredicate = true;
    equal(parseStatement({ ...good(), predicate: "x" }, { allowStringPredicate }).predicate, "x");
    for (const predicate of [0, false, []]) {
      equal(
        parsed({ ...good(), predicate }, { allowStringPredicate }),
        "malformed-predicate /predicate",
      );
    }
  });

  it("accepts the versions that it is told to", () => {
    equal(parsed({ ...good(), _type: V0_1 }), "accepted");
    const onlyV1: ParseStatementOptions = { acceptStatementTypes: [V1] };
    equal(parsed(good(), onlyV1), "accepted");
    equal(parsed({ ...good(), _type: V0_1 }, onlyV1), "unsupported-statement-type /_type");
  });

  it("wants names of v0.1 subjects unique, unless lenient; v1 does not", () => {
    const digest = { sha256: SHA256 };
    const lenient = { lenientSubjectNames: true };
    for (
      const [subject, refusal] of [
        [[{ digest }], "missing-subject-name /subject/0/name"],
        [[{ name: "", digest }], "missing-subject-name /subject/0/name"],
        [[{ name: "a", digest }, { name: null, digest }], "missing-subject-name /subject/1/name"],
        [[{ name: "_", digest }, { name: "_", digest }], "duplicate-subject-name /subject/1/name"],
      ] as const
    ) {
      equal(parsed({ ...good(), _type: V0_1, subject }), refusal);
      equal(parsed({ ...good(), _type: V0_1, subject }, lenient), "accepted");
      equal(parsed({ ...good(), subject }), "accepted");
    }
    const subject = [{ name: "__proto__", digest }, { name: "constructor", digest }];
    equal(parsed({ ...good(), _type: V0_1, subject }), "accepted");
  });

  it("keeps its limits: accepted at the limit, refused above", () => {
    const text = JSON.stringify(good());
    equal(outcome(() => parseStatement(text, { maxBytes: text.length })), "accepted");
    equal(outcome(() => parseStatement(text, { maxBytes: text.length - 1 })), "limit-exceeded");
    const subject = [{ digest: { a: "b" } }, { digest: { a: "b" } }];
    equal(parsed({ ...good(), subject }, { maxSubjects: 2 }), "accepted");
    equal(parsed({ ...good(), subject }, { maxSubjects: 1 }), "limit-exceeded /subject");
    const deep = `${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)}`;
    equal(
      outcome(() => parseStatement(text.replace(`{"a":1}`, deep))),
      "limit-exceeded",
    );
  });

  it("reads 100 000 subjects in time that grows with them, and refuses one more", async () => {
    const subjects = (count: number) =>
      Array.from({ length: count }, (_, i) => ({
        name: `f${i}`,
        digest: { sha256: i.toString(16).padStart(64, "0") },
      }));
    equal(parsed({ ...good(), subject: subjects(100_001) }), "limit-exceeded /subject");
    equal(parsed({ ...good(), _type: V0_1, subject: subjects(100_000) }), "accepted");
    const work = (count: number) => {
      const value = { ...good(), _type: V0_1, subject: subjects(count) };
      return () => equal(parsed(value), "accepted");
    };
    ok(await isProportional(work, 16_000));
  });

  it("prints untrusted text short and without controls", () => {
    throws(
      () => parseStatement({ ...good(), _type: `\u001b[2J${"x".repeat(100_000)}` }),
      (error: Error) => error.message.length < 400 && !error.message.includes("\u001b"),
    );
  });

  it("refuses options that it does not know", () => {
    const text = JSON.stringify(good());
    const misspelt = { acceptStatementType: [V1] } as ParseStatementOptions;
    throws(() => parseStatement(text, misspelt), TypeError);
    throws(() => validateStatement(good(), misspelt), TypeError);
    throws(() => parseStatement(text, { acceptStatementTypes: [] }), RangeError);
    const unknown = { acceptStatementTypes: [V1, `${V1}.1`] } as ParseStatementOptions;
    throws(() => parseStatement(text, unknown), RangeError);
    for (const limit of [0, -1, NaN, 1.5, Infinity]) {
      throws(() => parseStatement(text, { maxBytes: limit }), RangeError);
      throws(() => parseStatement(text, { maxSubjects: limit }), RangeError);
    }
  });
});

describe("validateStatement()", () => {
  it("lists all problems in order", () => {
    deepEqual(
      faults({
        _type: "x",
        subject: [{ name: 1 }, { digest: { sha256: "x", md5: 5 } }, null],
        predicateType: "",
      }),
      [
        "unsupported-statement-type /_type",
        "malformed-resource-descriptor /subject/0/name",
        "missing-subject-digest /subject/0/digest",
        "invalid-digest /subject/1/digest/sha256",
        "invalid-digest /subject/1/digest/md5",
        "malformed-resource-descriptor /subject/2",
        "missing-predicate-type /predicateType",
        "missing-predicate /predicate",
      ],
    );
    deepEqual(faults(good()), []);
    deepEqual(faults(null), ["malformed-statement "]);
  });

  it("reports a digest that is no object once", () => {
    deepEqual(faults({ ...good(), subject: [{ digest: "sha256:aa" }] }), [
      "malformed-resource-descriptor /subject/0/digest",
    ]);
  });

  it("asks for a predicate, which may be empty", () => {
    deepEqual(faults({ ...good(), predicate: null }), ["missing-predicate /predicate"]);
    deepEqual(faults({ ...good(), predicate: {} }), []);
  });

  it("lists every name that occurs twice in v0.1", () => {
    const subject = ["a", "b", "a", "a"].map((name) => ({ name, digest: { x: "y" } }));
    deepEqual(faults({ ...good(), _type: V0_1, subject }), [
      "duplicate-subject-name /subject/2/name",
      "duplicate-subject-name /subject/3/name",
    ]);
  });
});

describe("createStatement()", () => {
  const digest = { sha256: SHA256 };
  const type = "https://example.com/t/v1";

  function created(
    subject: ResourceDescriptor[],
    predicate?: object,
    predicateType = type,
  ): string {
    return outcome(() => createStatement({ subject, predicateType, predicate }));
  }

  it("makes a Statement v1 that shares nothing with what was given", () => {
    const subject = [{ name: "a", digest: { ...digest } }];
    const statement = createStatement({ subject, predicateType: type, predicate: { a: [1] } });
    deepEqual(statement, { _type: V1, subject, predicateType: type, predicate: { a: [1] } });
    subject[0].digest.sha256 = "changed";
    equal(statement.subject[0].digest?.sha256, SHA256);
    deepEqual(createStatement({ subject: [{ digest }], predicateType: type }).predicate, {});
  });

  it("refuses subjects that a strict reader would refuse", () => {
    equal(created([]), "missing-subject /subject");
    equal(
      created([null as unknown as ResourceDescriptor]),
      "malformed-resource-descriptor /subject/0",
    );
    equal(created([{ name: "a" }]), "missing-subject-digest /subject/0/digest");
    equal(created([{ digest: {} }]), "missing-subject-digest /subject/0/digest");
    const path = "/subject/0/digest/sha256";
    equal(created([{ digest: { sha256: SHA256.toUpperCase() } }]), `invalid-digest ${path}`);
    equal(created([{ digest: { sha256: `sha256:${SHA256}` } }]), `invalid-digest ${path}`);
    equal(created([{ digest, content: "?" }]), "invalid-base64 /subject/0/content");
    equal(
      created([{ name: "a", digest }, { name: "a", digest }]),
      "duplicate-subject-name /subject/1/name",
    );
    equal(
      created([{ uri: "a:b", digest }, { uri: "a:b", digest }]),
      "duplicate-subject-name /subject/1/uri",
    );
    equal(created([{ digest }, { digest }]), "accepted");
  });

  it("refuses URIs that are none, or not in the normal case", () => {
    equal(created([{ digest }], {}, ""), "missing-predicate-type /predicateType");
    for (
      const bad of [
        "plain",
        "/path",
        "//host/path",
        ":x",
        "1a:b",
        "https:",
        "https://a b",
        "https://a\n",
        "https://ä.example",
        "https://a/%zz",
        "https://a/%2",
        "https://a/<x>",
        "HTTPS://example.com",
        "https://Example.com/x",
        "https://example.com\\x",
      ]
    ) {
      equal(created([{ digest }], {}, bad), "invalid-uri /predicateType", bad);
      equal(created([{ digest, uri: bad }]), "invalid-uri /subject/0/uri", bad);
      equal(
        created([{ digest, downloadLocation: bad }]),
        "invalid-uri /subject/0/downloadLocation",
      );
    }
    for (
      const uri of [
        "pkg:npm/%40scope/a@1.0.0",
        "git+https://github.com/Owner/Repo@refs/tags/V1",
        "https://user@example.com:8443/A?B=C#D",
        "https://[::1]/x",
        "urn:uuid:6BA7B810-9DAD-11D1-80B4-00C04FD430C8",
        "https://example.com",
      ]
    ) equal(created([{ digest, uri }], {}, uri), "accepted", uri);
    const longest = `urn:${"x".repeat(8188)}`;
    equal(created([{ digest, uri: longest }]), "accepted");
    equal(created([{ digest, uri: `${longest}x` }]), "invalid-uri /subject/0/uri");
  });

  it("refuses what JSON cannot say", () => {
    const cycle: Record<string, unknown> = {};
    cycle.self = [cycle, cycle];
    equal(created([{ digest }], cycle).split(" ")[0], "limit-exceeded");
    for (
      const value of [
        undefined,
        NaN,
        Infinity,
        1n,
        Symbol("x"),
        () => 1,
        new Date(0),
        new Map(),
        new Uint8Array(1),
        new (class Local {})(),
      ]
    ) {
      equal(created([{ digest }], { a: { b: value } }), "malformed-predicate /predicate/a/b");
      equal(created([{ digest }], { a: [value] }), "malformed-predicate /predicate/a/0");
    }
    const plain = Object.assign(Object.create(null), { a: Object.create(null) });
    equal(created([{ digest }], plain), "accepted");
    equal(created([{ digest }], { toJSON: () => ({}) }), "malformed-predicate /predicate/toJSON");
    equal(created([{ digest }], { a: "\ud800" }), "invalid-unicode /predicate/a");
    equal(created([{ digest }], { "\udc00": 1 }), "invalid-unicode /predicate/\ufffd");
    equal(created([{ digest }], [1]), "malformed-predicate /predicate");
    equal(created([{ digest }], new Map()), "malformed-predicate /predicate");
    equal(
      created([{ digest, annotations: JSON.parse("{}"), name: "\udfff" }]),
      "invalid-unicode /subject/0/name",
    );
  });

  it("keeps names such as __proto__ as they are", () => {
    const predicate = JSON.parse(`{"__proto__":{"a":1},"constructor":2}`);
    const { predicate: copy } = createStatement({
      subject: [{ digest }],
      predicateType: type,
      predicate,
    });
    equal(JSON.stringify(copy), `{"__proto__":{"a":1},"constructor":2}`);
    equal(Object.getPrototypeOf(copy), Object.prototype);
  });

  it("refuses members that it does not know", () => {
    const misspelt = { subjects: [], subject: [{ digest }], predicateType: type };
    throws(() => createStatement(misspelt), TypeError);
  });
});

describe("encodeStatement()", () => {
  const subject = [{ name: "ä", digest: { sha256: SHA256 } }];

  it("writes UTF-8 without a mark, in one order of members", () => {
    const bytes = encodeStatement({
      predicate: { b: 1, a: 2 },
      predicateType: "a:b",
      subject,
      _type: V0_1,
    });
    equal(
      new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes),
      `{"_type":"${V0_1}","subject":[{"name":"ä","digest":{"sha256":"${SHA256}"}}],` +
        `"predicateType":"a:b","predicate":{"b":1,"a":2}}`,
    );
  });

  it("is read again as what was written", () => {
    const statement = createStatement({ subject, predicateType: "a:b", predicate: { x: [null] } });
    deepEqual(parseStatement(encodeStatement(statement)), statement);
    deepEqual(
      validateStatement(JSON.parse(new TextDecoder().decode(encodeStatement(statement)))),
      [],
    );
  });

  it("refuses what createStatement() refuses", () => {
    const statement = createStatement({ subject, predicateType: "a:b" });
    equal(
      outcome(() => encodeStatement({ ...statement, subject: [] })),
      "missing-subject /subject",
    );
    statement.subject[0] = { name: "no digest" };
    equal(outcome(() => encodeStatement(statement)), "missing-subject-digest /subject/0/digest");
  });

  it("writes nothing that is nested too deep to be read", () => {
    let predicate: Record<string, unknown> = {};
    for (let i = 0; i < 126; i++) predicate = { a: predicate };
    const deepest = createStatement({ subject, predicateType: "a:b", predicate });
    ok(parseStatement(encodeStatement(deepest)));
    const deeper = { subject, predicateType: "a:b", predicate: { a: predicate } };
    equal(outcome(() => createStatement(deeper)).split(" ")[0], "limit-exceeded");
  });
});
