import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import { parseNotationPayload } from "./notation_payload.ts";

const HEX = "a".repeat(64);
const target = { mediaType: "application/x", digest: `sha256:${HEX}`, size: 0 };

function refusal(payload: unknown): string {
  try {
    parseNotationPayload(utf8(typeof payload === "string" ? payload : JSON.stringify(payload)));
    return "ok";
  } catch (error) {
    return isAttestationError(error) ? error.reason : String(error);
  }
}

describe("parseNotationPayload()", () => {
  it("reads what a signature is about", () => {
    const all = { ...target, artifactType: "application/y", annotations: { a: "b" }, more: 1 };
    const read = parseNotationPayload(utf8(JSON.stringify({ targetArtifact: all })));
    deepEqual(JSON.parse(JSON.stringify(read)), {
      mediaType: "application/x",
      digest: { sha256: HEX },
      size: 0,
      artifactType: "application/y",
      annotations: { a: "b" },
    });
    equal(refusal({ targetArtifact: target }), "ok");
    equal(refusal({ targetArtifact: { ...target, annotations: null } }), "ok");
    equal(refusal({ targetArtifact: { ...target, digest: `sha512:${HEX}${HEX}` } }), "ok");
  });

  it("refuses everything else", () => {
    const malformed = [
      [],
      1,
      null,
      {},
      { targetArtifact: [] },
      { targetArtifact: target, more: 1 },
      ...[
        { mediaType: undefined },
        { mediaType: "" },
        { mediaType: 1 },
        { size: undefined },
        { size: "3" },
        { size: -1 },
        { size: 1.5 },
        { size: 2 ** 53 },
        { artifactType: 1 },
        { artifactType: null },
        { annotations: [] },
        { annotations: "a" },
      ].map((change) => ({ targetArtifact: { ...target, ...change } })),
    ];
    for (const payload of malformed) {
      equal(refusal(payload), "malformed-signature-payload", JSON.stringify(payload));
    }
    for (
      const digest of [
        undefined,
        1,
        "",
        HEX,
        `sha256:${HEX.slice(1)}`,
        `sha256:${HEX.toUpperCase()}`,
        `sha512:${HEX}`,
        `sha1:${"a".repeat(40)}`,
        `md5:${"a".repeat(32)}`,
        `sha256:${HEX}\n`,
      ]
    ) equal(refusal({ targetArtifact: { ...target, digest } }), "invalid-digest", `${digest}`);
    const twice = `{"targetArtifact":${JSON.stringify(target)},"targetArtifact":{}}`;
    equal(refusal(twice), "duplicate-json-key");
    equal(refusal(" ".repeat(1 << 20) + "1"), "limit-exceeded");
  });
});
