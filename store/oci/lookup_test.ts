import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../../internal/bytes.ts";
import { BUNDLE, cosignTag, DSSE, IN_TOTO, TestRepository } from "../../tests/fixtures/oci.ts";
import { findOciAttestations, type OciFindings } from "./lookup.ts";

const LINUX = { os: "linux", architecture: "amd64" };

function about({ mediaType, digest, size }: ReturnType<TestRepository["image"]>) {
  return { mediaType, digest, size };
}

/** Kinds and ways of what was found. */
function brief({ attestations }: OciFindings): string[] {
  return attestations.map(({ kind, via }) => `${kind} by ${via}`);
}

describe("findOciAttestations()", () => {
  it("finds each form at each place, in the order of the places", async () => {
    const repository = new TestRepository();
    const image = repository.image(LINUX);
    const layer = (mediaType: string, text: string) => ({ mediaType, bytes: utf8(text) });
    repository.push({ layers: [layer(BUNDLE, '{"a":1}')], subject: about(image) });
    repository.push({
      layers: [layer(IN_TOTO, '{"payload":""}'), layer(IN_TOTO, '{"_type":"x"}')],
      subject: about(image),
    });
    const tag = cosignTag(image.digest, "att");
    repository.push({ layers: [layer(DSSE, "{}"), layer("text/plain", "no")], tag });
    const statement = repository.push({ layers: [layer(IN_TOTO, '{"_type":"y"}')] });
    const found = await findOciAttestations(repository, image.digest, {
      buildkit: [{ descriptor: statement, about: image.digest }],
      label: "here",
    });
    assert.deepEqual(brief(found), [
      "sigstore-bundle by referrers",
      "dsse by referrers",
      "statement by referrers",
      "dsse by cosign-attestations",
      "statement by buildkit",
    ]);
    assert.ok(found.attestations[2].source.endsWith("#2"));
    assert.ok(found.attestations.every(({ source }) => source.startsWith("here@sha256:")));
    assert.deepEqual(found.lookups.map(({ via, outcome, count }) => `${via} ${outcome} ${count}`), [
      "referrers found 3",
      "cosign-attestations found 1",
      "cosign-signatures not-found 0",
      "buildkit found 1",
    ]);
  });

  it("takes the very same attestation at two places for one", async () => {
    const repository = new TestRepository();
    const image = repository.image(LINUX);
    const layer = { mediaType: DSSE, bytes: utf8("{}") };
    repository.push({ layers: [layer], subject: about(image) });
    repository.push({ layers: [layer], tag: cosignTag(image.digest, "att") });
    assert.deepEqual(brief(await findOciAttestations(repository, image.digest)), [
      "dsse by referrers",
    ]);
    // With other annotations it is another one: they hold what proves it.
    const other = { ...layer, annotations: { a: "b" } };
    repository.push({ layers: [other], tag: cosignTag(image.digest, "att") });
    assert.equal((await findOciAttestations(repository, image.digest)).attestations.length, 2);
  });

  it("binds what BuildKit says to the manifest that it is about", async () => {
    const repository = new TestRepository();
    const image = repository.image(LINUX), other = repository.image(LINUX, "other");
    const layers = [{ mediaType: IN_TOTO, bytes: utf8('{"_type":"x"}') }];
    const descriptor = repository.push({ layers, subject: about(other) });
    const found = await findOciAttestations(repository, image.digest, {
      buildkit: [{ descriptor, about: image.digest }],
    });
    assert.deepEqual(brief(found), []);
    assert.ok(found.lookups.at(-1)?.notes?.[0].includes("not about this"));
  });

  it("bounds what it reads, and says so in words", async () => {
    const repository = new TestRepository();
    const image = repository.image(LINUX);
    for (const text of ["1", "2", "3"]) {
      const layers = [{ mediaType: BUNDLE, bytes: utf8(text) }];
      repository.push({ layers, subject: about(image) });
    }
    const find = (maxAttestations: number) =>
      findOciAttestations(repository, image.digest, { maxAttestations });
    assert.equal((await find(6)).attestations.length, 3);
    const [lookup] = (await find(2)).lookups;
    assert.equal(lookup.outcome, "unavailable");
    assert.ok(lookup.message?.includes("too many referrers; more than 2 are not read"));
    await assert.rejects(find(0), RangeError);
  });

  it("stops when it is told to", async () => {
    const repository = new TestRepository();
    const signal = AbortSignal.abort();
    const found = findOciAttestations(repository, repository.image(LINUX).digest, { signal });
    await assert.rejects(found, { reason: "aborted" });
  });
});
