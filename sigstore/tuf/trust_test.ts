import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../../internal/bytes.ts";
import { TestTufRepository, TUF_START, tufSigner } from "../../tools/pki/tuf_repository.ts";
import { PUBLIC_GOOD_ROOT } from "../roots/public_good.ts";
import { memoryTufCache } from "./cache.ts";
import { publicGoodTufRoot } from "./public_good.ts";
import { readCachedTrust, refreshTrust, type RefreshTrustOptions } from "./trust.ts";

const CONFIG = '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}';
const TARGETS = { "trusted_root.json": PUBLIC_GOOD_ROOT, "signing_config.v0.2.json": CONFIG };

async function setUp(targets: Record<string, string> = TARGETS): Promise<
  { repository: TestTufRepository; options: RefreshTrustOptions & { cache: object } }
> {
  const repository = await TestTufRepository.create(targets);
  const { firstRoot: root, baseUrl, fetch } = repository;
  const cache = memoryTufCache();
  return { repository, options: { root, baseUrl, fetch, cache, now: TUF_START, retries: 0 } };
}

describe("refreshTrust()", () => {
  it("gets the trusted root and the signing configuration as they were published", async () => {
    const { options } = await setUp();
    const trust = await refreshTrust({ ...options, name: "test" });
    equal(trust.trustedRootText, PUBLIC_GOOD_ROOT);
    equal(trust.signingConfigText, CONFIG);
    equal(trust.trustedRoot.name, "test");
    ok(trust.trustedRoot.logs.length > 0);
    deepEqual(trust.versions, { root: 1, timestamp: 1, snapshot: 1, targets: 1 });
  });

  it("gets further targets", async () => {
    const { options } = await setUp({ ...TARGETS, "host/keys.json": "{}" });
    const { targets } = await refreshTrust({ ...options, targets: ["host/keys.json"] });
    deepEqual(targets.get("host/keys.json"), utf8("{}"));
  });

  it("does without a signing configuration, not without a trusted root", async () => {
    const { options } = await setUp({ "trusted_root.json": PUBLIC_GOOD_ROOT });
    equal((await refreshTrust(options)).signingConfigText, undefined);
    const other = await setUp({ "signing_config.v0.2.json": CONFIG });
    await rejects(refreshTrust(other.options), { reason: "tuf-target-not-found" });
  });

  it("refuses a trusted root that cannot be read", async () => {
    const { options } = await setUp({ "trusted_root.json": "{}" });
    await rejects(refreshTrust(options), { reason: "malformed-trusted-root" });
    const other = await setUp({ "trusted_root.json": "" });
    await rejects(refreshTrust(other.options), { reason: "empty-input" });
  });

  it("refuses unknown options", async () => {
    const { options } = await setUp();
    await rejects(
      refreshTrust({ ...options, optionalTargets: [] } as RefreshTrustOptions),
      TypeError,
    );
  });
});

describe("readCachedTrust()", () => {
  it("gives what was got last, without a request and after its expiry", async () => {
    const { repository, options } = await setUp();
    const { root } = options;
    const cache = memoryTufCache();
    await repository.publishRoot();
    await refreshTrust({ ...options, cache });
    repository.requested.length = 0;
    const trust = await readCachedTrust({ root, cache });
    equal(trust?.trustedRootText, PUBLIC_GOOD_ROOT);
    equal(trust?.signingConfigText, CONFIG);
    deepEqual(trust?.versions, { root: 2, timestamp: 1, snapshot: 1, targets: 1 });
    ok(trust !== undefined && trust.expires > TUF_START);
    deepEqual(repository.requested, []);
  });

  it("gives nothing when the cache lacks a file, or one was tampered with", async () => {
    const { options } = await setUp();
    const { root } = options;
    const files = new Map<string, Uint8Array<ArrayBuffer>>();
    const cache = {
      read: (name: string) => Promise.resolve(files.get(name)),
      write: (name: string, bytes: Uint8Array<ArrayBuffer>) =>
        Promise.resolve(void files.set(name, bytes)),
    };
    equal(await readCachedTrust({ root, cache }), undefined);
    await refreshTrust({ ...options, cache });
    ok(await readCachedTrust({ root, cache }) !== undefined);
    for (const [name, bytes] of [...files]) {
      for (const changed of [undefined, utf8("{}"), bytes.slice(1)]) {
        if (changed === undefined) files.delete(name);
        else files.set(name, changed);
        equal(await readCachedTrust({ root, cache }), undefined, name);
      }
      files.set(name, bytes);
    }
    equal(files.size, 5);
  });

  it("believes nothing that the given root does not lead to", async () => {
    const { options } = await setUp();
    const cache = memoryTufCache();
    await refreshTrust({ ...options, cache });
    const other = await setUp();
    equal(await readCachedTrust({ root: other.options.root, cache }), undefined);
    other.repository.roles.root.signers = [await tufSigner()];
    await rejects(readCachedTrust({ root: "{}", cache }), { reason: "malformed-tuf-metadata" });
  });
});

describe("readCachedTrust() options", () => {
  it("refuses unknown ones, such as those of a refresh", async () => {
    const { options: { root } } = await setUp();
    const cache = memoryTufCache();
    for (const more of [{ now: TUF_START }, { optionalTargets: [] }, { baseUrl: "x" }]) {
      await rejects(readCachedTrust({ root, cache, ...more }), TypeError);
    }
  });
});

describe("publicGoodTufRoot()", () => {
  it("is a root that its own keys sign, of a repository at an https address", async () => {
    const { root, baseUrl, source } = await publicGoodTufRoot();
    equal(await readCachedTrust({ root, cache: memoryTufCache() }), undefined);
    equal(new URL(baseUrl).protocol, "https:");
    ok(source.startsWith("npm:"));
  });
});
