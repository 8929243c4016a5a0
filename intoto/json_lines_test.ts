import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
  throws,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { type JsonLinesOptions, type JsonLinesSource, readJsonLines } from "./json_lines.ts";

const encoder = new TextEncoder();

/** Each line as `number:text` or `number:reason`. */
async function read(source: JsonLinesSource, options?: JsonLinesOptions): Promise<string[]> {
  const found: string[] = [];
  for await (const line of readJsonLines(source, options)) {
    if (line.ok) {
      equal(line.errorReason, null);
      deepEqual(JSON.parse(line.text), line.value);
    } else {
      equal(line.error.reason, line.errorReason);
      ok(line.error.message.startsWith(`Cannot read line ${line.line}: `));
    }
    found.push(`${line.line}:${line.ok ? line.text : line.errorReason}`);
  }
  return found;
}

async function* chunks(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  // One buffer for all chunks, as readers that reuse theirs do.
  const buffer = new Uint8Array(size);
  for (let at = 0; at < bytes.length; at += size) {
    const part = bytes.subarray(at, at + size);
    buffer.set(part);
    yield buffer.subarray(0, part.length);
    buffer.fill(0);
  }
}

function stream(bytes: Uint8Array, size: number): ReadableStream<Uint8Array> {
  const source = chunks(bytes, size);
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await source.next();
      if (done) controller.close();
      else controller.enqueue(value.slice());
    },
  });
}

/** The same content through every kind of source, in chunks of several sizes. */
async function readEverywhere(
  content: Uint8Array,
  options?: JsonLinesOptions,
): Promise<string[]> {
  const expected = await read(content, options);
  for (const size of [1, 2, 3, 7, 64, 1 << 16]) {
    deepEqual(await read(chunks(content, size), options), expected, `chunks of ${size}`);
    deepEqual(await read(stream(content, size), options), expected, `stream of ${size}`);
  }
  deepEqual(await read(new Blob([content.slice()]), options), expected, "blob");
  return expected;
}

function bytes(...parts: (string | number[])[]): Uint8Array {
  return Uint8Array.from(
    parts.flatMap((part) => typeof part === "string" ? [...encoder.encode(part)] : part),
  );
}

describe("readJsonLines()", () => {
  it("reads one object per line, with and without a last newline", async () => {
    for (const end of ["", "\n", "\r\n", "\r", "\n\n\n"]) {
      const text = `{"a":1}\n{"b":2}\r\n{"c":3}${end}`;
      const expected = [`1:{"a":1}`, `2:{"b":2}`, `3:{"c":3}`];
      deepEqual(await readEverywhere(encoder.encode(text)), expected);
      deepEqual(await read(text), expected);
    }
  });

  it("passes over blank lines and counts them", async () => {
    const text = `\n\r\n  \t \n{"a":1}\n\n \r\n{"b":2}\n \t`;
    const expected = [`4:{"a":1}`, `7:{"b":2}`];
    deepEqual(await readEverywhere(encoder.encode(text)), expected);
    deepEqual(await read(text), expected);
    for (const empty of ["", "\n", "\r\n", " ", "\n\n"]) {
      deepEqual(await readEverywhere(encoder.encode(empty)), []);
      deepEqual(await read(empty), []);
    }
  });

  it("reports each bad line and reads its neighbours", async () => {
    const bad: [string, string][] = [
      ["JUNK", "malformed-json"],
      [`{"a":1}{"b":2}`, "malformed-json"],
      [`{"a":`, "malformed-json"],
      [`{"a":1,"a":2}`, "duplicate-json-key"],
      [`{"a":"\\ud800"}`, "invalid-unicode"],
      [`{"a":1e999}`, "malformed-json"],
      [`${"[".repeat(200)}${"]".repeat(200)}`, "limit-exceeded"],
      ["[]", "unknown-format"],
      ["null", "unknown-format"],
      [`"text"`, "unknown-format"],
      ["\u00a0", "malformed-json"],
      ["\ufeff", "malformed-json"],
      ["<html>", "malformed-json"],
    ];
    for (const [line, reason] of bad) {
      const text = `{"a":1}\n${line}\n{"b":2}\n`;
      const expected = [`1:{"a":1}`, `2:${reason}`, `3:{"b":2}`];
      deepEqual(await readEverywhere(encoder.encode(text)), expected, line);
      deepEqual(await read(text), expected, line);
    }
  });

  it("refuses a byte order mark on its line only", async () => {
    const text = `\ufeff{"a":1}\n{"b":2}`;
    deepEqual(await readEverywhere(encoder.encode(text)), ["1:malformed-json", `2:{"b":2}`]);
    deepEqual(await read(text), ["1:malformed-json", `2:{"b":2}`]);
  });

  it("refuses invalid UTF-8 on its line only", async () => {
    for (const sequence of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xe2, 0x82], [0xf5]]) {
      const content = bytes(`{"a":1}\n{"b":"`, sequence, `"}\n{"c":3}`);
      deepEqual(await readEverywhere(content), [`1:{"a":1}`, "2:invalid-unicode", `3:{"c":3}`]);
    }
    const content = bytes(`{"a":"`, [0xe2, 0x82], `\n`, [0xac], `"}\n{"c":3}`);
    deepEqual(await readEverywhere(content), [
      "1:invalid-unicode",
      "2:invalid-unicode",
      `3:{"c":3}`,
    ]);
    deepEqual(await read(`{"a":"\ud800"}\n{"b":2}`), ["1:invalid-unicode", `2:{"b":2}`]);
  });

  it("puts characters together that chunks cut", async () => {
    const text = `{"a":"ä€😀"}\n{"😀":"\u2028\u0085"}\n`;
    deepEqual(await readEverywhere(encoder.encode(text)), [
      `1:{"a":"ä€😀"}`,
      `2:{"😀":"\u2028\u0085"}`,
    ]);
  });

  it("puts long lines together that chunks cut", async () => {
    const long = Array.from({ length: 20_000 }, (_, i) => i).join();
    const lines = [`{"a":"${long}"}`, `{"b":1}`, `{"c":"${long}","d":"${long}"}`];
    const expected = lines.map((line, i) => `${i + 1}:${line}`);
    deepEqual(await readEverywhere(encoder.encode(lines.join("\n"))), expected);
  });

  it("breaks lines at newlines only", async () => {
    const text = `{"a":\r1}\n{"b":"\u2028\u2029\u0085"}`;
    deepEqual(await readEverywhere(encoder.encode(text)), [
      `1:{"a":\r1}`,
      `2:{"b":"\u2028\u2029\u0085"}`,
    ]);
  });

  it("reports a line that is too long and goes on after it", async () => {
    const fits = `{"a":"€€"}`;
    const maxLineBytes = encoder.encode(fits).length;
    const long = `{"a":"€€€"}`;
    for (const newline of ["\n", "\r\n"]) {
      const text = [fits, long, fits, long, long, fits].join(newline);
      const expected = [
        `1:${fits}`,
        "2:limit-exceeded",
        `3:${fits}`,
        "4:limit-exceeded",
        "5:limit-exceeded",
        `6:${fits}`,
      ];
      deepEqual(await readEverywhere(encoder.encode(text), { maxLineBytes }), expected);
      deepEqual(await read(text, { maxLineBytes }), expected);
    }
    const last = `${fits}\n${long}`;
    const expected = [`1:${fits}`, "2:limit-exceeded"];
    deepEqual(await readEverywhere(encoder.encode(last), { maxLineBytes }), expected);
    deepEqual(await read(last, { maxLineBytes }), expected);
  });

  it("reads a line that is as long as is accepted", async () => {
    for (const text of [`{"a":1}`, `{"a":1}\n`, `{"a":1}\r\n{"b":2}`]) {
      const expected = text.trim().split("\r\n").map((line, i) => `${i + 1}:${line}`);
      deepEqual(await read(text, { maxLineBytes: 7 }), expected);
      deepEqual(await readEverywhere(encoder.encode(text), { maxLineBytes: 7 }), expected);
    }
    deepEqual(await read(`{"a":1}`, { maxLineBytes: 6 }), ["1:limit-exceeded"]);
  });

  it("holds no line that is too long", async () => {
    const part = new Uint8Array(1 << 20).fill(97);
    let given = 0;
    async function* endless(): AsyncGenerator<Uint8Array> {
      for (; given < 512; given++) yield await Promise.resolve(part);
      yield encoder.encode(`\n{"a":1}\n`);
    }
    const maxLineBytes = 4 << 20;
    const { set } = Uint8Array.prototype;
    let held = 0;
    Uint8Array.prototype.set = function (...args): void {
      held = Math.max(held, this.length);
      set.apply(this, args);
    };
    try {
      deepEqual(await read(endless(), { maxLineBytes }), ["1:limit-exceeded", `2:{"a":1}`]);
    } finally {
      // It is a member of the prototype of all typed arrays.
      Reflect.deleteProperty(Uint8Array.prototype, "set");
    }
    equal(given, 512);
    ok(held > 0 && held <= 2 * maxLineBytes);
  });

  it("ends with a report at the first line above maxLines", async () => {
    const text = `{"a":1}\n\n{"b":2}\n{"c":3}\n`;
    const expected = [`1:{"a":1}`, "3:limit-exceeded"];
    deepEqual(await readEverywhere(encoder.encode(text), { maxLines: 2 }), expected);
    deepEqual(await read(text, { maxLines: 2 }), expected);
    const all = [`1:{"a":1}`, `3:{"b":2}`, `4:{"c":3}`];
    deepEqual(await read(text, { maxLines: 4 }), all);
    deepEqual(await readEverywhere(encoder.encode(text), { maxLines: 4 }), all);
    deepEqual((await read(`{}\n{}`, { maxLines: 2 })).length, 2);
  });

  it("stops a stream when the caller stops", async () => {
    let cancelled = false;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(encoder.encode(`{"a":1}\n{"b":2}\n`)),
      cancel: () => void (cancelled = true),
    });
    for await (const line of readJsonLines(endless)) if (line.line === 3) break;
    ok(cancelled);
    let closed = false;
    async function* lines(): AsyncGenerator<Uint8Array> {
      try {
        for (;;) yield await Promise.resolve(encoder.encode(`{"a":1}\n`));
      } finally {
        closed = true;
      }
    }
    for await (const line of readJsonLines(lines())) if (line.line === 3) break;
    ok(closed);
  });

  it("does not mind a stream that cannot be cancelled", async () => {
    const stubborn = new ReadableStream<Uint8Array>({
      pull: (controller) => controller.enqueue(encoder.encode(`{"a":1}\n`)),
      cancel: () => Promise.reject(new RangeError("no")),
    });
    for await (const line of readJsonLines(stubborn)) if (line.line === 1) break;
    ok(!stubborn.locked);
  });

  it("passes on what the source throws", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield await Promise.resolve(encoder.encode(`{"a":1}\n{"b"`));
      throw new RangeError("disk on fire");
    }
    await rejects(read(failing()), RangeError);
    const source = failing();
    const broken = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const { value } = await source.next();
        if (value !== undefined) controller.enqueue(value);
      },
    });
    await rejects(read(broken), RangeError);
  });

  it("refuses options that it does not know and streams of something else", async () => {
    throws(() => readJsonLines("", { maxLineLength: 1 } as JsonLinesOptions), TypeError);
    for (const limit of [0, -1, NaN, 0.5, Infinity]) {
      throws(() => readJsonLines("", { maxLineBytes: limit }), RangeError);
      throws(() => readJsonLines("", { maxLines: limit }), RangeError);
    }
    async function* texts(): AsyncGenerator<string> {
      yield await Promise.resolve("{}\n");
    }
    const source = texts() as AsyncIterable<unknown> as AsyncIterable<Uint8Array>;
    await rejects(read(source), (error: Error) => {
      return error instanceof TypeError && error.message.startsWith("Cannot read JSON Lines");
    });
  });

  it("reads 100 000 lines, and gives each before it asks for more", async () => {
    let given = 0;
    async function* source(): AsyncGenerator<Uint8Array> {
      for (; given < 100_000; given++) {
        yield await Promise.resolve(encoder.encode(`{"payload":"${given}","signatures":[]}\n`));
      }
    }
    let count = 0;
    for await (const line of readJsonLines(source())) {
      ok(line.ok && given - line.line < 2);
      count++;
    }
    equal(count, 100_000);
  });
});
