import type { Bytes } from "../../internal/bytes.ts";
import { decompress } from "../../internal/decompress.ts";

/** Packed bytes that are unpacked at a time: deflate makes at most 1,032 bytes of one. */
const STEP = 16 << 10;

/**
 * What is deflated, in pieces. Its end is that of the bytes: with others behind it, whoever reads
 * on from there would find what nobody else sees.
 *
 * @throws Whatever the runtime throws at bytes that cannot be inflated, or an `Error`.
 */
export async function* inflate(packed: Bytes): AsyncGenerator<Bytes, void> {
  yield* pieces(packed);
  if (await isLenient() && await isWhole(packed.subarray(0, -1))) {
    throw new Error("bytes behind the end of what is deflated");
  }
}

async function* pieces(packed: Bytes): AsyncGenerator<Bytes, void> {
  let at = 0;
  const source = new ReadableStream<Bytes>({
    pull(controller) {
      if (at >= packed.length) return controller.close();
      controller.enqueue(packed.slice(at, at += STEP));
    },
  }, { highWaterMark: 0 });
  const reader = decompress(source, "deflate-raw");
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel().catch(() => {});
  }
}

let lenient: Promise<boolean> | undefined;

/** Whether the runtime overlooks bytes behind the end, as Node 20 does: then they are looked for. */
function isLenient(): Promise<boolean> {
  return lenient ??= isWhole(Uint8Array.of(3, 0, 0));
}

async function isWhole(packed: Bytes): Promise<boolean> {
  try {
    for await (const _ of pieces(packed)) continue;
    return true;
  } catch {
    return false;
  }
}
