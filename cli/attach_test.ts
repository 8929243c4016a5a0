import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { attestation } from "../store/_contract_test.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { MemoryRegistry } from "../tests/fixtures/registry.ts";
import type { OciDescriptor } from "../store/oci/source.ts";
import { main } from "./main.ts";

interface Setup {
  registry: MemoryRegistry;
  index: OciDescriptor;
  amd64: OciDescriptor;
  arm64: OciDescriptor;
}

function setup(registry = new MemoryRegistry()): Setup {
  const [amd64, arm64] = ["amd64", "arm64"].map((name) => registry.image(name));
  const of = (descriptor: OciDescriptor, architecture: string) => ({
    ...descriptor,
    platform: { architecture, os: "linux" },
  });
  const manifests = [of(amd64, "amd64"), of(arm64, "arm64")];
  const index = registry.manifest({ schemaVersion: 2, manifests }, "1.0");
  return { registry, index, amd64, arm64 };
}

function about(...descriptors: OciDescriptor[]): string {
  const subjects = descriptors.map(({ digest }) => ({ sha256: digest.slice("sha256:".length) }));
  return new TextDecoder().decode(attestation(subjects));
}

async function run(
  registry: MemoryRegistry,
  args: readonly string[],
  more: Partial<Pick<MemoryRuntime, "stdin" | "variables">> & { files?: Record<string, string> } =
    {},
): Promise<{ status: number; runtime: MemoryRuntime }> {
  const { files = {}, ...rest } = more;
  const runtime = new MemoryRuntime(files, args);
  Object.assign(runtime, { fetch: registry.fetch, sleep: () => Promise.resolve() }, rest);
  return { status: await main(runtime), runtime };
}

function referrersOf(registry: MemoryRegistry, { digest }: OciDescriptor): number {
  return [...registry.manifests.values()].filter(({ bytes }) =>
    JSON.parse(new TextDecoder().decode(bytes)).subject?.digest === digest
  ).length;
}

const IMAGE = "oci://registry.example/acme/app:1.0";

describe("attach", () => {
  it("hangs each attestation on the manifests that it is about", async () => {
    const { registry, index, amd64, arm64 } = setup();
    const files = { "a.json": about(amd64), "b.json": about(arm64, index) };
    const { status, runtime } = await run(registry, ["attach", IMAGE, "a.json", "-a", "b.json"], {
      files,
    });
    equal(status, 0, runtime.stderr);
    deepEqual([amd64, arm64, index].map((one) => referrersOf(registry, one)), [1, 1, 0]);
    ok(runtime.stdout.includes("linux/amd64"));
    const again = await run(registry, ["attach", IMAGE, "a.json", "--format=json"], { files });
    const { attached } = JSON.parse(again.runtime.stdout);
    deepEqual(attached.map(({ outcome }: { outcome: string }) => outcome), ["was-there"]);
    equal(referrersOf(registry, amd64), 1);
  });

  it("goes to the index only when it is asked to", async () => {
    const { registry, index } = setup();
    const files = { "i.json": about(index) };
    const without = await run(registry, ["attach", IMAGE, "i.json"], { files });
    equal(without.status, 2);
    ok(without.runtime.stderr.includes("--index"));
    equal(referrersOf(registry, index), 0);
    const { status } = await run(registry, ["attach", IMAGE, "i.json", "--index"], { files });
    equal(status, 0);
    equal(referrersOf(registry, index), 1);
  });

  it("reads one attestation a line, and keeps to the platforms that are asked for", async () => {
    const { registry, amd64, arm64 } = setup();
    const files = { "all.intoto.jsonl": `${about(amd64)}\n\n${about(amd64, arm64)}\n` };
    const args = ["attach", IMAGE, "all.intoto.jsonl", "--platform=linux/amd64"];
    equal((await run(registry, args, { files })).status, 0);
    deepEqual([amd64, arm64].map((one) => referrersOf(registry, one)), [2, 0]);
    const windows = ["attach", IMAGE, "all.intoto.jsonl", "--platform=windows/amd64"];
    equal((await run(registry, windows, { files })).status, 2);
  });

  it("writes nothing in a dry run, and nothing at all when one of them is refused", async () => {
    const { registry, amd64 } = setup();
    const other = new MemoryRegistry().image("other");
    const files = { "a.json": about(amd64), "o.json": about(other), "no.json": "{" };
    const isWrite = ({ method }: { method: string }) => method !== "GET" && method !== "HEAD";
    const dry = await run(registry, ["attach", IMAGE, "a.json", "--dry-run"], { files });
    equal(dry.status, 0);
    ok(dry.runtime.stdout.includes("would be attached"));
    const refused = await run(registry, ["attach", IMAGE, "a.json", "o.json"], { files });
    equal(refused.status, 1);
    ok(refused.runtime.stderr.includes("subject-mismatch"));
    const broken = await run(registry, ["attach", IMAGE, "a.json", "no.json"], { files });
    equal(broken.status, 2);
    ok(broken.runtime.stderr.includes("malformed-json"));
    equal(registry.asked.some(isWrite), false);
  });

  it("takes a password from standard input, and sends it to that host only", async () => {
    const { registry, amd64 } = setup(new MemoryRegistry({ user: "ci:s3cret" }));
    const files = { "a.json": about(amd64) };
    const args = ["attach", IMAGE, "a.json", "--registry-username=ci", "--registry-password-stdin"];
    const { status, runtime } = await run(registry, args, { files, stdin: "s3cret\n" });
    equal(status, 0, runtime.stderr);
    equal(runtime.stderr.includes("s3cret") || runtime.stdout.includes("s3cret"), false);
    const alone = ["attach", IMAGE, "a.json", "--registry-username=ci"];
    equal((await run(registry, alone, { files })).status, 2);
    const wrong = await run(registry, args, { files, stdin: "other" });
    equal(wrong.status, 2);
    ok(wrong.runtime.stderr.includes("registry-access-denied"));
    equal((await run(registry, args, { files, stdin: "\n" })).status, 2);
  });

  it("reads the configuration of Docker where it is told to", async () => {
    const { registry, amd64 } = setup(new MemoryRegistry({ user: "ci:s3cret", bearer: true }));
    const config = JSON.stringify({ auths: { "registry.example": { auth: btoa("ci:s3cret") } } });
    const files = { "a.json": about(amd64), "docker/config.json": config };
    const args = ["attach", IMAGE, "a.json", "--docker-config"];
    equal((await run(registry, [...args, "docker"], { files })).status, 0);
    equal((await run(registry, [...args, "elsewhere"], { files })).status, 2);
  });

  it("reaches a named host without TLS, and writes into a layout", async () => {
    const registry = new MemoryRegistry({ host: "plain.example:5000" });
    const { amd64 } = setup(registry);
    const files = { "a.json": about(amd64) };
    const image = `oci://${registry.reference}:1.0`;
    const args = ["attach", image, "a.json", "--plain-http=plain.example:5000"];
    equal((await run(registry, args, { files })).status, 0);
    ok(registry.asked.every(({ url }) => url.startsWith("http://")));
  });

  it("says what is missing", async () => {
    const { registry } = setup();
    for (
      const args of [[], [IMAGE], ["app.tgz", "a.json"], [
        IMAGE,
        "a.json",
        "--index",
        "--platform=a/b",
      ]]
    ) {
      equal((await run(registry, ["attach", ...args])).status, 2);
    }
    deepEqual(registry.log, []);
  });
});

describe("copy", () => {
  /** Two registries behind one `fetch`. */
  function both(from: MemoryRegistry, to: MemoryRegistry): MemoryRegistry {
    return {
      fetch: (url: string, init?: RequestInit) =>
        new URL(url).host === to.host ? to.fetch(url, init) : from.fetch(url, init),
    } as MemoryRegistry;
  }

  const TARGET = "oci://mirror.example/acme/app";

  it("copies an image with what hangs on it, under the same tag or another", async () => {
    const { registry, index, amd64 } = setup();
    const { digest } = registry.referrer(amd64, "bundle");
    const mirror = new MemoryRegistry({ host: "mirror.example", referrers: "none" });
    const { status, runtime } = await run(both(registry, mirror), ["copy", IMAGE, TARGET]);
    equal(status, 0, runtime.stderr);
    equal(mirror.tags.get("1.0"), index.digest);
    ok(mirror.manifests.has(digest));
    ok(runtime.stdout.includes(`copied: referrer ${digest}`));
    const json = await run(both(registry, mirror), ["copy", IMAGE, `${TARGET}:2`, "--format=json"]);
    equal(mirror.tags.get("2"), index.digest);
    equal(JSON.parse(json.runtime.stdout).digest, index.digest);
  });

  it("writes nothing in a dry run, and only the image when told so", async () => {
    const { registry, amd64 } = setup();
    const { digest } = registry.referrer(amd64, "bundle");
    const mirror = new MemoryRegistry({ host: "mirror.example" });
    const dry = await run(both(registry, mirror), ["copy", IMAGE, TARGET, "--dry-run"]);
    equal(dry.status, 0);
    ok(dry.runtime.stdout.includes(`would copy: referrer ${digest}`));
    deepEqual(mirror.log, []);
    const bare = await run(both(registry, mirror), ["copy", IMAGE, TARGET, "--image-only"]);
    equal(bare.status, 0);
    equal(mirror.manifests.has(digest), false);
    equal(mirror.tags.has("1.0"), true);
  });

  it("copies into a layout and back, and never among other files", async () => {
    const { registry, index } = setup();
    const runtime = new MemoryRuntime({}, ["copy", IMAGE, "oci-layout:lay"]);
    Object.assign(runtime, { fetch: registry.fetch });
    equal(await main(runtime), 0, runtime.stderr);
    equal((await runtime.disk.names("lay")).includes("index.json"), true);
    const hex = index.digest.slice("sha256:".length);
    equal((await runtime.disk.entry(`lay/blobs/sha256/${hex}`))?.kind, "file");
    await runtime.disk.makeFolder("other");
    await runtime.disk.createNew("other/file", utf8("x"));
    const among = new MemoryRuntime({}, ["copy", IMAGE, "oci-layout:other"]);
    Object.assign(among, { fetch: registry.fetch, disk: runtime.disk });
    equal(await main(among), 2);
    deepEqual(await runtime.disk.names("other"), ["file"]);
  });

  it("says what is missing, and takes no password for two registries", async () => {
    const { registry } = setup();
    const digest = `${TARGET}@sha256:${"a".repeat(64)}`;
    for (
      const args of [
        [],
        [IMAGE],
        [IMAGE, TARGET, TARGET],
        ["app", TARGET],
        [IMAGE, "app"],
        [IMAGE, digest],
        [IMAGE, "oci-layout:"],
        [IMAGE, "oci-layout:lay:-x"],
        [IMAGE, TARGET, "--registry-password-stdin"],
      ]
    ) equal((await run(registry, ["copy", ...args])).status, 2, args.join(" "));
    deepEqual(registry.log, []);
  });
});
