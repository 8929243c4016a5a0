import assert from "node:assert/strict";
import { test } from "node:test";
import { utf8 } from "../internal/bytes.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { gzip, tar } from "../tests/fixtures/chart.ts";
import { digestOf } from "../tests/fixtures/oci.ts";
import { envelopeAbout, image, publicKey } from "../tests/fixtures/attested_image.ts";
import type { MemoryRegistry } from "../tests/fixtures/registry.ts";
import type { VerificationReport } from "../verify/mod.ts";
import { main } from "./main.ts";
import { machineCredentials } from "./registry.ts";

async function run(
  registry: MemoryRegistry,
  args: readonly string[],
  files: Record<string, string> = {},
  variables: Record<string, string> = {},
) {
  const runtime = new MemoryRuntime({ "ci.pub": await publicKey(), ...files }, args);
  runtime.fetch = registry.fetch;
  runtime.sleep = () => Promise.resolve();
  runtime.variables = variables;
  const status = await main(runtime);
  return { status, out: runtime.stdout, err: runtime.stderr };
}

const VERIFY = ["verify", "oci://registry.example/acme/app:1", "--key=ci.pub"];

test("verify oci:// accepts an image with every platform attested", async () => {
  const { registry } = await image(["amd64", "arm64"]);
  const { status, out, err } = await run(registry, VERIFY);
  assert.equal(status, 0, out + err);
  assert.ok(out.includes("PASSED  oci://registry.example/acme/app:1 (linux/arm64)"), out);
  assert.ok(out.includes("PASSED: 2 artifacts verified"));
  const requests = registry.log.filter((line) => line.includes("manifests/1"));
  assert.equal(requests.length, 1);
  assert.equal(new Set(registry.log).size, registry.log.length);
});

test("verify oci:// names the platform without an attestation, and what to do", async () => {
  const { registry } = await image(["amd64", "index"]);
  const { status, out } = await run(registry, VERIFY);
  assert.equal(status, 1);
  assert.ok(out.includes("FAILED  oci://registry.example/acme/app:1 (linux/arm64)"), out);
  assert.ok(out.includes("looked for"), out);
  assert.ok(/next +Not every platform has attestations, these have none: linux\/arm64/.test(out));
  assert.ok(out.includes("FAILED: 1 of 2 artifacts verified (attestation-not-found)"));
});

test("verify oci:// --format json has the platforms and where was looked", async () => {
  const { registry, index } = await image(["index"]);
  const { status, out } = await run(registry, [...VERIFY, "--format=json"]);
  assert.equal(status, 1);
  const report: VerificationReport = JSON.parse(out);
  assert.deepEqual(report.artifacts.map(({ platform }) => platform), [
    "linux/amd64",
    "linux/arm64",
  ]);
  assert.equal(report.artifacts[0].lookups?.length, 3);
  assert.equal(report.images?.[0].digest, index.digest);
  assert.equal(report.images?.[0].index?.ok, true);
  assert.ok(report.images?.[0].hint?.startsWith("Only the index"));
});

test("verify --platform, --every-platform and --inherit-from-index choose what counts", async () => {
  const { registry } = await image(["amd64"]);
  assert.equal((await run(registry, [...VERIFY, "--platform=linux/amd64"])).status, 0);
  assert.equal((await run(registry, [...VERIFY, "--platform=linux/arm64"])).status, 1);
  assert.equal((await run(registry, [...VERIFY, "--every-platform"])).status, 1);
  const absent = await run(registry, [...VERIFY, "--platform=linux/s390x"]);
  assert.equal(absent.status, 1);
  assert.ok(absent.out.includes("platform-not-found"), absent.out);
  const { registry: other } = await image(["index"]);
  assert.equal((await run(other, VERIFY)).status, 1);
  assert.equal((await run(other, [...VERIFY, "--inherit-from-index"])).status, 0);
});

test("verify oci:// ends with 2 where it could not look, never as if nothing were there", async () => {
  const { registry } = await image(["amd64", "arm64"]);
  registry.lie = ({ path }) =>
    path.startsWith("referrers/") || /manifests\/sha256-[0-9a-f]+$/.test(path)
      ? new Response("", { status: 503 })
      : undefined;
  const { status, out } = await run(registry, VERIFY);
  assert.equal(status, 2);
  assert.ok(out.includes("COULD NOT LOOK"), out);
  assert.ok(out.includes("(store-unavailable)"), out);
});

test("verify oci:// takes the attestations that are given, and asks for no others", async () => {
  const { registry, amd64 } = await image([]);
  const envelope = await envelopeAbout(amd64.digest);
  const args = [...VERIFY, "--platform=linux/amd64", "--bundle=a.json"];
  const { status, out, err } = await run(registry, args, { "a.json": envelope });
  assert.equal(status, 0, out + err);
  assert.ok(!registry.log.some((line) => line.includes("referrers")));
  // By its digest nothing at all is asked of the registry.
  registry.asked.length = 0;
  const known = `oci://registry.example/acme/app@${amd64.digest}`;
  const alone = await run(registry, ["verify", known, "--key=ci.pub", "--bundle=a.json"], {
    "a.json": envelope,
  });
  assert.equal(alone.status, 0);
  assert.deepEqual(registry.log, []);
});

test("verify oci:// is judged by a policy over all platforms", async () => {
  const { registry } = await image(["amd64", "index"]);
  const pem = await publicKey();
  const policy = (platforms?: string) =>
    JSON.stringify({
      type: "attest-policy/v1",
      ...(platforms === undefined ? {} : { platforms }),
      trust: {
        keys: { ci: { publicKey: pem } },
        roots: [],
      },
      rules: [{
        id: "app",
        select: { oci: "registry.example/acme/*" },
        require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }],
      }],
    });
  const args = ["verify", "oci://registry.example/acme/app:1", "--policy=p.json"];
  const own = await run(registry, args, { "p.json": policy() });
  assert.equal(own.status, 1, own.err);
  assert.ok(own.out.includes("1 of 2 artifacts accepted"), own.out);
  const inherited = await run(registry, args, { "p.json": policy("from-index") });
  assert.equal(inherited.status, 0, inherited.out + inherited.err);
  const both = await run(registry, [...args, "--inherit-from-index"], { "p.json": policy() });
  assert.equal(both.status, 2);
  assert.ok(both.err.includes("the policy says"));
});

test("tree shows what hangs on which platform, with verdicts where somebody is believed", async () => {
  const { registry, amd64, arm64 } = await image(["amd64", "index"]);
  const REF = "oci://registry.example/acme/app:1";
  const plain = await run(registry, ["tree", REF]);
  assert.equal(plain.status, 0, plain.err);
  assert.ok(plain.out.startsWith(`${REF}  sha256:`), plain.out);
  assert.ok(plain.out.includes(`├─ linux/amd64  ${amd64.digest} (manifest)`), plain.out);
  assert.ok(plain.out.includes(`└─ linux/arm64  ${arm64.digest} (manifest)`), plain.out);
  assert.ok(plain.out.includes("https://example.com/checked/v1 (dsse, by referrers)"));
  assert.ok(!plain.out.includes("PASSED"));
  assert.ok(plain.err.includes("Nothing was verified"));
  const judged = await run(registry, ["tree", REF, "--key=ci.pub", "--platform=linux/amd64"]);
  assert.equal(judged.err, "");
  assert.ok(judged.out.includes("PASSED  https://example.com/checked/v1"), judged.out);
  assert.ok(!judged.out.includes("arm64"));
  const diagram = await run(registry, ["tree", REF, "--key=ci.pub", "--format=mermaid"]);
  assert.ok(diagram.out.startsWith("flowchart TD\n"), diagram.out);
  assert.ok(
    /n\d+\(\["https:\/\/example\.com\/checked\/v1<br>by referrers<br>PASSED"\]\):::ok/.test(
      diagram.out,
    ),
  );
  const json = await run(registry, ["tree", REF, "--format=json", "--index-only"]);
  const tree = JSON.parse(json.out);
  assert.equal(tree.kind, "index");
  assert.equal(tree.children.length, 1);
  assert.equal(tree.children[0].predicateType, "https://example.com/checked/v1");
  assert.equal(tree.children[0].verdict, undefined);
});

test("tree ends with 2 where a place could not be asked, and takes an image alone", async () => {
  const { registry } = await image(["amd64"]);
  registry.lie = ({ path }) =>
    path.endsWith(".att") ? new Response("", { status: 503 }) : undefined;
  const { status, out } = await run(registry, ["tree", "oci://registry.example/acme/app:1"]);
  assert.equal(status, 2);
  assert.ok(out.includes("COULD NOT LOOK"), out);
  for (
    const args of [["tree"], ["tree", "app.tgz"], [
      "tree",
      "oci://a.example/b",
      "oci://a.example/c",
    ]]
  ) {
    const wrong = await run(registry, args);
    assert.equal(wrong.status, 2);
    assert.ok(wrong.err.includes("(usage)"), wrong.err);
  }
});

test("download writes nothing where a place could not be asked, or a folder is taken", async () => {
  const { registry } = await image(["amd64"]);
  const REF = "oci://registry.example/acme/app:1";
  registry.lie = ({ path }) =>
    path.endsWith(".sig") ? new Response("", { status: 503 }) : undefined;
  const down = await run(registry, ["download", REF, "--output=out"]);
  assert.equal(down.status, 2);
  assert.ok(down.err.includes("(store-unavailable)"), down.err);
  registry.lie = undefined;
  const taken = await run(registry, ["download", REF, "--output=out"], { "out/a": "" });
  assert.equal(taken.status, 2);
  assert.ok(taken.err.includes("(file-exists)"), taken.err);
  const nowhere = await run(registry, ["download", REF]);
  assert.ok(nowhere.err.includes("download needs --output"), nowhere.err);
});

test("verify helm: takes a chart of a repository that is reached by HTTP", async () => {
  const { registry } = await image([]);
  const packed = await gzip(tar("app/Chart.yaml", "name: app\nversion: 1.2.3\n"));
  const digest = digestOf(packed);
  const files: Record<string, string | Uint8Array<ArrayBuffer>> = {
    "/stable/index.yaml":
      "entries:\n  app:\n  - name: app\n    version: 1.2.3\n    urls: [app-1.2.3.tgz]\n",
    "/stable/app-1.2.3.tgz": packed,
    "/stable/app-1.2.3.tgz.intoto.json": await envelopeAbout(digest),
  };
  registry.lie = ({ path }) =>
    new Response(files[path] ?? "", { status: files[path] === undefined ? 404 : 200 });
  const CHART = "helm:https://registry.example/stable/app@1.2.3";
  const { status, out, err } = await run(registry, ["verify", CHART, "--key=ci.pub"]);
  assert.equal(status, 0, out + err);
  assert.ok(/chart +app 1\.2\.3/.test(out), out);
  const wrong = await run(registry, ["verify", "helm:app@1.2.3", "--key=ci.pub"]);
  assert.ok(wrong.err.includes("(usage)"), wrong.err);
});

test("--oci-repository names the repository of a layout, and of nothing else", async () => {
  const { registry } = await image(["amd64"]);
  const named = await run(registry, [...VERIFY, "--oci-repository=registry.example/acme/app"]);
  assert.equal(named.status, 2);
  assert.ok(named.err.includes("a reference names its repository"), named.err);
  const args = ["tree", "oci-layout:folder", "--oci-repository=registry.example/acme/app:1"];
  const tagged = await run(registry, args, { "folder/oci-layout": "" });
  assert.ok(tagged.err.includes("without tag and digest"), tagged.err);
});

test("verify oci:// goes without TLS only where --plain-http names the host", async () => {
  const { registry } = await image(["amd64", "arm64"]);
  await run(registry, VERIFY);
  assert.ok(registry.asked.every(({ url }) => url.startsWith("https://")));
  registry.asked.length = 0;
  const { status } = await run(registry, [...VERIFY, "--plain-http=registry.example"]);
  assert.equal(status, 0);
  assert.ok(registry.asked.every(({ url }) => url.startsWith("http://")));
});

test("verify oci:// authenticates with what the environment has for that host", async () => {
  const { registry } = await image(["amd64", "arm64"], { user: "ci:secret" });
  assert.equal((await run(registry, VERIFY)).status, 2);
  const variables = {
    ATTEST_REGISTRY: "registry.example",
    ATTEST_REGISTRY_USERNAME: "ci",
    ATTEST_REGISTRY_PASSWORD: "secret",
  };
  const good = await run(registry, VERIFY, {}, variables);
  assert.equal(good.status, 0, good.err);
  const elsewhere = { ...variables, ATTEST_REGISTRY: "other.example" };
  registry.asked.length = 0;
  assert.equal((await run(registry, VERIFY, {}, elsewhere)).status, 2);
  assert.ok(!registry.asked.some(({ headers }) => headers.has("authorization")));
  const nobody = { ATTEST_REGISTRY_USERNAME: "ci", ATTEST_REGISTRY_PASSWORD: "secret" };
  const unbound = await run(registry, VERIFY, {}, nobody);
  assert.equal(unbound.status, 2);
  assert.ok(unbound.err.includes("ATTEST_REGISTRY"), unbound.err);
  assert.ok(!unbound.err.includes("secret"));
});

test("machineCredentials() reads the configuration of Docker and runs its helpers", async () => {
  const auth = btoa("ci:se:cret");
  const runtime = new MemoryRuntime({
    "/home/me/.docker/config.json": JSON.stringify({
      auths: { "a.example": { auth } },
      credHelpers: { "b.example": "pass" },
    }),
  });
  runtime.variables = { HOME: "/home/me" };
  const answer = { ServerURL: "b.example", Username: "me", Secret: "s" };
  runtime.commands.set("docker-credential-pass get", JSON.stringify(answer));
  const lookup = machineCredentials(runtime);
  assert.deepEqual(await lookup("a.example"), { username: "ci", password: "se:cret" });
  assert.deepEqual(await lookup("b.example"), { username: "me", password: "s" });
  assert.equal(await lookup("c.example"), undefined);
  runtime.commands.set("docker-credential-pass get", { status: 1, stdout: utf8("no such") });
  assert.equal(await machineCredentials(runtime)("b.example"), undefined);
});
