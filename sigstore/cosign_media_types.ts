/** Media type of a signature's payload. */
export const SIMPLE_SIGNING_TYPE = "application/vnd.dev.cosign.simplesigning.v1+json";

/** Media types of a layer that is a DSSE envelope. */
export const ENVELOPE_TYPES: readonly string[] = [
  "application/vnd.dsse.envelope.v1+json",
  "application/vnd.in-toto+json",
];
