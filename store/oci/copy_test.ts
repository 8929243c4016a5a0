import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { fault, MemoryRegistry } from "../../tests/fixtures/registry.ts";
import { copyImage, type CopyOptions } from "./copy.ts";
import { createLayout, createMemoryFiles } from "./layout.ts";
import { createRepository } from "./repository.ts";
import type { OciDescriptor, OciTarget } from "./source.ts";

function client(registry: MemoryRegistry): OciTarget {
  const sleep = () => Promise.resolve();
  return createRepository(registry.reference, { fetch: registry.fetch, sleep, retries: 0 });
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

interface Image {
  registry: MemoryRegistry;
  index: OciDescriptor;
  platforms: OciDescriptor[];
  /** Digests of all that hangs on it. */
  attached: string[];
}

/** An index of two platforms with referrers, a referrer of a referrer, and cosign's tags. */
function image(referrers: "api" | "none" = "api"): Image {
  const registry = new MemoryRegistry({ referrers });
  const platforms = ["amd64", "arm64"].map((architecture) => ({
    ...registry.image(architecture),
    platform: { architecture, os: "linux" },
  }));
  const index = registry.manifest({ schemaVersion: 2, manifests: platforms }, "1.0");
  const attached: string[] = [];
  const attach = (subject: OciDescriptor, content: string) => {
    const { mediaType, digest, size } = subject;
    const referrer = registry.referrer({ mediaType, digest, size }, content);
    attached.push(referrer.digest);
    if (referrers === "none") {
      const tag = digest.replace(":", "-");
      const before = registry.tags.get(tag);
      const manifests = before === undefined
        ? []
        : JSON.parse(new TextDecoder().decode(registry.manifests.get(before)!.bytes)).manifests;
      registry.manifest({ schemaVersion: 2, manifests: [...manifests, referrer] }, tag);
    }
    return referrer;
  };
  for (const one of [index, ...platforms]) {
    const bundle = attach(one, `bundle of ${one.digest}`);
    if (one === index) attach(bundle, "signature of the bundle");
    for (const suffix of ["sig", "att"]) {
      attached.push(
        registry.image(`${suffix} of ${one.digest}`, `${one.digest.replace(":", "-")}.${suffix}`)
          .digest,
      );
    }
  }
  return { registry, index, platforms, attached };
}

function copy(from: OciTarget, to: OciTarget, root: OciDescriptor, options: CopyOptions = {}) {
  return copyImage(from, to, { root, tag: "1.0", ...options });
}

async function everything(target: OciTarget, { platforms, index, attached }: Image): Promise<void> {
  equal((await target.resolve("1.0")).digest, index.digest);
  const found: string[] = [];
  for (const { digest } of [index, ...platforms]) {
    const manifest = await target.manifest(digest);
    for (const layer of manifest.layers) await target.blob(layer);
    for (const referrer of (await target.referrers(digest)).manifests) {
      found.push(referrer.digest);
      for (const one of (await target.referrers(referrer.digest)).manifests) found.push(one.digest);
    }
    for (const suffix of ["sig", "att"]) {
      found.push((await target.resolve(`${digest.replace(":", "-")}.${suffix}`)).digest);
    }
  }
  deepEqual(found.sort(), [...attached].sort());
}

describe("copyImage()", () => {
  for (const from of ["api", "none"] as const) {
    for (const to of ["api", "none"] as const) {
      it(`copies all that hangs on an image (referrers: ${from} to ${to})`, async () => {
        const made = image(from);
        const other = new MemoryRegistry({ referrers: to, host: "other.example" });
        const source = client(made.registry);
        const { steps } = await copy(source, client(other), await source.resolve("1.0"));
        await everything(client(other), made);
        ok(steps.every(({ written }) => written));
        equal(steps.at(-1)?.tag, "1.0");
        equal(
          other.log.filter((line) => line.startsWith("PUT manifests/")).at(-1),
          "PUT manifests/1.0",
        );
        const again = await copy(source, client(other), await source.resolve("1.0"));
        ok(again.steps.every(({ written }) => !written));
      });
    }
  }

  it("copies to a layout and back", async () => {
    const made = image();
    const source = client(made.registry);
    const layout = createLayout(createMemoryFiles("layout"));
    await copy(source, layout, made.index);
    await everything(layout, made);
    const other = new MemoryRegistry({ host: "other.example", referrers: "none" });
    await copy(layout, client(other), await layout.resolve("1.0"));
    await everything(client(other), made);
  });

  it("writes nothing in a dry run, and only the image when it is to be bare", async () => {
    const made = image();
    const source = client(made.registry);
    const other = new MemoryRegistry({ host: "other.example" });
    const dry = await copy(source, client(other), made.index, { dryRun: true });
    deepEqual(other.log, []);
    const whole = await copy(source, client(other), made.index);
    deepEqual(
      dry.steps.map(({ digest }) => digest).sort(),
      whole.steps.map(({ digest }) => digest).sort(),
    );
    const third = new MemoryRegistry({ host: "third.example" });
    const { steps } = await copy(source, client(third), made.index, { bare: true });
    deepEqual(
      steps.filter(({ kind }) => kind === "manifest").map(({ role }) => role),
      ["platform", "platform", "image"],
    );
  });

  it("tells each step, and lets large content flow", async () => {
    const registry = new MemoryRegistry();
    const large = registry.blob(new Uint8Array(5 << 20), "application/vnd.oci.image.layer.v1.tar");
    const config = registry.blob("{}", "application/vnd.oci.image.config.v1+json");
    const root = registry.manifest({ schemaVersion: 2, config, layers: [large] }, "1.0");
    const other = new MemoryRegistry({ host: "other.example" });
    const told: string[] = [];
    await copy(client(registry), client(other), root, {
      onStep: ({ kind, type }) => told.push(`${kind} ${type.split(".").at(-1)}`),
    });
    deepEqual(told.sort(), ["blob tar", "blob v1+json", "manifest v1+json"]);
    equal(other.blobs.get(large.digest)?.length, large.size);
    ok(other.asked.some(({ method }) => method === "PATCH"));
  });

  it("gives no tag to what is not all there, wherever it breaks off", async () => {
    const made = image("none");
    const source = client(made.registry);
    for (let allowed = 0;; allowed += 17) {
      const other = new MemoryRegistry({ host: "other.example", referrers: "none" });
      let writes = 0;
      other.lie = ({ method }) =>
        method !== "GET" && method !== "HEAD" && writes++ >= allowed ? fault(403, "NO") : undefined;
      const reason = await reasonOf(copy(source, client(other), made.index));
      other.lie = undefined;
      equal(other.tags.has("1.0"), reason === "accepted");
      for (const digest of other.tags.values()) ok(other.manifests.has(digest));
      await copy(source, client(other), made.index);
      await everything(client(other), made);
      if (reason === "accepted") break;
      equal(reason, "registry-access-denied");
    }
  });

  it("copies no changed byte, and no referrer of something else", async () => {
    const made = image();
    const [{ digest }] = [...made.registry.blobs].map(([digest]) => ({ digest }));
    const other = new MemoryRegistry({ host: "other.example" });
    made.registry.lie = ({ path, method }) =>
      method === "GET" && path === `blobs/${digest}` ? new Response("changed") : undefined;
    const source = client(made.registry);
    equal(await reasonOf(copy(source, client(other), made.index)), "content-mismatch");
    equal(other.tags.has("1.0"), false);
    const stranger = made.registry.referrer(made.platforms[0], "stranger");
    made.registry.lie = async (asked, honest) => {
      const answer = await honest();
      if (asked.path !== `referrers/${made.index.digest}`) return answer;
      const index = await answer.json();
      return Response.json({ ...index, manifests: [...index.manifests, stranger] });
    };
    const { notes, steps } = await copy(client(made.registry), client(other), made.index);
    equal(notes.length, 1);
    ok(notes[0].includes(stranger.digest));
    const taken = steps.filter(({ digest }) => digest === stranger.digest);
    deepEqual(taken.map(({ of }) => of), [made.platforms[0].digest]);
  });

  it("ends with referrers that refer to each other for ever, and layers of others", async () => {
    const registry = new MemoryRegistry();
    const foreign = {
      ...registry.blob("x", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"),
    };
    const config = registry.blob("{}", "application/vnd.oci.image.config.v1+json");
    const root = registry.manifest({ schemaVersion: 2, config, layers: [foreign] }, "1.0");
    let last: OciDescriptor = root;
    for (let i = 0; i < 12; i++) last = registry.referrer(last, `${i}`);
    const other = new MemoryRegistry({ host: "other.example" });
    const target = client(other);
    equal(await reasonOf(copy(client(registry), target, root)), "limit-exceeded");
    const { notes } = await copy(client(registry), target, root, { bare: true }).catch((error) => {
      // A registry in memory wants every blob; a real one makes an exception of these.
      equal(error.reason, "service-refused");
      return { notes: [""] };
    });
    equal(notes.length, 1);
  });
});
