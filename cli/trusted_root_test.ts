import { deepStrictEqual as deepEqual, match, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { PUBLIC_GOOD_ROOT } from "../sigstore/roots/public_good.ts";
import { parseTrustedRoot } from "../sigstore/trusted_root.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { TestTufRepository, TUF_START } from "../tools/pki/tuf_repository.ts";
import { main } from "./main.ts";
import { describeRoot } from "./trusted_root_show.ts";

const CONFIG = '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}';
const DAY = 24 * 60 * 60 * 1000;

class Bench {
  readonly repository: TestTufRepository;
  readonly runtime: MemoryRuntime;

  constructor(repository: TestTufRepository) {
    this.repository = repository;
    this.runtime = new MemoryRuntime({
      "root.json": repository.firstRoot,
      "taken.json": "mine",
    });
    this.runtime.variables = { HOME: "/home/me" };
    this.runtime.fetch = repository.fetch;
    this.runtime.now = () => TUF_START;
  }

  static async create(targets: Record<string, string> = {
    "trusted_root.json": PUBLIC_GOOD_ROOT,
    "signing_config.v0.2.json": CONFIG,
  }): Promise<Bench> {
    return new Bench(await TestTufRepository.create(targets));
  }

  async run(...args: string[]): Promise<number> {
    this.runtime.stdout = this.runtime.stderr = "";
    this.repository.requested.length = 0;
    Object.assign(this.runtime, { args: ["trusted-root", ...args] });
    return await main(this.runtime);
  }

  update(...args: string[]): Promise<number> {
    const { baseUrl } = this.repository;
    return this.run("update", "--tuf-url", baseUrl, "--tuf-root", "root.json", ...args);
  }

  text(path: string): string | undefined {
    const file = this.runtime.files.get(path);
    return typeof file === "string" ? file : undefined;
  }
}

describe("trusted-root update", () => {
  it("writes the trusted root and the signing configuration as they were published", async () => {
    const bench = await Bench.create();
    const files = ["--output", "out.json", "--signing-config-output", "config.json"];
    equal(await bench.update(...files), 0, bench.runtime.stderr);
    equal(bench.text("out.json"), PUBLIC_GOOD_ROOT);
    equal(bench.text("config.json"), CONFIG);
    match(bench.runtime.stdout, /versions +root 1, timestamp 1, snapshot 1, targets 1\n/);
    match(bench.runtime.stdout, /good until +2026-11-27T00:00:00Z\n/);
    match(bench.runtime.stdout, /2 logs, 2 CT logs, 2 CAs, 1 TSA\n/);
    match(bench.runtime.stdout, /written to +out.json\n/);
  });

  it("keeps what it got in the user's cache, or the one that is named", async () => {
    const bench = await Bench.create();
    equal(await bench.update(), 0);
    const kept = () =>
      [...bench.runtime.files.keys()].filter((path) => path.includes("tuf.example"));
    equal(kept().length, 5);
    ok(kept().every((path) => path.startsWith("/home/me/.cache/attest/tuf/tuf.example-")));
    equal(await bench.update(), 0);
    deepEqual(bench.repository.requested, ["2.root.json", "timestamp.json"]);

    bench.runtime.variables = { HOME: "/home/me", XDG_CACHE_HOME: "/xdg" };
    equal(await bench.update(), 0);
    ok(kept().some((path) => path.startsWith("/xdg/attest/tuf/")));
    equal(await bench.update("--cache", "here"), 0);
    ok(kept().some((path) => path.startsWith("here/tuf.example-")));
    bench.runtime.variables = {};
    equal(await bench.update(), 2);
    match(bench.runtime.stderr, /--cache DIR/);
    deepEqual(bench.repository.requested, []);
  });

  it("refuses files that are there, before it asks, and replaces them with --force", async () => {
    const bench = await Bench.create();
    equal(await bench.update("--output", "taken.json"), 2);
    match(bench.runtime.stderr, /file-exists/);
    deepEqual(bench.repository.requested, []);
    equal(bench.text("taken.json"), "mine");
    equal(await bench.update("--output", "taken.json", "--force"), 0);
    equal(bench.text("taken.json"), PUBLIC_GOOD_ROOT);
  });

  it("writes nothing when the repository is not to be trusted, and says why", async () => {
    const bench = await Bench.create();
    bench.runtime.now = () => new Date(TUF_START.getTime() + 8 * DAY);
    equal(await bench.update("--output", "out.json"), 1);
    match(bench.runtime.stderr, /"timestamp.json".*expired at 2026-11-27.*\(tuf-expired\)/);
    match(bench.runtime.stderr, /explain tuf-expired/);
    equal(bench.text("out.json"), undefined);

    equal(await bench.update("--output", "out.json", "--format", "json"), 1);
    const { ok: passed, errorReason } = JSON.parse(bench.runtime.stdout);
    deepEqual([passed, errorReason], [false, "tuf-expired"]);
  });

  it("cannot run when the repository does not answer", async () => {
    const bench = await Bench.create();
    bench.runtime.fetch = () => Promise.resolve(new Response("", { status: 401 }));
    equal(await bench.update(), 2);
    match(bench.runtime.stderr, /service-refused/);
  });

  it("says where the cache cannot be written", async () => {
    const bench = await Bench.create();
    equal(await bench.update("--cache", "readonly"), 2);
    match(bench.runtime.stderr, /unwritable-file/);
  });

  it("refuses to write a signing configuration that is not there, and writes no other file", async () => {
    const bench = await Bench.create({ "trusted_root.json": PUBLIC_GOOD_ROOT });
    const files = ["--output", "out.json", "--signing-config-output", "config.json"];
    equal(await bench.update(...files), 1);
    match(bench.runtime.stderr, /tuf-target-not-found/);
    equal(bench.text("out.json"), undefined);
  });

  it("reports for programs", async () => {
    const bench = await Bench.create();
    equal(await bench.update("--format", "json", "--output", "out.json"), 0);
    const { cache, ...report } = JSON.parse(bench.runtime.stdout);
    ok(cache.startsWith("/home/me/"));
    deepEqual(report, {
      ok: true,
      errorReason: null,
      repository: "https://tuf.example/repo",
      versions: { root: 1, timestamp: 1, snapshot: 1, targets: 1 },
      expires: "2026-11-27T00:00:00.000Z",
      signingConfig: true,
      written: ["out.json"],
    });
  });

  it("refuses contradictions and addresses without their root", async () => {
    const bench = await Bench.create();
    const wrong: string[][] = [
      [],
      ["refresh"],
      ["updat"],
      ["update", "file.json"],
      ["update", "--tuf-url", "https://tuf.example/repo"],
      ["update", "--tuf-url", "tuf.example", "--tuf-root", "root.json"],
      ["update", "--tuf-url", "file:///repo", "--tuf-root", "root.json"],
      ["update", "--tuf-url", "https://tuf.example/?x", "--tuf-root", "root.json"],
      ["update", "--force"],
      ["update", "--output", "-"],
      ["update", "--output", "a", "--signing-config-output", "a"],
      ["update", "--cached"],
      ["show", "--output", "x"],
      ["show", "--cache", "x"],
      ["show", "--cached", "taken.json"],
    ];
    for (const args of wrong) {
      equal(await bench.run(...args), 2, args.join(" "));
      match(bench.runtime.stderr, /\(usage\)/, args.join(" "));
      deepEqual(bench.repository.requested, []);
    }
    equal(await bench.update("--tuf-root", "gone.json"), 2);
  });
});

describe("trusted-root show", () => {
  const SHIPPED = "2026-12-01T00:00:00Z";

  it("shows the snapshot that comes with the program, without a request", async () => {
    const bench = await Bench.create();
    bench.runtime.now = () => new Date(SHIPPED);
    equal(await bench.run("show"), 0, bench.runtime.stderr);
    match(bench.runtime.stdout, /^npm:@sigstore\/tuf@/);
    for (const part of ["transparency logs", "https://rekor.", "CN=sigstore", "since 20"]) {
      ok(bench.runtime.stdout.includes(part), part);
    }
    ok(!bench.runtime.stdout.includes("warning"));
    deepEqual(bench.repository.requested, []);
    bench.runtime.now = () => new Date("2028-01-01T00:00:00Z");
    equal(await bench.run("show"), 0);
    match(bench.runtime.stdout, /warning: This snapshot is \d+ days old/);
  });

  it("shows files, also several roots in lines", async () => {
    const bench = await Bench.create();
    bench.runtime.files.set("two.jsonl", `${PUBLIC_GOOD_ROOT}\n${PUBLIC_GOOD_ROOT}\n`);
    bench.runtime.files.set("one.json", PUBLIC_GOOD_ROOT);
    equal(await bench.run("show", "one.json", "two.jsonl", "--format", "json"), 0);
    const shown = JSON.parse(bench.runtime.stdout);
    deepEqual(shown.map(({ source }: { source: string }) => source), [
      "one.json",
      "two.jsonl#1",
      "two.jsonl#2",
    ]);
    equal(shown[0].tlogs[0].keyFingerprint.length, 64);
    equal(shown[0].certificateAuthorities[1].certificates.length, 2);
    equal(await bench.run("show", "taken.json"), 2);
    match(bench.runtime.stderr, /taken.json/);
  });

  it("shows what the last update got, verified again, and that it has expired", async () => {
    const bench = await Bench.create();
    const which = ["--tuf-url", bench.repository.baseUrl, "--tuf-root", "root.json"];
    equal(await bench.run("show", "--cached", ...which), 2);
    match(bench.runtime.stderr, /run trusted-root update \(unreadable-file\)/);
    equal(await bench.update(), 0);
    equal(await bench.run("show", "--cached", ...which), 0, bench.runtime.stderr);
    match(bench.runtime.stdout, /TUF: root 1, timestamp 1, snapshot 1, targets 1; good until/);
    ok(!bench.runtime.stdout.includes("TUF metadata expired"));
    deepEqual(bench.repository.requested, []);
    bench.runtime.now = () => new Date(TUF_START.getTime() + 8 * DAY);
    equal(await bench.run("show", "--cached", ...which), 0);
    match(bench.runtime.stdout, /warning: Its TUF metadata expired at 2026-11-27T00:00:00Z/);

    const path = [...bench.runtime.files.keys()].find((name) => /\/target-[^/]+$/.test(name)) ?? "";
    for (const [name] of bench.runtime.files) {
      if (name.includes("/target-")) bench.runtime.files.set(name, utf8("{}"));
    }
    ok(path !== "");
    equal(await bench.run("show", "--cached", ...which), 2);
  });
});

describe("describeRoot()", () => {
  const root = parseTrustedRoot(PUBLIC_GOOD_ROOT);
  const warnings = (time: string) => describeRoot("x", root, new Date(time)).warnings;

  it("does not warn of what was replaced", () => deepEqual(warnings("2026-12-01T00:00:00Z"), []));

  it("warns of what ends within 30 days, and of what has ended", () => {
    ok(
      warnings("2031-09-20T00:00:00Z").some((line) =>
        /certificate authority .* ends at/.test(line)
      ),
    );
    ok(
      warnings("2032-01-01T00:00:00Z").some((line) =>
        /certificate authority .* ended at/.test(line)
      ),
    );
  });

  it("warns when nothing of a kind is valid", () => {
    ok(warnings("2020-01-01T00:00:00Z").includes("No log is valid now"));
    ok(warnings("2020-01-01T00:00:00Z").includes("No timestamp authority is valid now"));
  });
});
