// deno-fmt-ignore-file: a row of a table is a line.
/** Cases of the options of commands, other than those about trust: see `command_verify.ts`. */

import { main } from "../../cli/main.ts";
import { createEnvelope } from "../../dsse/mod.ts";
import { generateSigner } from "../../keys/mod.ts";
import { PUBLIC_GOOD_ROOT } from "../../sigstore/roots/public_good.ts";
import { TestTufRepository, TUF_START } from "../../tools/pki/tuf_repository.ts";
import { MemoryRuntime } from "../cli_runtime.ts";
import { payloadOf } from "../signing_machine.ts";
import { type CommandCase, type Ran, type Row, runWords, table, type World } from "./command_cases.ts";
import { COMMANDS, keyedWorld, keylessWorld } from "./command_verify.ts";
import { LOCK_WORDS, NOW, NPM, PACKAGE_WORDS, REVIEW, VSA, deviceWorld, hexOf, npmWorld, once, policyWorld, reportedWorld, signingWorld, tarball, vsaWorld, without } from "./command_worlds.ts";

const SIGN = ["sign", "app.tgz"];
const ATTEST = ["attest", "app.tgz", `--type=${REVIEW}`, "--predicate=p.json"];
const KEYED = ["--key=ci.key", "-o=out.json"];
const SERVICES = ["--signing-config=signing_config.json", "--trusted-root=trusted_root.json"];
const KEYLESS = [...SERVICES, "--identity-token-file=token", "-o=out.json"];
const GITHUB: Record<string, string> = {
  GITHUB_ACTIONS: "true",
  GITHUB_EVENT_PATH: "event.json",
  GITHUB_EVENT_NAME: "push",
  GITHUB_REPOSITORY: "acme/app",
  GITHUB_REPOSITORY_ID: "1001",
  GITHUB_REPOSITORY_OWNER_ID: "2002",
  GITHUB_SERVER_URL: "https://github.com",
  GITHUB_REF: "refs/heads/main",
  GITHUB_SHA: "5".repeat(40),
  GITHUB_RUN_ID: "42",
  GITHUB_RUN_ATTEMPT: "1",
  GITHUB_WORKFLOW_REF: "acme/app/.github/workflows/release.yml@refs/heads/main",
  RUNNER_ENVIRONMENT: "github-hosted",
};
const STATUS = "git status --porcelain --untracked-files=no --ignore-submodules=untracked";
const GIT = {
  "git rev-parse --verify HEAD": `${"5".repeat(40)}\n`,
  [STATUS]: "",
  "git remote get-url origin": "https://git.example/acme/app.git\n",
  "git symbolic-ref --quiet HEAD": "refs/heads/main\n",
};
const on = (more: Partial<World>) => async (): Promise<World> => ({
  ...await signingWorld(),
  ...more,
});
const build = on({ variables: GITHUB });
const local = on({ commands: GIT });
const dirty = on({ commands: { ...GIT, [STATUS]: " M src/app.ts\n" } });

/** A member of what was signed, by its JSON Pointer. */
const signed = (pointer: string, file = "out.json") => (ran: Ran): string => {
  if (ran.file(file) === "(none)") return reasonOf(ran);
  return memberOf(JSON.parse(payloadOf(ran.file(file))), pointer);
};
const printed = (pointer: string) => (ran: Ran): string =>
  ran.out === "" ? reasonOf(ran) : memberOf(JSON.parse(ran.out), pointer);

function memberOf(value: unknown, pointer: string): string {
  let found: unknown = value;
  for (const name of pointer.split("/").slice(1)) {
    found = Object(found)[name.replaceAll("~1", "/")];
  }
  return typeof found === "string" ? found : JSON.stringify(found) ?? "(none)";
}

function reasonOf({ err, status }: Ran): string {
  return status === 0 ? "ok" : /\(([a-z0-9-]+)\)$/m.exec(err)?.[1] ?? `status ${status}`;
}

const written = (file: string) => (ran: Ran): string => ran.file(file) === "(none)" ? "no" : "yes";
const begins = ({ out }: Ran): string => out.trimStart().slice(0, 1);
const inFile = (file: string, text: string) => (ran: Ran): string =>
  String(ran.file(file).includes(text));
const keyword = (text: string) => ({ out, err }: Ran): string => String((out + err).includes(text));

const RELEASE = ["verify", "app.tgz", "-b=app.json"];
const BAD = ["verify", "bad.tgz", "-b=bad.json", "--format=json"];
const byPolicy = "--policy=policy.json";
const KEY = ["verify", "artifact.txt", "--bundle=b.json", "--key=ci.pub", "--format=json"];

const VERIFY: readonly Row[] = [
  ["bundle", keyedWorld, ["verify", "artifact.txt", "--key=ci.pub", "--format=json"], ["--bundle=b.json"], ["attestation-not-found", "ok"]],
  ["digest", policyWorld, ["verify", "-b=app.json", "--key=ci.pub", "--format=json"], [`--digest=sha256:${hexOf("app")}`], ["artifact-required", "ok"]],
  ["checksums", policyWorld, ["verify", "-b=app.json", "--key=ci.pub", "--format=json"], ["--checksums=sums.txt"], ["artifact-required", "ok"]],
  ["policy", policyWorld, [...RELEASE, "--format=json"], [byPolicy], ["missing-trusted-key", "ok"]],
  ["policy-key", policyWorld, [...RELEASE, "--policy=signed.json", "--format=json"], ["--policy-key=owner.pub"], ["usage", "ok"]],
  ["policy-threshold", policyWorld, [...RELEASE, "--policy=signed.json", "--policy-key=owner.pub", "--policy-key=ci.pub", "--format=json"], ["--policy-threshold=2"], ["ok", "threshold-not-met"]],
  ["waivers", policyWorld, [...BAD, byPolicy], ["--waivers=waivers.json"], ["condition-not-met", "ok"]],
  ["waivers-key", policyWorld, [...BAD, byPolicy, "--waivers=waivers.signed.json"], ["--waivers-key=owner.pub"], ["usage", "ok"]],
  ["subjects", policyWorld, ["verify", "app.tgz", "bad.tgz", "-b=app.json", "-b=bad.json", "--key=ci.pub", "--format=json"], ["--subjects=exact"], ["ok", "subject-mismatch"]],
  ["npm-keys", npmWorld, ["verify", "app.tgz", "--bundle=answer.json", "--format=json", "--repo=acme/app",...NPM.slice(1)], ["--npm-keys=keys.json"], ["false", "true"], keyword("key-period")],
  ["package-name", npmWorld, [...PACKAGE_WORDS, "--repo=acme/app"], ["--package-name=@acme/ap"], ["ok", "package-mismatch"]],
  ["package-version", npmWorld, [...PACKAGE_WORDS, "--repo=acme/app"], ["--package-version=1.2.4"], ["ok", "package-mismatch"]],
  ["npm-registry", npmWorld, [...PACKAGE_WORDS, "--repo=acme/app"], ["--npm-registry=https://npm.example"], ["ok", "package-mismatch"]],
  ["repo-id", npmWorld, [...PACKAGE_WORDS, "--repo=acme/app"], ["--repo-id=1002"], ["ok", "source-mismatch"]],
  ["owner-id", npmWorld, [...PACKAGE_WORDS, "--repo=acme/app"], ["--owner-id=78"], ["ok", "source-mismatch"]],
  ["workflow", npmWorld, [...PACKAGE_WORDS, "--repo=acme/app"], ["--workflow=.github/workflows/x.yml"], ["ok", "workflow-mismatch"]],
  ["lockfile", npmWorld, LOCK_WORDS.filter((word) => !word.startsWith("--lockfile")), ["--lockfile=package-lock.json"], ["usage", "ok"]],
  ["attestations", npmWorld, LOCK_WORDS.filter((word) => !word.startsWith("--attestations")), ["--attestations=answers"], ["usage", "1"], (ran) => ran.out === "" ? reasonOf(ran) : String(JSON.parse(ran.out).summary.verified)],
  ["tarballs", npmWorld, LOCK_WORDS, ["--tarballs=t"], ["absent", "matched"], tarball],
  ["npm-cache", npmWorld, LOCK_WORDS, ["--npm-cache=npm"], ["absent", "matched"], tarball],
  ["require-tarballs", npmWorld, LOCK_WORDS, ["--require-tarballs"], ["ok", "artifact-required"]],
  ["npm-expectations", npmWorld, LOCK_WORDS, ["--npm-expectations=expect.json"], ["ok", "source-mismatch"]],
  ["previous", npmWorld, LOCK_WORDS, ["--previous=before.json"], ["ok", "provenance-lost"]],
  ["vsa", vsaWorld, without(VSA, "vsa"), ["--vsa=vsa.json"], ["attestation-not-found", "ok"]],
  ["vsa-verifier-id", vsaWorld, without(VSA, "vsa-verifier-id"), ["--vsa-verifier-id=https://v.example"], ["usage", "ok"]],
  ["vsa-resource-uri", vsaWorld, without(VSA, "vsa-resource-uri"), ["--vsa-resource-uri=pkg:generic/app@1"], ["usage", "ok"]],
  ["vsa-level", vsaWorld, VSA, ["--vsa-level=SLSA_BUILD_LEVEL_3"], ["ok", "insufficient-level"]],
  ["vsa-dependency-level", vsaWorld, VSA, ["--vsa-dependency-level=SLSA_BUILD_LEVEL_2"], ["ok", "insufficient-level"]],
  ["vsa-max-age", vsaWorld, VSA, ["--vsa-max-age=30"], ["ok", "vsa-too-old"]],
  ["vsa-policy-uri", vsaWorld, VSA, ["--vsa-policy-uri=https://v.example/other"], ["ok", "policy-mismatch"]],
  ["vsa-source-ref", vsaWorld, VSA, ["--vsa-source-ref=refs/heads/other"], ["ok", "source-ref-mismatch"]],
  ["subject-digest", vsaWorld, VSA, [`--subject-digest=sha256:${hexOf("other")}`], ["ok", "subject-mismatch"]],
  ["only-root", keylessWorld, ["verify", "artifact.txt", "--bundle=b.json", "--trusted-root=root.json", "--repo=acme/app"], ["--only-root"], ["true", "false"], keyword("public-good")],
  ["format", keyedWorld, without(KEY, "format"), ["--format=json"], ["E", "{"], begins],
  ["exit-code", keyedWorld, ["verify", "artifact.txt", "--bundle=b.json", "--key=other.pub", "--format=sarif"], ["--exit-code"], ["0", "1"], ({ status }) => String(status)],
  ["output", keyedWorld, KEY, ["--output=report.json"], ["no", "yes"], written("report.json")],
  ["print-provenance", keyedWorld, without(KEY, "format"), ["--print-provenance"], ["E", "{"], begins],
  ["with-evidence", keyedWorld, KEY, ["--with-evidence"], ["false", "true"], keyword('"evidence"')],
  ["unsafe-no-artifact", keyedWorld, ["verify", "--bundle=b.json", "--key=ci.pub", "--format=json"], ["--unsafe-no-artifact"], ["artifact-required", "ok"]],
];

const CREATE = [
  "--verifier-id=https://v.example",
  "--resource-uri=pkg:generic/a@1",
  "--policy-uri=https://v.example/policy",
  "--level=REVIEWED",
  "--signing-key=signing.key",
  "--output=vsa.json",
];
const VSA_CREATE = ["vsa", "create", "artifact.txt", "--bundle=b.json", "--key=ci.pub", ...CREATE];
const predicate = (name: string) => signed(`/predicate/${name}`, "vsa.json");
const vsaSigning = async (): Promise<World> => {
  const [world, keyed] = [await policyWorld(), await keyedWorld()];
  return { ...world, files: { ...world.files, "signing.key": keyed.files["signing.key"] } };
};
const VSA_POLICY = ["vsa", "create", "app.tgz", "-b=app.json", ...CREATE];

const VSA_ROWS: readonly Row[] = [
  ["verifier-id", keyedWorld, without(VSA_CREATE, "verifier-id"), ["--verifier-id=https://v.example"], ["usage", "https://v.example"], predicate("verifier/id")],
  ["resource-uri", keyedWorld, without(VSA_CREATE, "resource-uri"), ["--resource-uri=pkg:generic/a@1"], ["usage", "pkg:generic/a@1"], predicate("resourceUri")],
  ["policy-uri", keyedWorld, without(VSA_CREATE, "policy-uri"), ["--policy-uri=https://v.example/policy"], ["usage", "https://v.example/policy"], predicate("policy/uri")],
  ["policy-digest", keyedWorld, VSA_CREATE, [`--policy-digest=sha256:${"a".repeat(64)}`], ["(none)", "a".repeat(64)], predicate("policy/digest/sha256")],
  ["level", keyedWorld, without(VSA_CREATE, "level"), ["--level=REVIEWED"], ["usage", '["REVIEWED"]'], predicate("verifiedLevels")],
  ["dependency-level", keyedWorld, VSA_CREATE, ["--dependency-level=SLSA_BUILD_LEVEL_1=2"], ["(none)", '{"SLSA_BUILD_LEVEL_1":2}'], predicate("dependencyLevels")],
  ["signing-key", keyedWorld, without(VSA_CREATE, "signing-key"), ["--signing-key=signing.key"], ["false", "true"], inFile("vsa.json", '"signatures"')],
  ["signing-keyid", keyedWorld, VSA_CREATE, ["--signing-keyid=k"], ["false", "true"], inFile("vsa.json", '"keyid":"k"')],
  ["failed", keyedWorld, VSA_CREATE.map((word) => word === "--key=ci.pub" ? "--key=other.pub" : word), ["--failed"], ["invalid-signature", "FAILED"], (ran) => ran.file("vsa.json") === "(none)" ? reasonOf({...ran, err: `${ran.out}${ran.err}`.split("\n").filter((line) => /^FAILED: /.test(line)).join("\n"), }) : predicate("verificationResult")(ran)],
  ["output", keyedWorld, without(VSA_CREATE, "output"), ["--output=vsa.json"], ["no", "yes"], written("vsa.json")],
  ["bundle", keyedWorld, without(VSA_CREATE, "bundle"), ["--bundle=b.json"], ["no", "yes"], written("vsa.json")],
  ["digest", vsaSigning, ["vsa", "create", "-b=app.json", "--key=ci.pub", ...CREATE], [`--digest=sha256:${hexOf("app")}`], ["no", "yes"], written("vsa.json")],
  ["checksums", vsaSigning, ["vsa", "create", "-b=app.json", "--key=ci.pub", ...CREATE], ["--checksums=sums.txt"], ["no", "yes"], written("vsa.json")],
  ["policy", vsaSigning, VSA_POLICY, [byPolicy], ["no", "yes"], written("vsa.json")],
  ["policy-key", vsaSigning, [...VSA_POLICY, "--policy=signed.json"], ["--policy-key=owner.pub"], ["no", "yes"], written("vsa.json")],
  ["policy-threshold", vsaSigning, [...VSA_POLICY, "--policy=signed.json", "--policy-key=owner.pub", "--policy-key=ci.pub"], ["--policy-threshold=2"], ["yes", "no"], written("vsa.json")],
  ["waivers", vsaSigning, ["vsa", "create", "bad.tgz", "-b=bad.json", ...CREATE, byPolicy], ["--waivers=waivers.json"], ["no", "yes"], written("vsa.json")],
  ["waivers-key", vsaSigning, ["vsa", "create", "bad.tgz", "-b=bad.json",...CREATE, byPolicy, "--waivers=waivers.signed.json"], ["--waivers-key=owner.pub"], ["no", "yes"], written("vsa.json")],
  ["subjects", vsaSigning, ["vsa", "create", "app.tgz", "bad.tgz", "-b=app.json", "-b=bad.json", "--key=ci.pub",...CREATE], ["--subjects=exact"], ["yes", "no"], written("vsa.json")],
  ["only-root", keylessWorld, ["vsa", "create", "artifact.txt", "--bundle=b.json", "--trusted-root=root.json", "--repo=acme/app",...CREATE], ["--only-root"], ["true", "false"], keyword("public-good")],
];

const DIFF = ["diff", "b.json", "b.json", "--key=ci.pub"];
const DIFF_ROWS: readonly Row[] = [
  // Provenance of a workflow that anybody can run is refused all the same, for its source.
  ["unsafe-any-identity", keylessWorld, ["diff", "b.json", "b.json", "--trusted-root=root.json", "--only-root"], ["--unsafe-any-identity"], ["false", "true"], keyword("Anybody's identity is accepted")],
  ["artifact-a", keyedWorld, DIFF, ["--artifact-a=ci.pub"], ["ok", "subject-mismatch"]],
  ["artifact-b", keyedWorld, DIFF, ["--artifact-b=ci.pub"], ["ok", "subject-mismatch"]],
  ["format", keyedWorld, DIFF, ["--format=json"], ["E", "{"], begins],
  ["output", keyedWorld, DIFF, ["--output=diff.txt"], ["no", "yes"], written("diff.txt")],
  ["only-root", keylessWorld, ["diff", "b.json", "b.json", "--trusted-root=root.json", "--repo=acme/app"], ["--only-root"], ["true", "false"], keyword("public-good")],
];

const CONVERT = COMMANDS.convert("b.json").concat("--key=ci.pub");
const reference = (member: string) => signed(`/predicate/references/0/${member}`);
const withSealed = async (): Promise<World> => {
  const [keyed, signing] = [await keyedWorld(), await signingWorld()];
  const { "sealed.key": sealed, passphrase } = signing.files;
  return { ...keyed, files: { ...keyed.files, "sealed.key": sealed, passphrase, "there.json": "x" } };
};
const ABOUT_APP = ["convert", "app.json", "--key=ci.pub",...CONVERT.slice(3, 7).filter((word) => word.startsWith("--"))];
/** A Statement about two files, and a list of another one. */
const twoWorld = once(async (): Promise<World> => {
  const { signer, publicKey, privateKey } = await generateSigner("Ed25519");
  const subject = ["app", "other"].map((name) => ({ name, digest: { sha256: hexOf(name) } }));
  const statement = { _type: "https://in-toto.io/Statement/v1", subject, predicateType: REVIEW, predicate: {} };
  const envelope = await createEnvelope("application/vnd.in-toto+json", statement, signer);
  return { files: { "app.json": JSON.stringify(envelope), "ci.pub": publicKey, "signing.key": privateKey, "others.txt": `${hexOf("third")}  third\n` } };
});
const CONVERT_ROWS: readonly Row[] = [
  ["attester", keyedWorld, without(CONVERT, "attester"), ["--attester=https://b.example"], ["usage", "https://b.example"], signed("/predicate/attester/id")],
  ["download-location", keyedWorld, without(CONVERT, "download-location"), ["--download-location=https://b.example/x"], ["usage", "https://b.example/x"], reference("downloadLocation")],
  ["media-type", keyedWorld, CONVERT, ["--media-type=application/jose"], ["application/octet-stream", "application/jose"], reference("mediaType")],
  ["signing-key", keyedWorld, without(CONVERT, "signing-key"), ["--signing-key=signing.key"], ["usage", "ok"]],
  ["signing-keyid", keyedWorld, [...CONVERT, "--bundle-format=dsse"], ["--signing-keyid=mine"], ["(none)", "mine"], (ran) => JSON.parse(ran.file("out.json")).signatures[0].keyid ?? "(none)"],
  ["passphrase-file", withSealed, [...without(CONVERT, "signing-key"), "--signing-key=sealed.key"], ["--passphrase-file=passphrase"], ["missing-passphrase", "ok"]],
  ["output", keyedWorld, without(CONVERT, "output"), ["--output=new.json"], ["no", "yes"], written("new.json")],
  ["force", withSealed, [...without(CONVERT, "output"), "--output=there.json"], ["--force"], ["file-exists", "ok"]],
  ["bundle-format", keyedWorld, CONVERT, ["--bundle-format=dsse"], ["true", "false"], inFile("out.json", "dsseEnvelope")],
  ["format", keyedWorld, CONVERT, ["--format=json"], ["S", "{"], begins],
  ["digest", twoWorld, ABOUT_APP, [`--digest=sha256:${hexOf("third")}`], ["ok", "subject-mismatch"]],
  ["checksums", twoWorld, ABOUT_APP, ["--checksums=others.txt"], ["ok", "subject-mismatch"]],
  ["subjects", twoWorld, [...ABOUT_APP, `--digest=sha256:${hexOf("app")}`], ["--subjects=exact"], ["ok", "subject-mismatch"]],
  ["only-root", keylessWorld, [...COMMANDS.convert("b.json"), "--trusted-root=root.json", "--repo=acme/other"], ["--only-root"], ["true", "false"], keyword("public-good")],
];

const CHECK = ["policy", "check"];
const SIGNED = ["signed.json", "--policy-key=owner.pub", "--policy-key=ci.pub"];
const policyRows = (words: readonly string[], plain: readonly string[]): readonly Row[] => [
  ["policy-key", policyWorld, [...words, "signed.json"], ["--policy-key=owner.pub"], ["usage", "ok"]],
  ["policy-threshold", policyWorld, [...words, ...SIGNED], ["--policy-threshold=2"], ["ok", "threshold-not-met"]],
  ["format", policyWorld, plain, ["--format=json"], ["text", "json"], ({ out }) => /^[{[]/.test(out) ? "json" : "text"],
];
const waiverRows = (words: readonly string[]): readonly Row[] => [
  ["waivers", policyWorld, words, ["--waivers=waivers.json"], ["false", "true"], keyword("security@acme.example")],
  ["waivers-key", policyWorld, [...words, "--waivers=waivers.signed.json"], ["--waivers-key=owner.pub"], ["usage", "ok"]],
];
const EXPLAIN = ["policy", "explain", "policy.json"];
const INIT = ["policy", "init", "app.tgz", "-b=app.json", "--key=ci.pub"];
const DRY = ["policy", "dry-run", "policy.json", "--reports=report.json"];
const BAD_DRY = ["policy", "dry-run", "policy.json", "--reports=bad.report.json"];
const IMPORT = ["policy", "import", "--from=cluster-image-policy", "cip.json"];

const POLICY_ROWS: Readonly<Record<string, readonly Row[]>> = {
  "policy check": [
    ...policyRows(CHECK, [...CHECK, "policy.json"]),
    ["waivers", policyWorld, [...CHECK, "policy.json"], ["--waivers=there.json"], ["ok", "malformed-waivers"]],
    ["waivers-key", policyWorld, [...CHECK, "policy.json", "--waivers=waivers.signed.json"], ["--waivers-key=owner.pub"], ["usage", "ok"]],
  ],
  "policy explain": [
    ...policyRows(["policy", "explain"], EXPLAIN),
    ["bundle", policyWorld, [...EXPLAIN, "app.tgz"], ["-b=app.json"], ["missing-attestation", "ok"]],
    ["digest", policyWorld, [...EXPLAIN, "-b=app.json"], [`--digest=sha256:${hexOf("app")}`], ["usage", "ok"]],
    ["checksums", policyWorld, [...EXPLAIN, "-b=app.json"], ["--checksums=sums.txt"], ["usage", "ok"]],
    ["package-name", policyWorld, ["policy", "explain", "npm.json", "app.tgz", "-b=app.json"], ["--package-name=@acme/app"], ["unselected-artifact", "ok"]],
    ...waiverRows([...EXPLAIN, "bad.tgz", "-b=bad.json"]),
  ],
  "policy init": [
    ["name", policyWorld, INIT, ["--name=mine"], ["false", "true"], keyword('"mine"')],
    ["template", policyWorld, ["policy", "init"], ["--template=npm"], ["artifact-required", "ok"]],
    ["output", policyWorld, INIT, ["--output=new.json"], ["no", "yes"], written("new.json")],
    ["force", policyWorld, [...INIT, "--output=there.json"], ["--force"], ["file-exists", "ok"]],
    ["bundle", policyWorld, without(INIT, "x").filter((word) => word !== "-b=app.json"), ["-b=app.json"], ["no", "yes"], ({ out }) => out === "" ? "no" : "yes"],
    ["digest", policyWorld, ["policy", "init", "-b=app.json", "--key=ci.pub"], [`--digest=sha256:${hexOf("app")}`], ["no", "yes"], ({ out }) => out === "" ? "no" : "yes"],
    ["checksums", policyWorld, ["policy", "init", "-b=app.json", "--key=ci.pub"], ["--checksums=sums.txt"], ["no", "yes"], ({ out }) => out === "" ? "no" : "yes"],
    ["only-root", keylessWorld, ["policy", "init", "artifact.txt", "--bundle=b.json", "--trusted-root=root.json", "--repo=acme/app"], ["--only-root"], ["true", "false"], keyword("public-good")],
  ],
  "policy test": [
    ...policyRows(["policy", "test", "--tests=policy.tests.json"], [
      "policy",
      "test",
      "policy.json",
    ]),
    ["tests", policyWorld, ["policy", "test", "policy.json"], ["--tests=other.tests.json"], ["0", "1"], ({ status }) => String(status)],
  ],
  "policy schema": [
    ["tests", policyWorld, ["policy", "schema"], ["--tests"], ["Policy", "Table of cases for a policy"], ({ out }) => JSON.parse(out).title],
  ],
  "policy import": [
    ["from", policyWorld, ["policy", "import", "cip.json"], ["--from=cluster-image-policy"], ["usage", "ok"]],
    ["output", policyWorld, IMPORT, ["--output=new.json"], ["no", "yes"], written("new.json")],
    ["force", policyWorld, [...IMPORT, "--output=there.json"], ["--force"], ["file-exists", "ok"]],
  ],
  "policy diff": policyRows(["policy", "diff", "signed.json"], [
    "policy",
    "diff",
    "policy.json",
    "policy.json",
  ]),
  "policy dry-run": [
    ["reports", reportedWorld, ["policy", "dry-run", "policy.json"], ["--reports=report.json"], ["usage", "ok"]],
    ["now", reportedWorld, ["policy", "dry-run", "expiring.json", "--reports=report.json"], ["--now=2027-01-01T00:00:00Z"], ["0", "1"], ({ status }) => String(status)],
    ["policy-key", reportedWorld, ["policy", "dry-run", "signed.json", "--reports=report.json"], ["--policy-key=owner.pub"], ["usage", "ok"]],
    ["policy-threshold", reportedWorld, ["policy", "dry-run", ...SIGNED, "--reports=report.json"], ["--policy-threshold=2"], ["ok", "threshold-not-met"]],
    ["waivers", reportedWorld, BAD_DRY, ["--waivers=waivers.json"], ["false", "true"], keyword("now accepted")],
    ["waivers-key", reportedWorld, [...BAD_DRY, "--waivers=waivers.signed.json"], ["--waivers-key=owner.pub"], ["false", "true"], keyword("now accepted")],
    ["format", reportedWorld, DRY, ["--format=json"], ["text", "json"], ({ out }) => /^[{[]/.test(out) ? "json" : "text"],
  ],
};

const signingRows = (words: readonly string[]): readonly Row[] => [
  ["key", signingWorld, [...words, "-o=out.json"], ["--key=ci.key"], ["no", "yes"], written("out.json")],
  ["keyid", signingWorld, [...words, ...KEYED, "--bundle-format=dsse", ...dsseOf(words)], ["--keyid=k"], ["false", "true"], inFile("out.json", '"keyid":"k"')],
  ["key-alg", signingWorld, [...words, "--key=ci.key", "-o=out.json"], ["--key-alg=ES384"], ["ok", "key-algorithm-mismatch"]],
  ["passphrase-file", signingWorld, [...words, "--key=sealed.key", "-o=out.json"], ["--passphrase-file=passphrase"], ["missing-passphrase", "ok"]],
  ["signing-config", signingWorld, [...words, ...KEYLESS.filter((word) => !word.startsWith("--signing-config"))], ["--signing-config=signing_config.json"], ["no", "yes"], written("out.json")],
  ["trusted-root", signingWorld, [...words, ...KEYLESS.filter((word) => !word.startsWith("--trusted-root"))], ["--trusted-root=trusted_root.json"], ["no", "yes"], written("out.json")],
  ["trust-config", signingWorld, [...words, "--identity-token-file=token", "-o=out.json"], ["--trust-config=trust_config.json"], ["no", "yes"], written("out.json")],
  ["identity-token-file", signingWorld, [...words, ...SERVICES, "-o=out.json"], ["--identity-token-file=token"], ["missing-identity-token", "ok"]],
  ["device-flow", deviceWorld, [...words, ...SERVICES, "-o=out.json"], ["--device-flow"], ["missing-identity-token", "service-refused"]],
  ["oidc-issuer", deviceWorld, [...words, ...SERVICES, "--device-flow", "-o=out.json"], ["--oidc-issuer=https://login.example"], ["false", "true"], keyword("https://login.example sigstore")],
  ["oidc-client-id", deviceWorld, [...words, ...SERVICES, "--device-flow", "-o=out.json"], ["--oidc-client-id=mine"], ["sigstore", "mine"], ({ err }) => / (sigstore|mine)["\s]/.exec(err)?.[1] ?? err], ["timeout", signingWorld, [...words, ...KEYLESS], ["--timeout=0"], ["ok", "usage"]], ["if-possible", on({ variables: { GITHUB_ACTIONS: "true", GITHUB_EVENT_NAME: "pull_request", GITHUB_REPOSITORY: "acme/app", }, }), [...words, ...SERVICES], ["--if-possible"], ["1", "0"], ({ status }) => status === 0 ? "0" : "1"], ["output", signingWorld, [...words, "--key=ci.key"], ["--output=out.json"], ["no", "yes"], written("out.json")], ["force", signingWorld, [...words, "--key=ci.key", "-o=app.tgz.sigstore.json"], ["--force"], ["file-exists", "ok"]], ["bundle-format", signingWorld, [...words, ...KEYED, ...dsseOf(words)], ["--bundle-format=dsse"], ["true", "false"], inFile("out.json", "mediaType")], ["format", signingWorld, [...words, ...KEYED], ["--format=json"], ["text", "json"], ({ out }) => out.startsWith("{") ? "json" : "text"]];

function dsseOf(words: readonly string[]): string[] {
  return words[0] === "sign" ? ["--dsse", "--payload-type=text/plain"] : [];
}

const TESTED = ["attest", "app.tgz", "--type=test-result", "--configuration=ci.yml", ...KEYED];
const SCANNED = [
  "attest",
  "app.tgz",
  "--type=vuln",
  "--scan-result=scan.json",
  "--scanner=https://s.example",
  "--scan-started=2025-01-01T00:00:00Z",
  ...KEYED,
];
const RESULT = [...TESTED, "--result=PASSED"];
const RELEASED = ["attest", "app.tgz", "--type=release", "--purl=pkg:npm/app@1.2.3", ...KEYED];
const NOBODY = ["attest", `--type=${REVIEW}`, "--predicate=p.json", ...KEYED];
const subjects = signed("/subject/length");

const ATTEST_ROWS: readonly Row[] = [
  ...signingRows(ATTEST),
  ["subject-digest", signingWorld, NOBODY, [`--subject-digest=x@sha256:${"a".repeat(64)}`], ["artifact-required", "x"], signed("/subject/0/name")],
  ["subject-name", signingWorld, [...NOBODY, `--subject-digest=sha256:${"a".repeat(64)}`], ["--subject-name=y"], ["(none)", "y"], signed("/subject/0/name")],
  ["checksums", signingWorld, NOBODY, ["--checksums=sums.txt"], ["artifact-required", "app.tgz"], signed("/subject/0/name")],
  ["git", signingWorld, NOBODY, ["--git=HEAD"], ["artifact-required", "unreadable-file"]],
  ["subjects", signingWorld, ["attest", "dir", `--type=${REVIEW}`, "--predicate=p.json", ...KEYED], ["--subjects=many"], ["1", "2"], subjects],
  ["digest-algorithm", signingWorld, [...ATTEST, ...KEYED], ["--digest-algorithm=sha512"], ['["sha256"]', '["sha512"]'], (ran) => JSON.stringify(Object.keys(JSON.parse(payloadOf(ran.file("out.json"))).subject[0].digest))],
  ["each", signingWorld, ["attest", "b.tgz", "ci.yml", `--type=${REVIEW}`, "--predicate=p.json", "--key=ci.key"], ["--each"], ["no", "yes"], written("ci.yml.sigstore.json")],
  ["type", signingWorld, ["attest", "app.tgz", "--predicate=p.json", ...KEYED], [`--type=${REVIEW}`], ["usage", REVIEW], signed("/predicateType")],
  ["predicate", signingWorld, ["attest", "app.tgz", `--type=${REVIEW}`, ...KEYED], ["--predicate=p.json"], ["usage", '{"approved":true}'], signed("/predicate")],
  ["sbom", signingWorld, ["attest", "app.tgz", ...KEYED], ["--sbom=bom.json"], ["usage", "https://cyclonedx.org/bom"], signed("/predicateType")],
  ["provenance", build, ["attest", "app.tgz", ...KEYED], ["--provenance"], ["usage", "https://slsa.dev/provenance/v1"], signed("/predicateType")],
  ["statement", signingWorld, ["attest", "app.tgz", ...KEYED], ["--statement=statement.json"], ["usage", "PASSED"], signed("/predicate/result")],
  ["no-validate", signingWorld, ["attest", "app.tgz", "--type=slsaprovenance1", "--predicate=bad.json", ...KEYED], ["--no-validate"], ["no", "yes"], written("out.json")],
  ["purl", signingWorld, without(RELEASED, "purl"), ["--purl=pkg:npm/app@1.2.3"], ["usage", "pkg:npm/app@1.2.3"], signed("/predicate/purl")],
  ["package-id", signingWorld, RELEASED, ["--package-id=7"], ["(none)", "7"], signed("/predicate/packageId")],
  ["result", signingWorld, TESTED, ["--result=FAILED"], ["usage", "FAILED"], signed("/predicate/result")],
  ["configuration", signingWorld, without(RESULT, "configuration"), ["--configuration=ci.yml"], ["missing-predicate-field", "ci.yml"], signed("/predicate/configuration/0/name")],
  ["url", signingWorld, RESULT, ["--url=https://ci.example/1"], ["(none)", "https://ci.example/1"], signed("/predicate/url")],
  ["passed-test", signingWorld, RESULT, ["--passed-test=a"], ["(none)", "a"], signed("/predicate/passedTests/0")],
  ["warned-test", signingWorld, [...TESTED, "--result=WARNED"], ["--warned-test=a"], ["(none)", "a"], signed("/predicate/warnedTests/0")],
  ["failed-test", signingWorld, [...TESTED, "--result=FAILED"], ["--failed-test=a"], ["(none)", "a"], signed("/predicate/failedTests/0")],
  ["scan-result", signingWorld, without(SCANNED, "scan-result"), ["--scan-result=scan.json"], ["usage", '{"findings":[]}'], signed("/predicate/scanner/result")],
  ["scanner", signingWorld, without(SCANNED, "scanner"), ["--scanner=https://s.example"], ["usage", "https://s.example"], signed("/predicate/scanner/uri")],
  ["scanner-version", signingWorld, SCANNED, ["--scanner-version=1.2"], ["(none)", "1.2"], signed("/predicate/scanner/version")],
  ["scanner-db", signingWorld, SCANNED, ["--scanner-db=https://db.example"], ["(none)", "https://db.example"], signed("/predicate/scanner/db/uri")],
  ["scanner-db-version", signingWorld, SCANNED, ["--scanner-db-version=7"], ["(none)", "7"], signed("/predicate/scanner/db/version")],
  ["scan-started", signingWorld, without(SCANNED, "scan-started"), ["--scan-started=2025-01-01T00:00:00Z"], ["usage", "2025-01-01T00:00:00Z"], signed("/predicate/metadata/scanStartedOn")],
  ["scan-finished", signingWorld, SCANNED, ["--scan-finished=2025-01-01T00:10:00Z"], ["2025-01-01T00:00:00Z", "2025-01-01T00:10:00Z"], signed("/predicate/metadata/scanFinishedOn")],
  ["append", signingWorld, [...ATTEST, "--key=ci.key"].map((word) => word === "app.tgz" ? "b.tgz" : word), ["--append"], ["no", "yes"], written("b.tgz.intoto.jsonl")],
];

/** What a build is described by; `attest --provenance` signs what `provenance` prints. */
const buildRows = (
  words: readonly string[],
  look: (pointer: string) => NonNullable<CommandCase["look"]>,
): readonly Row[] => {
  const at = (pointer: string) => look(`/predicate${pointer}`);
  const definition = "/buildDefinition";
  const elsewhere = [...words, "--ci=local", "--workflow=Makefile"];
  return [
    ["ci", local, [...words, "--workflow=Makefile"], ["--ci=local"], ["unknown-build-environment", "Makefile"], at(`${definition}/externalParameters/workflow/path`)],
    ["builder-id", build, words, ["--builder-id=https://b.example"], [`https://github.com/${GITHUB.GITHUB_WORKFLOW_REF}`, "https://b.example"], at("/runDetails/builder/id")],
    ["build-type", build, words, ["--build-type=https://t.example"], ["false", "true"], (ran) => String(at(`${definition}/buildType`)(ran) === "https://t.example")],
    ["parameter", build, words, ["--parameter=a=b"], ["(none)", "b"], at(`${definition}/externalParameters/a`)],
    ["dependency", build, words, [`--dependency=pkg:npm/a@1@sha256:${"c".repeat(64)}`], ["(none)", "pkg:npm/a@1"], at(`${definition}/resolvedDependencies/1/uri`)],
    ["matrix", build, words, ['--matrix={"os":"linux"}'], ["(none)", "linux"], at(`${definition}/internalParameters/github/matrix/os`)],
    ["source-repository", on({}), [...elsewhere, `--source-commit=${"5".repeat(40)}`, "--source-ref=refs/heads/main"], ["--source-repository=git.example/acme/app"], ["missing-build-fact", "ok"], reasonOf],
    ["source-ref", local, elsewhere, ["--source-ref=refs/heads/other"], ["refs/heads/main", "refs/heads/other"], at(`${definition}/externalParameters/workflow/ref`)],
    ["source-commit", local, elsewhere, [`--source-commit=${"6".repeat(40)}`], ["ok", "conflicting-build-fact"], reasonOf],
    ["workflow", local, [...words, "--ci=local"], ["--workflow=Makefile"], ["missing-build-fact", "Makefile"], at(`${definition}/externalParameters/workflow/path`)],
    ["allow-dirty", dirty, elsewhere, ["--allow-dirty"], ["conflicting-build-fact", "true"], at(`${definition}/externalParameters/dirty`)],
    ["started", build, words, ["--started=2026-01-01T00:00:00Z"], ["(none)", "2026-01-01T00:00:00.000Z"], at("/runDetails/metadata/startedOn")],
    ["no-identity", on({ variables: {...GITHUB, ACTIONS_ID_TOKEN_REQUEST_URL: "https://token.example/", ACTIONS_ID_TOKEN_REQUEST_TOKEN: "t", }, }), words, ["--no-identity"], ["no", "yes"], (ran) => reasonOf(ran) === "ok" ? "yes" : "no"],
  ];
};

const IMAGE = `sha256:${"a".repeat(64)}`;
const PRINT = ["provenance", "app.tgz"];
const PROVENANCE_ROWS: readonly Row[] = [
  ["subject-digest", build, ["provenance"], [`--subject-digest=x@${IMAGE}`], ["artifact-required", "x"], printed("/subject/0/name")],
  ["subject-name", build, ["provenance", `--subject-digest=${IMAGE}`], ["--subject-name=y"], ["(none)", "y"], printed("/subject/0/name")],
  ["checksums", build, ["provenance"], ["--checksums=sums.txt"], ["artifact-required", "app.tgz"], printed("/subject/0/name")],
  ["git", build, ["provenance"], ["--git=HEAD"], ["artifact-required", "unreadable-file"]],
  ["subjects", build, ["provenance", "dir"], ["--subjects=many"], ["1", "2"], printed("/subject/length")],
  ["digest-algorithm", build, PRINT, ["--digest-algorithm=sha512"], ["false", "true"], keyword('"sha512"')],
  ["predicate-only", build, PRINT, ["--predicate-only"], ["true", "false"], keyword('"predicateType"')],
  ["output", build, PRINT, ["--output=out.json"], ["no", "yes"], written("out.json")],
  ["force", build, [...PRINT, "--output=bom.json"], ["--force"], ["file-exists", "ok"]],
];

const KEYGEN = ["keygen", "--no-passphrase"];
const keysetWorld = once(async (): Promise<World> => {
  const first = await runWords({ files: {}, now: NOW }, [
    ...["keygen", "--no-passphrase", "--out=old", "--key-set=keys.json", "--name=old"],
  ]);
  return { files: { "keys.json": first.file("keys.json"), "attest.pub": "mine" }, now: NOW };
});
const empty = (): World => ({ files: {}, now: NOW });
const inSet = (pointer: string) => (ran: Ran): string =>
  ran.file("keys.json") === "(none)"
    ? reasonOf(ran)
    : memberOf(JSON.parse(ran.file("keys.json")), pointer);
const SET = ["keygen", "--no-passphrase", "--out=new", "--key-set=keys.json", "--name=new"];
const REVOKE = ["keygen", "--key-set=keys.json", "--revoke=old", "--reason=unspecified"];

const KEYGEN_ROWS: readonly Row[] = [
  ["alg", empty, KEYGEN, ["--alg=ES384"], ["false", "true"], keyword("ES384")],
  ["bits", empty, [...KEYGEN, "--alg=RS256", "--format=jwk"], ["--bits=2048"], ["512", "342"], (ran) => String(JSON.parse(ran.file("attest.pub.jwk") === "(none)" ? ran.file("attest.pub") : ran.file("attest.pub.jwk")).n.length)],
  ["out", empty, KEYGEN, ["--out=k"], ["no", "yes"], written("k.pub")],
  ["format", empty, KEYGEN, ["--format=jwk"], ["-", "{"], (ran) => (ran.file("attest.pub") + ran.file("attest.pub.jwk")).replaceAll("(none)", "").trim().slice(0, 1)],
  ["keyid", empty, [...KEYGEN, "--format=jwk"], ["--keyid=k"], ["false", "true"], (ran) => String(/"kid": ?"k"/.test(ran.file("attest.pub") + ran.file("attest.pub.jwk")))],
  ["passphrase-file", () => ({ files: { p: "correct horse battery" }, now: NOW }), ["keygen"], ["--passphrase-file=p"], ["missing-passphrase", "ok"]],
  ["no-passphrase", empty, ["keygen"], ["--no-passphrase"], ["missing-passphrase", "ok"]],
  ["force", keysetWorld, KEYGEN, ["--force"], ["file-exists", "ok"]],
  ["key-set", empty, KEYGEN, ["--key-set=keys.json"], ["no", "yes"], written("keys.json")],
  ["name", empty, [...KEYGEN, "--key-set=keys.json"], ["--name=release"], ["false", "true"], inFile("keys.json", '"release"')],
  ["successor-of", keysetWorld, SET, ["--successor-of=old"], ["false", "true"], inFile("keys.json", '"successor"')],
  ["valid-from", empty, [...KEYGEN, "--key-set=keys.json"], ["--valid-from=2026-07-01T00:00:00Z"], ["false", "true"], inFile("keys.json", "2026-07-01T00:00:00")],
  ["valid-until", empty, [...KEYGEN, "--key-set=keys.json"], ["--valid-until=2027-07-01T00:00:00Z"], ["false", "true"], inFile("keys.json", "2027-07-01T00:00:00")],
  ["revoke", keysetWorld, ["keygen", "--key-set=keys.json", "--reason=unspecified"], ["--revoke=old"], ["(none)", "unspecified"], inSet("/keys/0/revoked/reason")],
  ["reason", keysetWorld, REVOKE.filter((word) => !word.startsWith("--reason")), ["--reason=compromised"], ["(none)", "compromised"], inSet("/keys/0/revoked/reason")],
  ["revoked-at", keysetWorld, REVOKE, ["--revoked-at=2026-05-01T00:00:00Z"], ["false", "true"], inFile("keys.json", "2026-05-01T00:00:00")],
  ["note", keysetWorld, REVOKE, ["--note=lost"], ["false", "true"], inFile("keys.json", '"lost"')],
];

const SIGN_ROWS: readonly Row[] = [
  ...signingRows(SIGN),
  ["dsse", signingWorld, [...SIGN, ...KEYED, "--payload-type=text/plain"], ["--dsse"], ["usage", "ok"]],
  ["payload-type", signingWorld, [...SIGN, ...KEYED, "--dsse"], ["--payload-type=text/plain"], ["usage", "ok"]],
  ["envelope", signingWorld, ["sign", ...KEYED], ["--envelope=envelope.json"], ["artifact-required", "ok"]],
];

const INSPECT_ROWS: readonly Row[] = [
  ["format", keyedWorld, ["inspect", "b.json"], ["--format=json"], ["text", "json"], ({ out }) => /^[{[]/.test(out) ? "json" : "text"],
  ["output", keyedWorld, ["inspect", "b.json"], ["--output=seen.txt"], ["no", "yes"], written("seen.txt")],
];

const tufWorld = async (): Promise<World> => {
  const repository = await TestTufRepository.create({
    "trusted_root.json": PUBLIC_GOOD_ROOT,
    "signing_config.v0.2.json":
      '{"mediaType":"application/vnd.dev.sigstore.signingconfig.v0.2+json"}',
  });
  return {
    files: { "root.json": repository.firstRoot, "there.json": "mine" },
    fetch: repository.fetch,
    now: TUF_START,
    variables: { HOME: "/home/me" },
  };
};
const tufCached = async (): Promise<World> => {
  const world = await tufWorld();
  const runtime = new MemoryRuntime(world.files, [...UPDATE, "--cache=c"]);
  runtime.fetch = world.fetch;
  runtime.now = () => TUF_START;
  runtime.variables = { HOME: "/home/me" };
  await main(runtime);
  return { ...world, files: Object.fromEntries(runtime.files) };
};
const BASE = "https://tuf.example/repo";
const WHERE = [`--tuf-url=${BASE}`, "--tuf-root=root.json"];
const UPDATE = ["trusted-root", "update", ...WHERE];
const SHOW = ["trusted-root", "show"];
const cachedAt = (folder: string) => (ran: Ran): string =>
  String(ran.err + ran.out).includes(folder) ? "yes" : "no";

const ROOT_ROWS: Readonly<Record<string, readonly Row[]>> = {
  "trusted-root update": [
    ["tuf-url", tufWorld, ["trusted-root", "update", "--tuf-root=root.json"], [`--tuf-url=${BASE}`], ["service-refused", "ok"]],
    ["tuf-root", tufWorld, ["trusted-root", "update", `--tuf-url=${BASE}`], ["--tuf-root=root.json"], ["usage", "ok"]],
    ["cache", tufWorld, UPDATE, ["--cache=mine"], ["no", "yes"], cachedAt("mine")],
    ["format", tufWorld, UPDATE, ["--format=json"], ["text", "json"], ({ out }) => /^[{[]/.test(out) ? "json" : "text"],
    ["output", tufWorld, UPDATE, ["--output=new.json"], ["no", "yes"], written("new.json")],
    ["signing-config-output", tufWorld, UPDATE, ["--signing-config-output=new.json"], ["no", "yes"], written("new.json")],
    ["force", tufWorld, [...UPDATE, "--output=there.json"], ["--force"], ["file-exists", "ok"]],
  ],
  "trusted-root show": [
    ["tuf-url", tufCached, [...SHOW, "--cached", "--cache=c", "--tuf-root=root.json"], [`--tuf-url=${BASE}`], ["unreadable-file", "ok"]],
    ["tuf-root", tufCached, [...SHOW, "--cached", "--cache=c", `--tuf-url=${BASE}`], ["--tuf-root=root.json"], ["usage", "ok"]],
    ["cache", tufCached, [...SHOW, "--cached", ...WHERE], ["--cache=c"], ["unreadable-file", "ok"]],
    ["format", tufCached, SHOW, ["--format=json"], ["text", "json"], ({ out }) => /^[{[]/.test(out) ? "json" : "text"],
    ["cached", tufCached, [...SHOW, "--cache=c", ...WHERE], ["--cached"], ["usage", "ok"]],
  ],
};

/** By command, then by option. */
export const OTHERS: Readonly<Record<string, Readonly<Record<string, CommandCase>>>> = {
  "verify": table(VERIFY),
  "vsa create": table(VSA_ROWS),
  "diff": table(DIFF_ROWS),
  "convert": table(CONVERT_ROWS),
  ...Object.fromEntries(Object.entries(POLICY_ROWS).map(([name, rows]) => [name, table(rows)])),
  "sign": table(SIGN_ROWS),
  "attest": table([
    ...ATTEST_ROWS,
    ...buildRows(["attest", "app.tgz", "--provenance", ...KEYED], signed),
  ]),
  "provenance": table([...buildRows(["provenance", "app.tgz"], printed), ...PROVENANCE_ROWS]),
  "keygen": table(KEYGEN_ROWS),
  "inspect": table(INSPECT_ROWS),
  ...Object.fromEntries(Object.entries(ROOT_ROWS).map(([name, rows]) => [name, table(rows)])),
};
