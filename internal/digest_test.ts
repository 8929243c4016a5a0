import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { type Bytes, concat, equalBytes, utf8 } from "./bytes.ts";
import { digest, type HashName } from "./digest.ts";
import { digestAll, digestStream } from "./hasher.ts";
import { encodeHex } from "./hex.ts";
import { sha256 } from "./sha256.ts";

function pattern(length: number): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8)) & 255;
  return bytes;
}

async function native(hash: HashName, bytes: Bytes): Promise<string> {
  return encodeHex(new Uint8Array(await crypto.subtle.digest(hash, bytes)));
}

/** A stream of chunks of the sizes given, over and over; it counts what is asked of it. */
function chunked(bytes: Bytes, ...sizes: number[]): ReadableStream<Uint8Array> {
  let at = 0;
  let turn = 0;
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      const size = sizes[turn++ % sizes.length];
      controller.enqueue(bytes.subarray(at, at += size));
    },
  });
}

const ALL: HashName[] = ["SHA-256", "SHA-384", "SHA-512"];
const quiet = { onBytes: (): void => {} };

describe("sha256()", () => {
  it("gives the examples of FIPS 180-4", () => {
    const hex = (text: string) => encodeHex(sha256(utf8(text)));
    equal(hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    equal(hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    equal(
      hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
    );
  });

  it("agrees with WebCrypto at every length around its blocks", async () => {
    const bytes = pattern(520);
    for (let length = 0; length <= 260; length++) {
      const part = bytes.slice(length, 2 * length);
      equal(encodeHex(sha256(part)), await native("SHA-256", part), String(length));
    }
    equal(encodeHex(sha256(pattern(100_000))), await native("SHA-256", pattern(100_000)));
  });

  it("digests the concatenation of its parts", () => {
    const bytes = pattern(200);
    deepEqual(
      sha256(bytes.subarray(0, 1), bytes.subarray(1, 65), bytes.subarray(65)),
      sha256(bytes),
    );
    deepEqual(sha256(), sha256(new Uint8Array(0)));
  });
});

describe("digest()", () => {
  it("is that of WebCrypto on both sides of its own limit", async () => {
    for (const length of [0, 4095, 4096, 4097]) {
      for (const hash of ALL) {
        equal(encodeHex(await digest(hash, pattern(length))), await native(hash, pattern(length)));
      }
    }
  });
});

describe("digestStream()", () => {
  const MEBI4 = 4 << 20;

  it("gives the digests of the whole, around the size up to which bytes are held", async () => {
    for (const length of [0, 1, MEBI4 - 1, MEBI4, MEBI4 + 1, MEBI4 + 100_000]) {
      const bytes = pattern(length);
      let count = 0;
      const { digests, content } = await digestStream(chunked(bytes, 65_536), ALL, {
        onBytes: (more) => count += more,
      });
      for (const [i, hash] of ALL.entries()) {
        equal(encodeHex(digests[i]), await native(hash, bytes));
      }
      equal(count, length);
      equal(content?.length, length > MEBI4 ? undefined : length);
      if (content !== undefined) ok(equalBytes(content, bytes));
    }
  });

  it("does not depend on how the bytes are cut", async () => {
    const bytes = pattern(100_003);
    const wanted = await native("SHA-256", bytes);
    for (
      const sizes of [[1], [2, 1], [3, 5000, 1, 70_000], [64], [100_003], [0, 1000], [
        9,
        8,
        7,
        6,
        5,
        4,
        3,
        2,
        1,
      ]]
    ) {
      const { digests, content } = await digestStream(chunked(bytes, ...sizes), ["SHA-256"], quiet);
      equal(encodeHex(digests[0]), wanted, String(sizes));
      ok(content !== undefined && equalBytes(content, bytes), String(sizes));
    }
    const large = pattern(MEBI4 + 5);
    const { digests } = await digestStream(
      chunked(large, MEBI4 - 3, 1, 1, 1, 1),
      ["SHA-512"],
      quiet,
    );
    equal(encodeHex(digests[0]), await native("SHA-512", large));
  });

  it("refuses chunks that are no bytes, and cancels the stream", async () => {
    let cancelled = false;
    const stream = new ReadableStream({
      start: (controller) => controller.enqueue("text"),
      cancel: () => void (cancelled = true),
    });
    await rejects(digestStream(stream, ALL, quiet), TypeError);
    ok(cancelled);
    equal(stream.locked, false);
  });

  it("passes on the error of a stream, early and late", async () => {
    for (const length of [0, 10, MEBI4 + 10]) {
      const bytes = pattern(length);
      let sent = false;
      const stream = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (sent || length === 0) return controller.error(new RangeError("disk"));
          sent = true;
          controller.enqueue(bytes);
        },
      });
      await rejects(digestStream(stream, ALL, quiet), { name: "RangeError", message: "disk" });
    }
  });

  it("cancels the stream when its watcher throws", async () => {
    let cancelled = false;
    const stream = new ReadableStream({
      pull: (controller) => controller.enqueue(pattern(10)),
      cancel: () => void (cancelled = true),
    });
    const onBytes = (): void => {
      throw new RangeError("enough");
    };
    await rejects(digestStream(stream, ALL, { onBytes }), RangeError);
    ok(cancelled);
  });

  it("ends on a signal, also when the stream gives nothing any more", async () => {
    const reason = new RangeError("stop");
    const stopper = new AbortController();
    let cancelledWith: unknown;
    const stalled = new ReadableStream<Uint8Array>({
      start: (controller) => controller.enqueue(pattern(5)),
      cancel: (why) => void (cancelledWith = why),
    });
    const work = digestStream(stalled, ALL, {
      signal: stopper.signal,
      onBytes: () => void setTimeout(() => stopper.abort(reason), 1),
    });
    await rejects(work, { message: "stop" });
    equal(cancelledWith, reason);

    const before = new ReadableStream<Uint8Array>();
    await rejects(digestStream(before, ALL, { ...quiet, signal: AbortSignal.abort(reason) }), {
      message: "stop",
    });
    equal(before.locked, false);
  });

  it("never takes an aborted stream for an ended one", async () => {
    const stopper = new AbortController();
    const stream = chunked(pattern(1000), 100);
    let chunks = 0;
    const work = digestStream(stream, ["SHA-256"], {
      signal: stopper.signal,
      onBytes: () => ++chunks === 3 && stopper.abort(new RangeError("stop")),
    });
    await rejects(work, { message: "stop" });
    equal(chunks, 3);
  });
});

describe("digestAll()", () => {
  it("digests bytes in memory in the order asked for, also a view of a part", async () => {
    const bytes = pattern(1000);
    const part = bytes.subarray(10, 500);
    const [a, b] = await digestAll(part, ["SHA-512", "SHA-256"]);
    equal(encodeHex(a), await native("SHA-512", part));
    equal(encodeHex(b), await native("SHA-256", part));
  });
});

describe("concat() and equalBytes()", () => {
  it("join and compare", () => {
    deepEqual(
      concat(Uint8Array.of(1), new Uint8Array(0), Uint8Array.of(2, 3)),
      Uint8Array.of(1, 2, 3),
    );
    equal(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true);
    equal(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false);
    equal(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1)), false);
  });
});
