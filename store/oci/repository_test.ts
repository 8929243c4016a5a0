import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { digestOf, fault, type Lie, MemoryRegistry } from "../../tests/fixtures/registry.ts";
import { createRepository, type RepositoryOptions } from "./repository.ts";
import type { OciDescriptor, OciTarget } from "./source.ts";

const HEX = "a".repeat(64);

function client(registry: MemoryRegistry, options: RepositoryOptions = {}): OciTarget {
  const sleep = () => Promise.resolve();
  return createRepository(registry.reference, { fetch: registry.fetch, sleep, ...options });
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

/** A registry with one image, which lies. */
function liar(lie: Lie): { registry: MemoryRegistry; image: OciDescriptor; target: OciTarget } {
  const registry = new MemoryRegistry();
  const image = registry.image("app", "1.0");
  registry.lie = lie;
  return { registry, image, target: client(registry) };
}

describe("createRepository()", () => {
  it("resolves a tag with one request, and reads the manifest without another", async () => {
    const registry = new MemoryRegistry();
    const image = registry.image("app", "1.0");
    const target = client(registry);
    const found = await target.resolve("1.0");
    deepEqual(found, image);
    const manifest = await target.manifest(found);
    equal(manifest.kind, "image");
    equal(manifest.layers.length, 1);
    deepEqual(registry.log, ["GET manifests/1.0"]);
    equal(await target.tag("2.0"), undefined);
    equal(await reasonOf(target.resolve("2.0")), "image-not-found");
    equal(await reasonOf(target.manifest(`sha256:${HEX}`)), "image-not-found");
  });

  it("reads blobs whole and as streams, and says what is not there", async () => {
    const registry = new MemoryRegistry();
    const blob = registry.blob("hello");
    const target = client(registry);
    equal(new TextDecoder().decode(await target.blob(blob)), "hello");
    equal(await new Response(await target.blobStream(blob)).text(), "hello");
    const absent = { ...blob, digest: `sha256:${HEX}` };
    equal(await reasonOf(target.blob(absent)), "image-not-found");
    equal(await reasonOf(target.blobStream(absent)), "image-not-found");
  });

  it("refuses a blob that is larger than is accepted without asking for it", async () => {
    const registry = new MemoryRegistry();
    const blob = registry.blob("hello");
    equal(await reasonOf(client(registry).blob(blob, { maxBytes: 4 })), "limit-exceeded");
    deepEqual(registry.log, []);
  });

  it("reads lists page by page", async () => {
    const registry = new MemoryRegistry({ pageSize: 2 });
    const image = registry.image("app", "1.0");
    for (const tag of ["a", "b", "c", "d"]) registry.tags.set(tag, image.digest);
    for (let i = 0; i < 5; i++) registry.referrer(image, `${i}`);
    const target = client(registry);
    deepEqual(await target.tags(), ["1.0", "a", "b", "c", "d"]);
    const { via, manifests } = await target.referrers(image.digest);
    equal(via, "referrers-api");
    equal(new Set(manifests.map(({ digest }) => digest)).size, 5);
  });

  it("lists referrers by type, also where the registry states wrong types", async () => {
    for (const referrers of ["api", "loose", "none"] as const) {
      const registry = new MemoryRegistry({ referrers });
      const image = registry.image("app", "1.0");
      const wanted = registry.referrer(image, "one", "application/x.one");
      const other = registry.referrer(image, "two", "application/x.two");
      if (referrers === "none") {
        const index = { schemaVersion: 2, manifests: [wanted, other] };
        registry.manifest(index, image.digest.replace(":", "-"));
      }
      const found = await client(registry).referrers(image.digest, {
        artifactType: "application/x.one",
      });
      const digests = found.manifests.map(({ digest }) => digest);
      ok(digests.includes(wanted.digest), referrers);
      equal(digests.includes(other.digest), referrers === "loose", referrers);
      equal(found.via, referrers === "none" ? "fallback-tag" : "referrers-api");
    }
  });

  it("tells no referrers from an image with an empty list", async () => {
    const registry = new MemoryRegistry({ referrers: "none" });
    const image = registry.image("app", "1.0");
    equal((await client(registry).referrers(image.digest)).via, "none");
    registry.behaviour.referrers = "api";
    const { via, manifests } = await client(registry).referrers(image.digest);
    equal(via, "referrers-api");
    equal(manifests.length, 0);
  });

  it("passes on what the registry warns of, in one clean line", async () => {
    const warnings: string[] = [];
    const { registry } = liar(async (_, honest) => {
      const answer = await honest();
      answer.headers.set("warning", '299 - "Your \\"plan\\" ends", 299 - "soon"');
      return answer;
    });
    await client(registry, { onWarning: (text) => void warnings.push(text) }).resolve("1.0");
    deepEqual(warnings, ['Your "plan" ends', "soon"]);
  });

  it("reaches loopback and named hosts without TLS, and no other", async () => {
    for (
      const [reference, options, origin] of [
        ["127.0.0.1:5000/app", {}, "http://127.0.0.1:5000"],
        ["localhost:5000/app", {}, "http://localhost:5000"],
        ["plain.example/app", { plainHosts: ["plain.example"] }, "http://plain.example"],
        ["plain.example:80/app", { plainHosts: ["plain.example:80"] }, "http://plain.example"],
        ["plain.example.evil/app", { plainHosts: ["plain.example"] }, "https://plain.example.evil"],
        ["docker.io/library/alpine", {}, "https://registry-1.docker.io"],
      ] as const
    ) {
      const urls: string[] = [];
      const fetch = (url: string) => {
        urls.push(new URL(url).origin);
        return Promise.resolve(new Response("", { status: 404 }));
      };
      await createRepository(reference, { ...options, fetch }).tag("a");
      deepEqual(urls, [origin]);
    }
  });

  it("refuses option names that nothing reads", () => {
    let error: unknown;
    try {
      createRepository("registry.example/app", { retires: 1 } as RepositoryOptions);
    } catch (cause) {
      error = cause;
    }
    ok(error instanceof TypeError);
  });
});

describe("createRepository() and pushes", () => {
  const artifact = (subject: OciDescriptor | undefined, blob: OciDescriptor) =>
    utf8(JSON.stringify({
      schemaVersion: 2,
      mediaType: "application/vnd.oci.image.manifest.v1+json",
      artifactType: "application/x.test",
      config: { ...blob, mediaType: "application/vnd.oci.empty.v1+json" },
      layers: [blob],
      ...(subject === undefined ? {} : { subject }),
    }));

  it("uploads bytes in one request and streams in two, and what is there in none", async () => {
    const registry = new MemoryRegistry();
    const target = client(registry);
    const bytes = utf8("content");
    const blob = { mediaType: "a/b", digest: digestOf(bytes), size: bytes.length };
    deepEqual(await target.putBlob(blob, bytes), { digest: blob.digest, created: true });
    deepEqual(registry.asked.map(({ method }) => method), ["HEAD", "POST", "PUT"]);
    deepEqual(await target.putBlob(blob, bytes), { digest: blob.digest, created: false });
    registry.blobs.clear();
    await target.putBlob(blob, () => Promise.resolve(new Response("content").body!));
    deepEqual(registry.blobs.get(blob.digest), bytes);
    deepEqual(registry.asked.slice(-3).map(({ method }) => method), ["POST", "PATCH", "PUT"]);
  });

  it("sends no bytes that are not those of their descriptor", async () => {
    const registry = new MemoryRegistry();
    const blob = { mediaType: "a/b", digest: `sha256:${HEX}`, size: 7 };
    equal(await reasonOf(client(registry).putBlob(blob, utf8("content"))), "content-mismatch");
    const digest = digestOf(utf8("content"));
    const short = { mediaType: "a/b", digest, size: 6 };
    equal(await reasonOf(client(registry).putBlob(short, utf8("content"))), "content-mismatch");
    const manifest = artifact(undefined, registry.blob("x"));
    const wrong = { digest: `sha256:${HEX}` };
    equal(await reasonOf(client(registry).putManifest(manifest, wrong)), "content-mismatch");
    deepEqual(registry.log, []);
  });

  it("begins an upload anew when it breaks off", async () => {
    let broken = 0;
    const { registry, target } = liar((asked) =>
      asked.method === "PUT" && broken++ === 0 ? fault(503, "UNAVAILABLE") : undefined
    );
    const bytes = utf8("content");
    await target.putBlob({ mediaType: "a/b", digest: digestOf(bytes), size: 7 }, bytes);
    equal(registry.asked.filter(({ method }) => method === "POST").length, 2);
  });

  it("lists a manifest with a subject, by the API or by the fallback tag", async () => {
    for (const referrers of ["api", "loose", "none"] as const) {
      const registry = new MemoryRegistry({ referrers });
      const image = registry.image("app", "1.0");
      const target = client(registry);
      const bytes = artifact(image, registry.blob("x"));
      const listedBy = referrers === "none" ? "fallback-tag" : "referrers-api";
      const digest = digestOf(bytes);
      deepEqual(await target.putManifest(bytes), { digest, created: true, listedBy });
      deepEqual(await target.putManifest(bytes), { digest, created: false, listedBy });
      const { manifests } = await target.referrers(image.digest);
      deepEqual(manifests.map(({ digest }) => digest), [digest], referrers);
      equal(registry.tags.has(image.digest.replace(":", "-")), referrers === "none");
    }
  });

  it("tags a manifest, also one that was there", async () => {
    const registry = new MemoryRegistry();
    const bytes = artifact(undefined, registry.blob("x"));
    const target = client(registry);
    await target.putManifest(bytes);
    await target.putManifest(bytes, { tag: "a" });
    equal(registry.tags.get("a"), digestOf(bytes));
    const bad = { tag: "../evil" };
    equal(await reasonOf(target.putManifest(bytes, bad)), "malformed-image-reference");
  });

  for (const comparesTags of [false, true]) {
    const title = comparesTags ? "with If-Match" : "without If-Match";
    it(`loses no entry of twelve writers at once, ${title}`, async () => {
      const registry = new MemoryRegistry({ referrers: "none", comparesTags, delay: 4 });
      const image = registry.image("app", "1.0");
      const all = Array.from({ length: 12 }, (_, i) => artifact(image, registry.blob(`${i}`)));
      const put = all.map((bytes) =>
        createRepository(registry.reference, { fetch: registry.fetch }).putManifest(bytes)
      );
      await Promise.all(put);
      const { manifests } = await client(registry).referrers(image.digest);
      deepEqual(
        manifests.map(({ digest }) => digest).sort(),
        all.map((bytes) => digestOf(bytes)).sort(),
      );
    });
  }

  it("keeps what others wrote into the fallback index, and gives up in the end", async () => {
    const registry = new MemoryRegistry({ referrers: "none" });
    const image = registry.image("app", "1.0");
    const tag = image.digest.replace(":", "-");
    const other = registry.referrer(image, "other");
    registry.manifest({ schemaVersion: 2, manifests: [other], annotations: { a: "b" } }, tag);
    const before = registry.tags.get(tag)!;
    const target = client(registry);
    const bytes = artifact(image, registry.blob("x"));
    await target.putManifest(bytes);
    const index = JSON.parse(
      new TextDecoder().decode(registry.manifests.get(registry.tags.get(tag)!)!.bytes),
    );
    deepEqual(index.annotations, { a: "b" });
    deepEqual(
      index.manifests.map(({ digest }: OciDescriptor) => digest),
      [other.digest, digestOf(bytes)],
    );
    registry.lie = async (asked, honest) => {
      const answer = await honest();
      if (asked.method === "PUT" && asked.path.endsWith(tag)) registry.tags.set(tag, before);
      return answer;
    };
    const again = artifact(image, registry.blob("y"));
    equal(await reasonOf(target.putManifest(again)), "registry-conflict");
    equal(registry.tags.get(tag), before);
  });

  it("writes no manifest before its blobs, and no list before its manifest", async () => {
    const registry = new MemoryRegistry({ referrers: "none" });
    const image = registry.image("app", "1.0");
    registry.lie = ({ method, path }) =>
      method === "PUT" && path.startsWith("manifests/sha256:") ? fault(500, "BROKEN") : undefined;
    const bytes = artifact(image, registry.blob("x"));
    equal(await reasonOf(client(registry).putManifest(bytes)), "service-unavailable");
    equal(registry.tags.has(image.digest.replace(":", "-")), false);
  });

  it("waits for blobs that a registry took and does not see yet, and not for ever", async () => {
    let hidden = 2;
    const { registry, target } = liar(({ method, path }) =>
      method === "PUT" && path.startsWith("manifests/") && hidden-- > 0
        ? fault(400, "MANIFEST_BLOB_UNKNOWN")
        : undefined
    );
    const bytes = artifact(undefined, registry.blob("x"));
    equal((await target.putManifest(bytes)).created, true);
    hidden = Infinity;
    const other = artifact(undefined, registry.blob("y"));
    equal(await reasonOf(target.putManifest(other)), "service-refused");
    registry.lie = ({ method }) => method === "PUT" ? fault(400, "MANIFEST_INVALID") : undefined;
    equal(await reasonOf(target.putManifest(other)), "service-refused");
    ok(registry.log.filter((line) => line.startsWith("PUT")).length <= 9, registry.log.join());
  });

  it("says in words what the registry does not accept", async () => {
    const large: Lie = ({ method }) => method === "PUT" ? fault(413, "SIZE_INVALID") : undefined;
    const { registry, target } = liar(large);
    const bytes = artifact(undefined, registry.blob("x"));
    equal(await reasonOf(target.putManifest(bytes)), "limit-exceeded");
  });
});

describe("createRepository() and uploads that lead away", () => {
  const content = utf8("content");
  const blob = { mediaType: "a/b", digest: digestOf(content), size: content.length };

  async function uploadTo(location: string): Promise<{ registry: MemoryRegistry; reason: string }> {
    const registry = new MemoryRegistry({ user: "u:p" });
    registry.lie = async ({ method }, honest) => {
      const answer = await honest();
      return method === "POST" && answer.status === 202
        ? new Response(null, { status: 202, headers: { location } })
        : answer;
    };
    registry.others.set("https://store.example", () => new Response(null, { status: 201 }));
    const credentials = () => Promise.resolve({ username: "u", password: "p" });
    const target = client(registry, { credentials });
    return { registry, reason: await reasonOf(target.putBlob(blob, content)) };
  }

  it("sends the bytes to another host without credentials", async () => {
    const { registry, reason } = await uploadTo("https://store.example/put?signature=s");
    equal(reason, "accepted");
    const { url, headers } = registry.asked.at(-1)!;
    equal(url, `https://store.example/put?signature=s&digest=${encodeURIComponent(blob.digest)}`);
    equal(headers.get("authorization"), null);
  });

  it("goes to no address without https", async () => {
    for (const location of ["http://registry.example/x", "http://127.0.0.1/x", "ftp://a/"]) {
      equal((await uploadTo(location)).reason, "service-refused", location);
    }
    equal((await uploadTo("http://")).reason, "malformed-response");
  });
});

describe("createRepository() and a registry that lies", () => {
  const other = utf8("other");

  it("finds another body for a digest", async () => {
    const { image, target, registry } = liar(({ path }) =>
      path.startsWith("manifests/sha256:")
        ? new Response(registry.manifests.get(registry.image("other").digest)!.bytes)
        : path.startsWith("blobs/")
        ? new Response(other)
        : undefined
    );
    equal(await reasonOf(target.manifest(image.digest)), "content-mismatch");
    const blob = registry.blob("right");
    equal(await reasonOf(target.blob(blob)), "content-mismatch");
    const stream = await target.blobStream(blob);
    equal(await reasonOf(new Response(stream).text()), "content-mismatch");
    const long = { ...blob, size: 2 };
    equal(await reasonOf(target.blob(long)), "content-mismatch");
    equal(await reasonOf(new Response(await target.blobStream(long)).text()), "content-mismatch");
  });

  it("finds a tag whose body is not what its header states", async () => {
    const { target, registry } = liar(async (_, honest) => {
      const answer = await honest();
      answer.headers.set("docker-content-digest", `sha256:${HEX}`);
      return answer;
    });
    equal(await reasonOf(target.resolve("1.0")), "content-mismatch");
    equal(registry.asked.length, 1);
  });

  it("finds a descriptor of another size", async () => {
    const { image, target } = liar(() => undefined);
    equal(await reasonOf(target.manifest({ ...image, size: 1 })), "content-mismatch");
  });

  it("goes on with the digest when the tag moves between two requests", async () => {
    const { image, target, registry } = liar(() => undefined);
    const resolved = await target.resolve("1.0");
    registry.image("evil", "1.0");
    equal((await target.manifest(resolved)).digest, image.digest);
  });

  it("refuses manifests that can be read in two ways", async () => {
    const registry = new MemoryRegistry();
    const config = registry.blob("{}");
    const both = { schemaVersion: 2, config, layers: [], manifests: [] };
    const { digest } = registry.manifest(both);
    equal(await reasonOf(client(registry).manifest(digest)), "malformed-image-manifest");
    const type = "application/vnd.oci.image.index.v1+json";
    const image = { schemaVersion: 2, config, layers: [] };
    const stated = registry.manifest(image, "a", type);
    equal(await reasonOf(client(registry).manifest(stated.digest)), "malformed-image-manifest");
  });

  it("bounds a manifest of 50 MB by what is stated and by what comes", async () => {
    let sent = 0;
    const { image, target } = liar(() =>
      new Response(
        new ReadableStream({
          pull(controller) {
            sent += 1 << 20;
            controller.enqueue(new Uint8Array(1 << 20));
            if (sent >= 50 << 20) controller.close();
          },
        }),
      )
    );
    equal(await reasonOf(target.manifest(image.digest)), "limit-exceeded");
    ok(sent < 8 << 20, `${sent}`);
    equal(await reasonOf(target.referrers(image.digest)), "limit-exceeded");
    const stated = liar(() => new Response("{}", { headers: { "content-length": "52428800" } }));
    equal(await reasonOf(stated.target.resolve("1.0")), "limit-exceeded");
  });

  it("takes a page of HTML for no answer", async () => {
    const page = () =>
      new Response("<html>Log in</html>", { headers: { "content-type": "text/html; charset=x" } });
    const { image, target, registry } = liar(page);
    equal(await reasonOf(target.resolve("1.0")), "malformed-response");
    equal(await reasonOf(target.manifest(image.digest)), "malformed-response");
    equal(await reasonOf(target.referrers(image.digest)), "malformed-response");
    equal(await reasonOf(target.tags()), "malformed-response");
    equal(await reasonOf(target.blob(registry.blob("x".repeat(99)))), "malformed-response");
    const gone = liar(() =>
      new Response("<html>", { status: 404, headers: { "content-type": "text/html" } })
    );
    equal(await reasonOf(gone.target.tag("1.0")), "malformed-response");
    equal(await reasonOf(gone.target.referrers(image.digest)), "malformed-response");
  });

  it("does not wait for a slow drip", async () => {
    const registry = new MemoryRegistry();
    const image = registry.image("app", "1.0");
    registry.lie = () =>
      new Response(
        new ReadableStream({
          async pull(controller) {
            await new Promise((resolve) => setTimeout(resolve, 5));
            controller.enqueue(new Uint8Array([32]));
          },
        }),
      );
    const target = client(registry, { timeoutMs: 40, retries: 1 });
    equal(await reasonOf(target.resolve("1.0")), "service-unavailable");
    equal(await reasonOf(target.referrers(image.digest)), "service-unavailable");
  });

  it("tells what could not be asked from what is not there", async () => {
    for (
      const [status, reason] of [
        [401, "registry-auth-refused"],
        [403, "registry-access-denied"],
        [404, "image-not-found"],
        [429, "registry-rate-limited"],
        [500, "service-unavailable"],
        [418, "service-refused"],
      ] as const
    ) {
      const { target, registry } = liar(() => fault(status, "NO"));
      equal(await reasonOf(target.manifest(`sha256:${HEX}`)), reason, `${status}`);
      ok(registry.asked.length <= 4, `${status}`);
    }
    const fetch = () => Promise.reject(new TypeError("connection refused"));
    const target = createRepository("registry.example/app", { fetch, retries: 0 });
    equal(await reasonOf(target.tag("1.0")), "service-unavailable");
  });

  it("ends an endless list", async () => {
    const { target, image, registry } = liar((asked, honest) =>
      asked.path.startsWith("tags/") || asked.path.startsWith("referrers/")
        ? honest().then((answer) => {
          answer.headers.set("link", `<${asked.url.split("?")[0]}?again>; rel="next"`);
          return answer;
        })
        : undefined
    );
    equal(await reasonOf(target.referrers(image.digest)), "limit-exceeded");
    ok(registry.asked.length <= 202);
    equal(await reasonOf(target.tags()), "limit-exceeded");
  });

  it("follows the next page to no other place", async () => {
    for (
      const [link, reason] of [
        ["https://evil.example/v2/", "service-refused"],
        ["http://registry.example/", "service-refused"],
        ["/v2/other/referrers/", "service-refused"],
        ["http://", "malformed-response"],
      ]
    ) {
      const { target, image, registry } = liar(async (_, honest) => {
        const answer = await honest();
        answer.headers.set("link", `<${link}>; rel="next"`);
        return answer;
      });
      equal(await reasonOf(target.referrers(image.digest)), reason, link);
      equal(registry.asked.length, 1);
    }
  });

  it("refuses more referrers than it accepts", async () => {
    const registry = new MemoryRegistry({ pageSize: 500 });
    const image = registry.image("app", "1.0");
    const one = registry.referrer(image, "one");
    registry.lie = ({ path }) => {
      if (!path.startsWith("referrers/")) return undefined;
      const manifests = Array.from(
        { length: 10_000 },
        (_, i) => ({ ...one, digest: `sha256:${String(i).padStart(64, "0")}` }),
      );
      return Response.json({ schemaVersion: 2, manifests });
    };
    equal(await reasonOf(client(registry).referrers(image.digest)), "limit-exceeded");
    const many = client(registry, { maxReferrers: 10_000 });
    equal((await many.referrers(image.digest)).manifests.length, 10_000);
  });

  it("notes entries that cannot be read, lists each digest once, and goes on", async () => {
    const registry = new MemoryRegistry();
    const image = registry.image("app", "1.0");
    const good = registry.referrer(image, "good");
    const bad = { ...good, digest: "sha256:../../etc/passwd" };
    registry.lie = ({ path }) =>
      path.startsWith("referrers/")
        ? Response.json({
          schemaVersion: 2,
          manifests: [bad, good, good, null, { ...good, size: -1 }],
        })
        : undefined;
    const { manifests, notes } = await client(registry).referrers(image.digest);
    deepEqual(manifests.map(({ digest }) => digest), [good.digest]);
    deepEqual(notes.map(({ reason }) => reason), Array(3).fill("malformed-image-manifest"));
  });

  it("applies the filter itself when the registry ignores it and claims otherwise", async () => {
    const registry = new MemoryRegistry({ referrers: "loose" });
    const image = registry.image("app", "1.0");
    const wanted = registry.referrer(image, "one", "application/x.one");
    const other = registry.referrer(image, "two", "application/x.two");
    registry.lie = ({ path }) =>
      path.startsWith("referrers/")
        ? Response.json({ schemaVersion: 2, manifests: [other, wanted] }, {
          headers: { "oci-filters-applied": "artifactType" },
        })
        : undefined;
    const options = { artifactType: "application/x.one" };
    const { manifests } = await client(registry).referrers(image.digest, options);
    deepEqual(manifests.map(({ digest }) => digest), [wanted.digest]);
  });

  it("takes 400, 405 and 501 for a registry without the API, with a note", async () => {
    for (const status of [400, 405, 501]) {
      const { target, image } = liar(({ path }) =>
        path.startsWith("referrers/") ? fault(status, "UNSUPPORTED") : undefined
      );
      const { via, notes } = await target.referrers(image.digest);
      equal(via, "none");
      deepEqual(notes.map(({ reason }) => reason), ["service-refused"]);
    }
  });

  it("refuses a broken fallback index, and notes a tag that is no index", async () => {
    const registry = new MemoryRegistry({ referrers: "none" });
    const image = registry.image("app", "1.0");
    const tag = image.digest.replace(":", "-");
    registry.image("else", tag);
    const { via, notes } = await client(registry).referrers(image.digest);
    equal(via, "fallback-tag");
    deepEqual(notes.map(({ reason }) => reason), ["malformed-image-manifest"]);
    const bytes = utf8("{");
    registry.manifests.set(digestOf(bytes), {
      bytes,
      type: "application/vnd.oci.image.index.v1+json",
    });
    registry.tags.set(tag, digestOf(bytes));
    const target = client(registry);
    equal(await reasonOf(target.referrers(image.digest)), "malformed-image-manifest");
  });

  it("does not trust OCI-Subject of a registry without the API", async () => {
    const registry = new MemoryRegistry({ referrers: "none" });
    const image = registry.image("app", "1.0");
    registry.lie = async ({ method }, honest) => {
      const answer = await honest();
      if (method === "PUT") answer.headers.set("oci-subject", image.digest);
      return answer;
    };
    const { digest } = registry.referrer(image, "x");
    const { bytes } = registry.manifests.get(digest)!;
    equal((await client(registry).putManifest(bytes)).listedBy, "fallback-tag");
    const found = await client(registry).referrers(image.digest);
    deepEqual(found.manifests.map(({ digest }) => digest), [digest]);
  });

  it("does not trust the API of a registry that lists nothing", async () => {
    const registry = new MemoryRegistry();
    const image = registry.image("app", "1.0");
    const { digest } = registry.referrer(image, "x");
    const { bytes } = registry.manifests.get(digest)!;
    registry.lie = ({ path }) =>
      path.startsWith("referrers/")
        ? Response.json({ schemaVersion: 2, manifests: [] })
        : undefined;
    equal(await reasonOf(client(registry).putManifest(bytes)), "registry-conflict");
  });

  it("asks nothing for names that lead elsewhere", async () => {
    const { target, registry, image } = liar(() => undefined);
    for (const name of ["../../etc", "a/b", "a?b", "a#b", "%2e%2e", "", "-a", "a".repeat(129)]) {
      equal(await reasonOf(target.tag(name)), "malformed-image-reference", name);
    }
    for (const digest of ["sha256:../..", `sha256:${HEX}/..`, `md5:${HEX.slice(32)}`, ""]) {
      equal(await reasonOf(target.manifest(digest)), "invalid-digest", digest);
      equal(await reasonOf(target.blob({ ...image, digest })), "invalid-digest", digest);
      equal(await reasonOf(target.referrers(digest)), "invalid-digest", digest);
    }
    deepEqual(registry.log, []);
    for (const name of ["registry.example/../admin", "registry.example/a%2fb", "a/b", "app"]) {
      let reason = "accepted";
      try {
        createRepository(name);
      } catch (error) {
        if (isAttestationError(error)) reason = error.reason;
      }
      equal(reason, "malformed-image-reference", name);
    }
  });

  it("stops when the caller does", async () => {
    const { target } = liar(() => undefined);
    const signal = AbortSignal.abort();
    equal(await reasonOf(target.resolve("1.0", { signal })), "aborted");
  });
});
