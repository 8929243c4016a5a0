import { deepStrictEqual as deepEqual, rejects, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { keyOf } from "../formats/_fixtures_test.ts";
import { encodeBase64 } from "../internal/base64.ts";
import { blake2b512 } from "../internal/blake2b.ts";
import { digest, type HashName } from "../internal/digest.ts";
import { encodeHex } from "../internal/hex.ts";
import type { JsonObject } from "../internal/json.ts";
import { generateSigner } from "../keys/mod.ts";
import { cosignLayer, layerJson, simpleSigning } from "../tests/fixtures/oci.ts";
import { bundleOf, IDENTITY, rootOf } from "../tests/fixtures/sigstore.ts";
import type { Recipe } from "../tools/pki/instance.ts";
import { type TestKey, testKey } from "../tools/pki/keys.ts";
import { ABC, ciKey, minisig, signed, statementAbout } from "./_fixtures_test.ts";
import { type ArtifactInput, verify, type VerifyOptions } from "./mod.ts";

/** Digests of the artifact, by their names. */
async function digestOf(...hashes: HashName[]): Promise<Record<string, string>> {
  const set: Record<string, string> = {};
  for (const hash of hashes) {
    set[hash.toLowerCase().replace("-", "")] = encodeHex(await digest(hash, ABC));
  }
  return set;
}

/** Reasons of the attestations, and the digests that were computed of the stream. */
async function read(
  attestations: (object | string)[],
  options: VerifyOptions,
): Promise<[(string | null)[], object]> {
  const { artifacts } = await verify(attestations, new Blob([ABC]), options);
  const [{ attestations: all, digest }] = artifacts;
  return [all.map(({ errorReason }) => errorReason), digest];
}

async function keyless(more: VerifyOptions = {}): Promise<VerifyOptions> {
  return {
    trust: { trustedRoots: [await rootOf()], onlyRoot: true },
    expect: { identity: IDENTITY },
    ...more,
  };
}

describe("verify() of a stream", () => {
  it("computes what any of the attestations states, however many they are", async () => {
    const all = await digestOf("SHA-256", "SHA-384", "SHA-512");
    const { trustedKey } = await ciKey();
    const trust = { keys: [trustedKey, (await keyOf("Ed25519")).trustedKey] };
    const of = (digest: object) => signed(statementAbout([], { subject: [{ name: "x", digest }] }));
    const only = ({ sha512 }: typeof all) => of({ sha512 });
    deepEqual(await read([await of({ sha1: "0".repeat(40) }), await only(all)], { trust }), [
      ["unsupported-digest-algorithm", null],
      { sha256: all.sha256, sha512: all.sha512 },
    ]);
    const blake2b = encodeHex(blake2b512(ABC));
    deepEqual(await read([await of(all), await minisig(ABC), await of(all)], { trust }), [
      [null, null, null],
      { ...all, blake2b },
    ]);
  });

  it("computes what the key of a bundle signs, where the bundle does not say", async () => {
    const { signer, trustedKey: { spki } } = await generateSigner("ES512");
    const p521: TestKey = {
      ...await testKey("leaf-p384"),
      spki,
      hash: "SHA-512",
      sign: (data) => signer.sign(data),
    };
    const rows: [TestKey, HashName[]][] = [
      [await testKey("leaf-p256"), ["SHA-256"]],
      [await testKey("leaf-p384"), ["SHA-256", "SHA-384"]],
      [p521, ["SHA-256", "SHA-512"]],
    ];
    const options = await keyless({
      thresholds: { log: 0, timestamp: 0 },
      unsafelyTrustCertificateTime: true,
    });
    const none = () => Promise.resolve([]);
    for (const [key, hashes] of rows) {
      const recipe = { content: { artifact: ABC }, leaf: { key }, entries: none };
      const bundle = await bundleOf(recipe);
      const signature = encodeBase64(await key.sign(ABC));
      const silent: JsonObject = { ...bundle, messageSignature: { signature } };
      deepEqual(await read([silent], options), [[null], await digestOf(...hashes)]);
    }
  });

  it("computes no more than is stated", async () => {
    const payload = new TextEncoder().encode(JSON.stringify(
      statementAbout([], { subject: [{ name: "x", digest: await digestOf("SHA-256") }] }),
    ));
    const recipe: Recipe = { content: { payload }, key: "leaf-p384" };
    const wanted = [[null], await digestOf("SHA-256")];
    deepEqual(await read([await bundleOf(recipe)], await keyless()), wanted);
  });

  it("computes what an image signature names the image by", async () => {
    const { sha512, ...rest } = await digestOf("SHA-256", "SHA-512");
    const artifact = simpleSigning(`sha512:${sha512}`);
    const bundle = await bundleOf({ version: "v0.1", content: { artifact } });
    const layer = layerJson(cosignLayer(bundle, artifact));
    deepEqual(await read([layer], await keyless()), [[null], { ...rest, sha512 }]);
  });
});

describe("verify() and a signal, before anything is verified", () => {
  const reason = new RangeError("stop");

  it("throws though there is nothing to do", async () => {
    const signal = AbortSignal.abort(reason);
    await rejects(verify([], undefined, { signal }), reason);
  });

  it("looks at no further artifact", async () => {
    const stopper = new AbortController();
    let asked = false;
    const first = { name: "a", content: ABC };
    const artifacts: ArtifactInput[] = [
      Object.defineProperty({ ...first }, "name", { get: () => void stopper.abort(reason) }),
      Object.defineProperty({ ...first }, "name", { get: () => void (asked = true) }),
    ];
    await rejects(verify([], artifacts, { signal: stopper.signal }), reason);
    equal(asked, false);
  });
});
