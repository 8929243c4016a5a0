import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Envelope } from "../dsse/mod.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeBase64, encodeBase64Url } from "../internal/base64.ts";
import type { TrustedKey } from "../keys/mod.ts";
import { ABC, ABC_SHA256, brief, ciKey, signed, statementAbout } from "./_fixtures_test.ts";
import {
  type AttestationInput,
  type VerificationReport,
  verify,
  type VerifyOptions,
} from "./mod.ts";

async function run(
  input: AttestationInput | AttestationInput[],
  options: VerifyOptions = {},
): Promise<VerificationReport> {
  const { trustedKey } = await ciKey();
  return await verify(input, ABC, { ...options, trust: { keys: [trustedKey] } });
}

/** Source, format and verdict of each attestation. */
async function read(
  input: AttestationInput | AttestationInput[],
  options?: VerifyOptions,
): Promise<string[]> {
  const report = await run(input, options);
  equal(report.artifacts.length, 1);
  equal(report.ok, report.artifacts[0].attestations.some((one) => one.ok));
  return report.artifacts[0].attestations.map(({ source, format, errorReason }) =>
    `${source} ${format} ${errorReason ?? "ok"}`
  );
}

/** The same while the prototype of its kind has members that it should not have. */
async function readWith(members: object, input: string | Uint8Array): Promise<string[]> {
  const { prototype } = typeof input === "string" ? String : Uint8Array;
  Object.assign(prototype, members);
  try {
    return await read(input);
  } finally {
    for (const name of Object.keys(members)) Reflect.deleteProperty(prototype, name);
  }
}

function good(): Promise<Envelope> {
  return signed(statementAbout(["abc"]));
}

describe("verify() reads an attestation", () => {
  it("as object, text and bytes, with a name or without", async () => {
    const envelope = await good();
    const text = JSON.stringify(envelope);
    for (
      const input of [envelope, text, utf8(text), JSON.stringify(envelope, null, 2), ` ${text}\n\n`]
    ) {
      deepEqual(await read(input), ["attestation 1 dsse ok"]);
      deepEqual(await read({ source: "a.json", content: input }), ["a.json dsse ok"]);
    }
  });

  it("of a list, whatever the others are", async () => {
    const envelope = await good();
    deepEqual(
      await read([envelope, "", "<html>", { source: "x", content: "{" }, JSON.stringify(envelope)]),
      [
        "attestation 1 dsse ok",
        "attestation 2 unknown empty-input",
        "attestation 3 unknown unknown-format",
        "x unknown malformed-json",
        "attestation 5 dsse ok",
      ],
    );
  });

  it("of JSON Lines, where a bad line hides no other, not even as the first", async () => {
    const line = JSON.stringify(await good());
    const bad: [string, string][] = [
      ["JUNK", "malformed-json"],
      [line.slice(0, -1), "malformed-json"],
      ["\ufeff" + line, "malformed-json"],
      ['{"a":1,"a":2}', "duplicate-json-key"],
      ["{}", "unknown-format"],
      ["[]", "unknown-format"],
      ['"}', "malformed-json"],
      [`${"[".repeat(500)}`, "limit-exceeded"],
    ];
    for (const [junk, reason] of bad) {
      for (const end of ["\n", "\r\n"]) {
        for (const encode of [(text: string) => text, utf8]) {
          deepEqual(await read(encode([junk, line, "", line].join(end))), [
            `attestation 1#1 unknown ${reason}`,
            "attestation 1#2 dsse ok",
            "attestation 1#4 dsse ok",
          ], junk);
          deepEqual(await read(encode([line, junk, line, ""].join(end))), [
            "attestation 1#1 dsse ok",
            `attestation 1#2 unknown ${reason}`,
            "attestation 1#3 dsse ok",
          ], junk);
        }
      }
    }
    deepEqual(await read(`\n\n${line}\n${line}`), [
      "attestation 1#3 dsse ok",
      "attestation 1#4 dsse ok",
    ]);
    const invalid = new Uint8Array([0x7b, 0xff, 0x7d, 0x0a, ...utf8(`${line}\n`)]);
    deepEqual(await read(invalid), [
      "attestation 1#1 unknown invalid-unicode",
      "attestation 1#2 dsse ok",
    ]);
    // The first line does not even end as an object does.
    deepEqual(await read(new Uint8Array([0x7b, 0xff, 0x0a, ...utf8(`${line}\n`)])), [
      "attestation 1#1 unknown invalid-unicode",
      "attestation 1#2 dsse ok",
    ]);
  });

  it("that has the member of a registry's answer, as an envelope", async () => {
    // Otherwise an empty list would hide what is signed, and a number would not be one.
    for (const attestations of [[], 1, [{}], null]) {
      const envelope = { ...await good(), attestations };
      deepEqual(await read(envelope as unknown as AttestationInput), ["attestation 1 dsse ok"]);
      deepEqual(await read(JSON.stringify(envelope)), ["attestation 1 dsse ok"]);
    }
  });

  it("and takes for its name nothing but a text beside a content", async () => {
    const envelope = await good();
    const input = (value: object) => value as unknown as AttestationInput;
    deepEqual(await read(input({ content: envelope })), ["attestation 1 unknown unknown-format"]);
    deepEqual(await read(input({ source: 7, content: envelope })), [
      "attestation 1 unknown unknown-format",
    ]);
    deepEqual(await read(input({ source: "a.json" })), ["attestation 1 unknown unknown-format"]);
    deepEqual(await read(input({ source: "a.json", content: envelope })), ["a.json dsse ok"]);
  });

  it("and nothing instead of the text or bytes that are given", async () => {
    const other = { source: "a.json", content: await good() };
    const unread = ["attestation 1 unknown malformed-json"];
    deepEqual(await read(Object.assign(utf8("[]x"), other)), unread);
    const called = Object.assign(() => "", other) as unknown as AttestationInput;
    deepEqual(await read(called), unread);
    const loaded = await Promise.all(["[]x", utf8("[]x")].map((input) => readWith(other, input)));
    deepEqual(loaded, [unread, unread]);
  });

  it("of the answers of npm and GitHub, and of the report of gh", async () => {
    const bundle = { mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json" };
    const envelope = await good();
    const lists = [
      { attestations: [{ predicateType: "x", bundle }, { predicateType: "y", bundle: envelope }] },
      { attestations: [{ bundle, repository_id: 1 }, { bundle: envelope }] },
      [{ attestation: { bundle }, verificationResult: {} }, { attestation: { bundle: envelope } }],
      [{ attestation: bundle }, { attestation: envelope }],
      [bundle, envelope],
    ];
    for (const list of lists) {
      const found = [
        "s#1 sigstore-bundle malformed-sigstore-bundle",
        "s#2 dsse ok",
      ];
      deepEqual(await read({ source: "s", content: JSON.stringify(list) }), found);
      deepEqual(await read({ source: "s", content: JSON.stringify(list, null, 1) }), found);
      deepEqual(await read({ source: "s", content: list }), found);
    }
    // Parsed already, a list is as many attestations.
    deepEqual(await read(lists[2] as object[]), [
      "attestation 1 sigstore-bundle malformed-sigstore-bundle",
      "attestation 2 dsse ok",
    ]);
    deepEqual(await read("[]"), []);
    equal(brief(await run("[]")), "attestation-not-found: attestation-not-found[]");
  });

  it("and says what else it was given", async () => {
    const rows: [string, string][] = [
      ["", "empty-input"],
      [" \n \n", "empty-input"],
      ["<!DOCTYPE html>\n<html>{}\n</html>", "unknown-format"],
      ["<html></html>", "unknown-format"],
      ["-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "unknown-format"],
      ["{}", "unknown-format"],
      ["null", "unknown-format"],
      ["1", "unknown-format"],
      ['"text"', "unknown-format"],
      ['{"mediaType":"application/vnd.dev.sigstore.bundle.v9+json"}', "unsupported-bundle-version"],
      ['{"payload":"","payloadType":"","signatures":[]}', "missing-signatures"],
      ['{"payload":"!","payloadType":"","signatures":[{"sig":""}]}', "invalid-base64"],
      ['{"a":1,"a":1}', "duplicate-json-key"],
      ["[".repeat(10_000), "limit-exceeded"],
      ['{"x":'.repeat(10_000), "limit-exceeded"],
      ["\ufeff{}", "malformed-json"],
      ["\0", "malformed-json"],
      ['{"\\ud800":1}', "invalid-unicode"],
    ];
    for (const [text, reason] of rows) {
      equal(brief(await run(text)), `${reason}: ${reason}[${reason}]`, text.slice(0, 60));
    }
    const bytes = Uint8Array.of(0x1f, 0x8b, 8, 0);
    equal((await run(bytes)).errorReason, "invalid-unicode");
  });

  it("cut anywhere: with a reason", async () => {
    const text = JSON.stringify(await good());
    for (let length = 0; length < text.length; length++) {
      const report = await run(text.slice(0, length));
      equal(report.ok, false);
      equal(report.errorReason, length === 0 ? "empty-input" : "malformed-json");
    }
  });

  it("with marks of two formats as none", async () => {
    const envelope = await good();
    const bundle = { ...envelope, mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json" };
    deepEqual(await read(bundle), ["attestation 1 unknown ambiguous-format"]);
    // Not opened: the outer object is an attestation itself.
    const other = await signed(statementAbout(["other"]));
    deepEqual(await read({ ...other, attestation: envelope, bundle: envelope }), [
      "attestation 1 dsse subject-mismatch",
    ]);
  });
});

describe("verify() bounds what it reads", () => {
  it("bytes, signatures and subjects: at the limit and over it", async () => {
    const text = JSON.stringify(await good());
    const limit = async (limits: VerifyOptions["limits"], input: AttestationInput = text) =>
      (await run(input, { limits })).errorReason;
    equal(await limit({ maxAttestationBytes: text.length }), null);
    equal(await limit({ maxAttestationBytes: text.length - 1 }), "limit-exceeded");
    equal(await limit({ maxAttestationBytes: undefined, maxAttestations: undefined }), null);
    const list = `[${"1,".repeat(100_000)}1]`;
    equal(await limit({ maxAttestations: undefined }, list), "limit-exceeded");
    const three = await signed(statementAbout(["abc", "b", "c"]));
    equal(await limit({ maxSubjects: 3 }, three), null);
    equal(await limit({ maxSubjects: 2 }, three), "limit-exceeded");
    const envelope = await good();
    const twice = { ...envelope, signatures: [...envelope.signatures, ...envelope.signatures] };
    equal(await limit({ maxSignatures: 2 }, twice), null);
    equal(await limit({ maxSignatures: 1 }, twice), "limit-exceeded");
    const many = { ...envelope, signatures: Array(65).fill(envelope.signatures[0]) };
    equal(await limit({}, many), "limit-exceeded");
    equal(await limit({ maxSignatures: 65 }, many), null);
  });

  it("attestations of one call, in whatever way they come", async () => {
    const line = JSON.stringify(await good());
    const lines = (count: number) => Array(count).fill(line).join("\n");
    const limits = { maxAttestations: 3 };
    const tooMany = async (input: AttestationInput | AttestationInput[]) => {
      const { artifacts: [{ attestations }] } = await run(input, { limits });
      ok(attestations.filter((one) => one.errorReason === null).length <= 3);
      return attestations.some((one) => one.errorReason === "limit-exceeded");
    };
    equal(await tooMany([line, line, line]), false);
    equal(await tooMany([line, line, line, line]), true);
    equal(await tooMany(lines(3)), false);
    equal(await tooMany(lines(4)), true);
    equal(await tooMany([lines(2), lines(2)]), true);
    equal(await tooMany([lines(2), line]), false);
    equal(await tooMany(`[${Array(3).fill(line).join()}]`), false);
    equal(await tooMany(`[${Array(4).fill(line).join()}]`), true);
  });
});

describe("verify() fails closed", () => {
  it("when a key throws, or answers something that is not true", async () => {
    const { trustedKey } = await ciKey();
    const answers: (() => unknown)[] = [
      () => {
        throw new Error("boom");
      },
      () => Promise.reject(new Error("boom")),
      () => 1,
      () => "true",
      () => ({}),
      () => undefined,
    ];
    for (const verifyWith of answers) {
      const key = { ...trustedKey, verify: verifyWith as TrustedKey["verify"] };
      const report = await verify(await good(), ABC, { trust: { keys: [key] } });
      equal(brief(report), "invalid-signature: invalid-signature[invalid-signature]");
    }
  });

  it("when the artifact's stream fails: no report", async () => {
    const { trustedKey } = await ciKey();
    const failing = () =>
      new ReadableStream<Uint8Array>({
        start(controller) {
          controller.enqueue(ABC);
        },
        pull(controller) {
          controller.error(new RangeError("disk"));
        },
      });
    const locked = new Blob([ABC]).stream();
    locked.getReader();
    const texts = new ReadableStream({
      start(controller) {
        controller.enqueue("abc");
        controller.close();
      },
    });
    for (const stream of [failing(), locked, texts]) {
      let found: string;
      try {
        found = brief(await verify(await good(), stream, { trust: { keys: [trustedKey] } }));
      } catch (error) {
        found = error instanceof Error ? error.name : "thrown";
      }
      ok(found === "RangeError" || found === "TypeError", found);
    }
    const many = verify(await good(), [ABC, failing()], { trust: { keys: [trustedKey] } });
    equal(await many.then(() => "answered", (error) => error.message), "disk");
  });

  it("on attestations that are hostile objects", async () => {
    const envelope = await good();
    const thrower = (): never => {
      throw new TypeError("no");
    };
    const handlers: ProxyHandler<object>[] = [
      { get: thrower },
      { ownKeys: thrower },
      { has: thrower },
      { getOwnPropertyDescriptor: thrower },
    ];
    const circle: { payload: string; signatures: unknown[] } = { payload: "", signatures: [] };
    circle.signatures.push(circle);
    const hostile: unknown[] = [
      null,
      undefined,
      1,
      true,
      1n,
      Symbol("s"),
      () => envelope,
      new Map(Object.entries(envelope)),
      new Date(),
      new ArrayBuffer(8),
      Promise.resolve(envelope),
      Object.create(envelope),
      { toJSON: () => envelope },
      circle,
      { ...envelope, payload: new String(envelope.payload) },
      { ...envelope, signatures: { length: 1, 0: envelope.signatures[0] } },
      { ...envelope, signatures: new Array(1) },
      // deno-lint-ignore no-sparse-arrays
      [, 1],
      new Array(3),
      {
        ...envelope,
        get payload(): never {
          return thrower();
        },
      },
      {
        get source(): never {
          return thrower();
        },
        content: envelope,
      },
      { source: "x", content: null },
      { source: "x", content: () => envelope },
      ...handlers.slice(0, 2).map((handler) => new Proxy(envelope, handler)),
    ];
    for (const input of hostile) {
      for (const form of [input, [input]]) {
        const report = await run(form as AttestationInput);
        equal(report.ok, false);
        ok(report.errorReason !== null);
        ok(
          report.artifacts.every((one) => !one.ok && one.attestations.every((inner) => !inner.ok)),
        );
        JSON.stringify(report);
      }
    }
    for (const handler of handlers.slice(2)) {
      const report = await run(new Proxy(envelope, handler));
      equal(typeof report.ok, "boolean");
    }
  });

  it("on nothing, with the reason that it is no attestation", async () => {
    for (const nothing of [null, 1, true, {}, []]) {
      const input = nothing as AttestationInput;
      const report = await run([input]);
      equal(
        report.errorReason,
        Array.isArray(nothing) ? "attestation-not-found" : "unknown-format",
      );
    }
  });

  it("on a getter that says one thing to the check and another to the report", async () => {
    const right = await signed(statementAbout(["abc"]));
    const evil = encodeBase64(
      utf8(JSON.stringify(statementAbout(["abc"], { predicate: { evil: true } }))),
    );
    for (const name of ["payload", "payloadType", "signatures"] as const) {
      for (let turn = 0; turn < 6; turn++) {
        let reads = 0;
        const forged = { payload: evil, payloadType: "x", signatures: [{ sig: "AAAA" }] };
        const input = Object.defineProperty({ ...right }, name, {
          enumerable: true,
          get: () => reads++ === turn ? forged[name] : right[name],
        });
        for (const form of [input, { source: "s", content: input }, [input]]) {
          reads = 0;
          const report = await run(form);
          ok(reads <= 1, `${name} was read ${reads} times`);
          const [{ attestations: [one] }] = report.artifacts;
          if (one.ok) deepEqual(one.statement?.predicate, {});
        }
      }
    }
  });

  it("on every bit of a small attestation: the same payload and verdict, or none", async () => {
    const envelope = await good();
    const text = utf8(JSON.stringify(envelope));
    const { trustedKey } = await ciKey();
    const artifact = { digest: { sha256: ABC_SHA256 } };
    const inputs: Uint8Array[] = [];
    for (let bit = 0; bit < text.length * 8; bit++) {
      const changed = text.slice();
      changed[bit >> 3] ^= 1 << (bit & 7);
      inputs.push(changed);
    }
    const report = await verify(inputs, artifact, { trust: { keys: [trustedKey] } });
    const accepted = report.artifacts[0].attestations.filter((one) => one.ok);
    const payload = JSON.parse(JSON.stringify(statementAbout(["abc"])));
    for (const one of accepted) deepEqual(one.statement, payload);
    // What may change: the key id and the name of its member.
    ok(accepted.length <= 8 * '"keyid":"k"'.length, String(accepted.length));
    const urlSafe = { ...envelope, payload: encodeBase64Url(utf8(JSON.stringify(payload))) };
    equal((await run(urlSafe)).ok, true);
  });
});
