import { type Bytes, concat } from "./bytes.ts";

/*
 * SHA-256 (FIPS 180-4) without a promise. WebCrypto digests asynchronously: 20 to 45
 * microseconds of hand-over for each of the 25 nodes of an inclusion proof, more than the
 * signature checks of the bundle together. Public data only, and short: large inputs go
 * to `digest()` in `digest.ts`.
 */

const K = new Uint32Array(64);
const INITIAL = new Uint32Array(8);

// The constants are the fractions of the roots of the first primes (FIPS 180-4, 4.2.2).
for (let prime = 2, found = 0; found < 64; prime++) {
  let isPrime = true;
  for (let d = 2; d * d <= prime; d++) if (prime % d === 0) isPrime = false;
  if (!isPrime) continue;
  if (found < 8) INITIAL[found] = fraction(prime ** (1 / 2));
  K[found++] = fraction(prime ** (1 / 3));
}

function fraction(root: number): number {
  return ((root - Math.floor(root)) * 2 ** 32) >>> 0;
}

const W = new Uint32Array(64);

/** SHA-256 of the concatenation of short parts. */
export function sha256(...parts: Uint8Array[]): Bytes {
  const message = parts.length === 1 ? parts[0] : concat(...parts);
  const blocks = ((message.length + 8) >> 6) + 1;
  const padded = new Uint8Array(blocks * 64);
  padded.set(message);
  padded[message.length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(message.length / 2 ** 29));
  view.setUint32(padded.length - 4, message.length << 3);

  let [h0, h1, h2, h3, h4, h5, h6, h7] = INITIAL;
  for (let block = 0; block < padded.length; block += 64) {
    for (let t = 0; t < 16; t++) W[t] = view.getUint32(block + 4 * t);
    for (let t = 16; t < 64; t++) {
      const x = W[t - 15], y = W[t - 2];
      const s0 = ((x >>> 7) | (x << 25)) ^ ((x >>> 18) | (x << 14)) ^ (x >>> 3);
      const s1 = ((y >>> 17) | (y << 15)) ^ ((y >>> 19) | (y << 13)) ^ (y >>> 10);
      W[t] = s0 + s1 + W[t - 7] + W[t - 16];
    }
    let a = h0 | 0,
      b = h1 | 0,
      c = h2 | 0,
      d = h3 | 0,
      e = h4 | 0,
      f = h5 | 0,
      g = h6 | 0,
      h = h7 | 0;
    for (let t = 0; t < 64; t++) {
      const s1 = ((e >>> 6) | (e << 26)) ^ ((e >>> 11) | (e << 21)) ^ ((e >>> 25) | (e << 7));
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + K[t] + W[t]) | 0;
      const s0 = ((a >>> 2) | (a << 30)) ^ ((a >>> 13) | (a << 19)) ^ ((a >>> 22) | (a << 10));
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      h = g;
      g = f;
      f = e;
      e = (d + t1) | 0;
      d = c;
      c = b;
      b = a;
      a = (t1 + t2) | 0;
    }
    h0 = (h0 + a) >>> 0;
    h1 = (h1 + b) >>> 0;
    h2 = (h2 + c) >>> 0;
    h3 = (h3 + d) >>> 0;
    h4 = (h4 + e) >>> 0;
    h5 = (h5 + f) >>> 0;
    h6 = (h6 + g) >>> 0;
    h7 = (h7 + h) >>> 0;
  }
  const digest = new Uint8Array(32);
  const out = new DataView(digest.buffer);
  [h0, h1, h2, h3, h4, h5, h6, h7].forEach((word, i) => out.setUint32(4 * i, word));
  return digest;
}
