/**
 * What a packed stream holds, as a reader. A fault is told to whoever reads. Everything else that
 * rejects with it is seen here: workerd ends a worker for a rejection that nobody has seen.
 */
export function decompress(
  packed: ReadableStream<Uint8Array<ArrayBuffer>>,
  format: CompressionFormat,
): ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>> {
  const { readable, writable } = new DecompressionStream(format);
  const reader = readable.getReader();
  reader.closed.catch(() => {});
  feed(packed.getReader(), writable.getWriter()).catch(() => {});
  return reader;
}

async function feed(
  source: ReadableStreamDefaultReader<Uint8Array<ArrayBuffer>>,
  writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>,
): Promise<void> {
  writer.closed.catch(() => {});
  writer.ready.catch(() => {});
  try {
    for (let next = await source.read(); !next.done; next = await source.read()) {
      await writer.write(next.value);
    }
    await writer.close();
  } catch (cause) {
    await source.cancel(cause).catch(() => {});
  }
}
