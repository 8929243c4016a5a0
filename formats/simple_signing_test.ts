import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { parseSimpleSigning } from "./simple_signing.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

function payload(changes: { critical?: object; optional?: unknown; more?: object } = {}): object {
  const { critical = {}, more = {} } = changes;
  const optional = "optional" in changes ? changes.optional : null;
  return {
    critical: {
      type: "cosign container image signature",
      image: { "docker-manifest-digest": DIGEST },
      identity: { "docker-reference": "registry.example/app" },
      ...critical,
    },
    ...(optional === undefined ? {} : { optional }),
    ...more,
  };
}

function refusal(source: object | string): string {
  try {
    parseSimpleSigning(source);
    return "accepted";
  } catch (error) {
    return isAttestationError(error) ? `${error.reason} ${error.path ?? ""}`.trim() : "thrown";
  }
}

describe("parseSimpleSigning()", () => {
  it("reads what cosign signs", () => {
    assert.deepEqual(parseSimpleSigning(JSON.stringify(payload())), {
      type: "cosign container image signature",
      manifestDigest: DIGEST,
      reference: "registry.example/app",
    });
    const optional = { creator: "ci", nested: { a: 1 } };
    assert.deepEqual(parseSimpleSigning(payload({ optional })).optional, optional);
  });

  it("lets each kind have its own optional", () => {
    const atomic = { type: "atomic container signature" };
    const binauthz = { type: "Google cloud binauthz container signature" };
    assert.equal(refusal(payload({ critical: atomic, optional: {} })), "accepted");
    assert.equal(refusal(payload({ critical: binauthz, optional: undefined })), "accepted");
    const bad = "malformed-signature-payload /optional";
    assert.equal(refusal(payload({ critical: atomic })), bad);
    assert.equal(refusal(payload({ critical: binauthz })), bad);
    assert.equal(refusal(payload({ optional: undefined })), bad);
    assert.equal(refusal(payload({ optional: [] })), bad);
  });

  it("refuses what is not known where all must be understood", () => {
    const bad = "malformed-signature-payload";
    const image = { "docker-manifest-digest": DIGEST, "more": 1 };
    const identity = { "docker-reference": "", "more": 1 };
    assert.equal(refusal(payload({ more: { extra: 1 } })), bad);
    assert.equal(refusal(payload({ critical: { more: 1 } })), `${bad} /critical`);
    assert.equal(refusal(payload({ critical: { image } })), `${bad} /critical/image`);
    assert.equal(refusal(payload({ critical: { identity } })), `${bad} /critical/identity`);
    assert.equal(refusal(payload({ critical: { type: "mine" } })), `${bad} /critical/type`);
  });

  it("refuses what is missing or of another form", () => {
    const bad = "malformed-signature-payload";
    const at = `${bad} /critical/image/docker-manifest-digest`;
    const digest = (value: unknown) =>
      refusal(payload({ critical: { image: { "docker-manifest-digest": value } } }));
    for (const value of [1, "", "sha256:", `sha256:${"A".repeat(64)}`, `md5:${"a".repeat(32)}`]) {
      assert.equal(digest(value), at);
    }
    // The specification's own sample spells it so; no payload does.
    assert.equal(
      refusal(payload({ critical: { image: { "Docker-manifest-digest": DIGEST } } })),
      at,
    );
    assert.equal(refusal("[]"), bad);
    assert.equal(refusal("{}"), `${bad} /critical`);
    assert.equal(
      refusal(payload({ critical: { identity: {} } })),
      `${bad} /critical/identity/docker-reference`,
    );
  });

  it("refuses the same name twice, at any depth", () => {
    const text = JSON.stringify(payload()).replace(
      '"docker-manifest-digest"',
      `"docker-manifest-digest":"sha256:${"b".repeat(64)}","docker-manifest-digest"`,
    );
    assert.ok(refusal(text).startsWith("duplicate-json-key"), refusal(text));
  });

  it("takes no more than the limit", () => {
    assert.throws(() => parseSimpleSigning("{}", { maxBytes: 1 }), { reason: "limit-exceeded" });
    assert.throws(() => parseSimpleSigning("{}", { maxBytes: 0 }), RangeError);
  });
});
