import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../../internal/bytes.ts";
import { createSubject, type SubjectOptions } from "./content.ts";

const SHA256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const SHA384 = "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed" +
  "8086072ba1e7cc2358baeca134c825a7";
const SHA512 = "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a" +
  "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";

/** A stream that counts how often it is asked for more. */
function streamOf(parts: Uint8Array[]): { stream: ReadableStream<Uint8Array>; pulls: number } {
  const counted = {
    pulls: 0,
    stream: new ReadableStream<Uint8Array>({
      pull(controller) {
        const part = parts[counted.pulls++];
        if (part === undefined) controller.close();
        else controller.enqueue(part);
      },
    }, { highWaterMark: 0 }),
  };
  return counted;
}

describe("createSubject()", () => {
  it("gives the digests of bytes, a Blob and a stream alike, in the order asked for", async () => {
    const algorithms: SubjectOptions["algorithms"] = ["sha512", "sha256", "sha384", "sha256"];
    const { stream } = streamOf([utf8("a"), new Uint8Array(), utf8("bc")]);
    for (const content of [utf8("abc"), new Blob(["abc"]), stream]) {
      const { digest } = await createSubject(content, { algorithms });
      deepEqual(Object.entries(digest ?? {}), [
        ["sha512", SHA512],
        ["sha256", SHA256],
        ["sha384", SHA384],
      ]);
    }
  });

  it("reads a stream once and never holds more than a window of it", async () => {
    const part = new Uint8Array(1 << 20);
    const counted = streamOf(Array.from({ length: 9 }, () => part));
    let bytes = 0;
    const { digest } = await createSubject(counted.stream, {
      algorithms: ["sha256", "sha512"],
      onBytes: (count) => bytes += count,
    });
    equal(counted.pulls, 10);
    equal(bytes, 9 << 20);
    equal(digest?.sha256, "d2ee4703cd9698945ca7b9fe1689ea3095597eac1a0afd8dba00cac7894fdc43");
  });

  it("counts the bytes of each kind of content", async () => {
    for (const content of [utf8("abc"), new Blob(["abc"]), streamOf([utf8("abc")]).stream]) {
      let bytes = 0;
      await createSubject(content, { onBytes: (count) => bytes += count });
      equal(bytes, 3);
    }
  });

  it("has name, URI and media type only when they are given", async () => {
    deepEqual(await createSubject(utf8("abc")), { digest: { sha256: SHA256 } });
    deepEqual(
      await createSubject(utf8("abc"), { name: "a", uri: "pkg:npm/a@1", mediaType: "text/plain" }),
      { name: "a", uri: "pkg:npm/a@1", digest: { sha256: SHA256 }, mediaType: "text/plain" },
    );
  });

  it("refuses algorithms that are weak or unknown, and none at all", async () => {
    for (const algorithms of [["sha1"], ["md5"], ["SHA-256"], [], "sha256", ["__proto__"], null]) {
      const options = { algorithms } as unknown as SubjectOptions;
      await rejects(createSubject(utf8("abc"), options), {
        name: "TypeError",
        message: /^Option algorithms (wants one algorithm or more$|has ".*", wanted sha256,)/,
      });
    }
    await rejects(
      createSubject(utf8("abc"), { algorithm: ["sha256"] } as SubjectOptions),
      TypeError,
    );
    for (const content of ["abc", null, [97], new ArrayBuffer(1)]) {
      await rejects(createSubject(content as unknown as Uint8Array), {
        name: "TypeError",
        message: "A subject is neither bytes, a Blob nor a stream",
      });
    }
  });

  it("ends with the signal's reason, also while a stream gives nothing", async () => {
    const reason = new Error("enough");
    await rejects(createSubject(utf8("abc"), { signal: AbortSignal.abort(reason) }), reason);
    const abort = new AbortController();
    const silent = new ReadableStream<Uint8Array>({ pull: () => new Promise(() => {}) });
    const pending = createSubject(silent, { signal: abort.signal });
    abort.abort(reason);
    await rejects(pending, reason);
  });
});
