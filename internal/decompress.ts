/**
 * What a packed stream holds, as a reader. A fault is told to whoever reads: workerd reports the
 * promise inside of `pipeThrough()` as a rejection that nobody has seen.
 */
export function decompress(
  packed: ReadableStream<Uint8Array<ArrayBuffer>>,
  format: CompressionFormat,
): ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new DecompressionStream(format);
  packed.pipeTo(writable).catch(() => {});
  return readable.getReader();
}
