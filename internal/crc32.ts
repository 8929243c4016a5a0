const TABLE = new Uint32Array(256);

for (let i = 0; i < 256; i++) {
  let rest = i;
  for (let bit = 0; bit < 8; bit++) rest = rest & 1 ? 0xedb88320 ^ (rest >>> 1) : rest >>> 1;
  TABLE[i] = rest;
}

/** CRC-32 of ZIP and gzip (ISO 3309); `before` is that of the bytes ahead of these. */
export function crc32(bytes: Uint8Array, before = 0): number {
  let rest = ~before;
  for (let i = 0; i < bytes.length; i++) rest = TABLE[(rest ^ bytes[i]) & 0xff] ^ (rest >>> 8);
  return ~rest >>> 0;
}
