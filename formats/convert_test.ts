import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { referencePredicate } from "../intoto/predicates/reference.ts";
import { jarFile, trust } from "./attached/_signed_fixtures_test.ts";
import { compact, keyOf, STATEMENT } from "./_fixtures_test.ts";
import { type ConversionOrigin, convertToStatement, verifyFormat } from "./mod.ts";

const ORIGIN = {
  attester: "https://example.com/me",
  downloadLocation: "https://example.com/a.jws",
};

async function convert(payload: object, more: Partial<ConversionOrigin> = {}) {
  const token = await compact({ alg: "EdDSA" }, payload);
  const { trustedKey } = await keyOf("Ed25519");
  const result = await verifyFormat(token, { keys: [trustedKey] });
  ok(result.ok);
  return {
    token,
    fingerprint: trustedKey.fingerprint,
    work: () => convertToStatement(result, { ...ORIGIN, document: utf8(token), ...more }),
  };
}

describe("convertToStatement()", () => {
  it("keeps the subjects, and records the old form by its digest", async () => {
    const { token, fingerprint, work } = await convert(STATEMENT, {
      mediaType: "application/jose",
    });
    const statement = work();
    deepEqual(statement.subject, STATEMENT.subject);
    deepEqual(statement.predicate, {
      attester: { id: ORIGIN.attester },
      references: [{
        downloadLocation: ORIGIN.downloadLocation,
        mediaType: "application/jose",
        digest: { sha256: encodeHex(sha256(utf8(token))) },
        annotations: {
          format: "jws",
          predicateType: STATEMENT.predicateType,
          signers: [fingerprint],
        },
      }],
    });
    deepEqual(referencePredicate.validate(statement.predicate ?? {}), []);
  });

  it("tells of a file that carries its signature that parts of it are not signed", async () => {
    const document = await jarFile();
    const result = await verifyFormat(document, await trust());
    ok(result.ok);
    const { predicate } = convertToStatement(result, { ...ORIGIN, document });
    deepEqual(predicate?.references, [{
      downloadLocation: ORIGIN.downloadLocation,
      mediaType: "application/octet-stream",
      digest: { sha256: encodeHex(sha256(document)) },
      annotations: {
        format: "jar",
        predicateType: "raw-artifact-signature",
        signers: [result.signers[0].fingerprint],
        coverage: "artifact-sections",
      },
    }]);
  });

  it("converts nothing that is no Statement, and takes no other members", async () => {
    throws((await convert({ hello: 1 })).work, { reason: "unsupported-payload-type" });
    const { work } = await convert(STATEMENT, { nobodyReadsThis: 1 } as never);
    throws(work, TypeError);
    equal(typeof (await convert(STATEMENT)).work()._type, "string");
  });
});
