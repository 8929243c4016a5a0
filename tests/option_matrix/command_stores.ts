// deno-fmt-ignore-file: a row of a table is a line.
/** Cases of the options of `attach`, `copy`, `store`, `tree`, `download`, `gate`, and of other formats. */

import { authority, sample } from "../../formats/_notation_fixtures_test.ts";
import { createEnvelope } from "../../dsse/mod.ts";
import { generateSigner } from "../../keys/mod.ts";
import { layout, link, linkName, NOW, person, signed, step } from "../../formats/layout/_fixtures_test.ts";
import { encodePem } from "../../internal/pem.ts";
import { utf8 } from "../../internal/bytes.ts";
import { envelopeAbout, image } from "../fixtures/attested_image.ts";
import { digestOf, DSSE } from "../fixtures/oci.ts";
import { MemoryRegistry } from "../fixtures/registry.ts";
import { type Ran, reasonIn, type Row, table, type CommandCase, type World } from "./command_cases.ts";
import { downloaded, GITHUB_API, imageTrustCase, placeCase, verdictsIn, withImage } from "./command_images.ts";
import { COMMANDS, verifyingCase } from "./command_verify.ts";
import { hexOf, once, policyWorld, releaseWorld, summaryWorld } from "./command_worlds.ts";

const IMAGE = "oci://registry.example/acme/app:1";
const MIRROR = "oci://mirror.example/acme/app";
const TYPE = "https://example.com/checked/v1";
const isJson = ({ out }: Ran): string => /^[{[]/.test(out) ? "json" : "text";
const written = (file: string) => (ran: Ran): string => ran.file(file) === "(none)" ? "no" : "yes";
const says = (text: string) => ({ out, err }: Ran): string => String((out + err).includes(text));
const count = (text: string) => ({ out }: Ran): string => String(out.split(text).length - 1);

/** Envelopes about each part of an image without any, in a registry and as files. */
const attachable = async (): Promise<World> => {
  const { registry, amd64, arm64, index } = await image([]);
  return {
    fetch: registry.fetch,
    files: {
      "amd64.json": await envelopeAbout(amd64.digest),
      "all.jsonl": [await envelopeAbout(amd64.digest), await envelopeAbout(arm64.digest)].join("\n"),
      "index.json": await envelopeAbout(index.digest),
    },
  };
};

/** The same where each writes it anew, behind a name and password or without TLS. */
const guardedAttach = async (): Promise<World> => {
  const { registry, amd64 } = await image([], { user: "ci:secret" });
  return {
    fetch: registry.fetch,
    stdin: "secret\n",
    files: {
      "amd64.json": await envelopeAbout(amd64.digest),
      "docker/config.json": JSON.stringify({ auths: { "registry.example": { auth: btoa("ci:secret") } } }),
    },
  };
};
const plainAttach = async (): Promise<World> => {
  const world = await attachable();
  return { ...world, fetch: plainOnly(world) };
};
const plainOnly = ({ fetch }: World): World["fetch"] => (url, init) =>
  url.startsWith("http://registry.example") || url.includes("mirror.example")
    ? fetch!(url, init)
    : Promise.resolve(new Response("", { status: 503 }));
const ATTACH = ["attach", IMAGE, "amd64.json"];

const ATTACH_ROWS: readonly Row[] = [
  ["attestation", attachable, ["attach", IMAGE], ["--attestation=amd64.json"], ["usage", "ok"]],
  ["platform", attachable, ["attach", IMAGE, "all.jsonl"], ["--platform=linux/amd64"], ["true", "false"], says("linux/arm64")],
  ["index", attachable, ["attach", IMAGE, "index.json"], ["--index"], ["usage", "ok"]],
  ["dry-run", attachable, ATTACH, ["--dry-run"], ["false", "true"], says("would be attached")],
  ["plain-http", plainAttach, ATTACH, ["--plain-http=registry.example"], ["service-unavailable", "ok"]],
  ["registry-username", guardedAttach, [...ATTACH, "--registry-password-stdin"], ["--registry-username=ci"], ["registry-auth-refused", "ok"]],
  ["registry-password-stdin", guardedAttach, [...ATTACH, "--registry-username=ci"], ["--registry-password-stdin"], ["usage", "ok"]],
  ["docker-config", guardedAttach, ATTACH, ["--docker-config=docker"], ["registry-access-denied", "ok"]],
  ["format", attachable, ATTACH, ["--format=json"], ["text", "json"], isJson],
];

/** An image with an attestation, and another registry. */
const copyable = (user?: string) => async (): Promise<World> => {
  const { registry } = await image(["amd64"], user === undefined ? {} : { user });
  const mirror = new MemoryRegistry({ host: "mirror.example" });
  return {
    fetch: (url, init) => (url.includes("//mirror.example/") ? mirror : registry).fetch(url, init),
    stdin: "secret\n",
    files: { "docker/config.json": JSON.stringify({ auths: { "registry.example": { auth: btoa("ci:secret") } } }) },
  };
};
const plainCopy = async (): Promise<World> => {
  const world = await copyable()();
  return { ...world, fetch: plainOnly(world) };
};
const COPY = ["copy", IMAGE, MIRROR];
const TO_LAYOUT = ["copy", IMAGE, "oci-layout:lay"];

const COPY_ROWS: readonly Row[] = [
  ["image-only", copyable(), COPY, ["--image-only"], ["true", "false"], says("copied: referrer")],
  ["dry-run", copyable(), COPY, ["--dry-run"], ["false", "true"], says("would copy")],
  ["plain-http", plainCopy, COPY, ["--plain-http=registry.example"], ["service-unavailable", "ok"]],
  ["registry-username", copyable("ci:secret"), [...TO_LAYOUT, "--registry-password-stdin"], ["--registry-username=ci"], ["registry-auth-refused", "ok"]],
  ["registry-password-stdin", copyable("ci:secret"), [...TO_LAYOUT, "--registry-username=ci"], ["--registry-password-stdin"], ["usage", "ok"]],
  ["docker-config", copyable("ci:secret"), COPY, ["--docker-config=docker"], ["registry-access-denied", "ok"]],
  ["format", copyable(), COPY, ["--format=json"], ["text", "json"], isJson],
];

/** A folder store with two attestations, and what GitHub and a registry answer. */
const kept = once(async (): Promise<World> => {
  const a = await envelopeAbout(digestOf(utf8("a")));
  return {
    now: new Date(3_600_000),
    files: { "a": "a", "a.json": a, "b.json": await envelopeAbout(digestOf(utf8("b"))), "sums": `${hexOf("a")}  a\n` },
    before: [["store", "put", "a.json", "b.json", "--store=kept"]],
    fetch: (url) => Promise.resolve(
      url.startsWith(GITHUB_API) ? Response.json({ attestations: [{ bundle: JSON.parse(a) }] }) : new Response("", { status: 404 }),
    ),
  };
});
const FIND = ["store", "find", "a", "--store=kept"];
const PRUNE = ["store", "prune", "--store=kept"];
const removed = (ran: Ran): string => /removed (\d+)/.exec(ran.err)?.[1] ?? reasonIn(ran);

const STORE_ROWS: Readonly<Record<string, readonly Row[]>> = {
  "store put": [
    ["store", kept, ["store", "put", "a.json"], ["--store=other"], ["usage", "ok"]],
    ["format", kept, ["store", "put", "a.json", "--store=other"], ["--format=json"], ["text", "json"], isJson],
  ],
  "store find": [
    ["store", kept, ["store", "find", "a"], ["--store=kept"], ["usage", "ok"]],
    ["github-api", kept, ["store", "find", "a", "--store=github:acme/app"], [`--github-api=${GITHUB_API}`], ["usage", "ok"]],
    ["registry", kept, ["store", "find", "a", "--store=npm:app@1.0.0"], ["--registry=https://npm.example"], ["usage", "status 1"]],
    ["output", kept, FIND, ["--output=found.jsonl"], ["no", "yes"], written("found.jsonl")],
    ["format", kept, FIND, ["--format=json"], ["text", "json"], isJson],
  ],
  "store list": [
    ["store", kept, ["store", "list"], ["--store=kept"], ["usage", "ok"]],
    ["format", kept, ["store", "list", "--store=kept"], ["--format=json"], ["text", "json"], isJson],
  ],
  "store prune": [
    ["store", kept, ["store", "prune", `--predicate-type=${TYPE}`], ["--store=kept"], ["usage", "2"], removed],
    ["older-than", kept, [...PRUNE, `--predicate-type=${TYPE}`], ["--older-than=P1D"], ["2", "0"], removed],
    ["predicate-type", kept, [...PRUNE, "--older-than=PT1M"], ["--predicate-type=https://x.example"], ["2", "0"], removed],
    ["keep-subjects", kept, [...PRUNE, `--predicate-type=${TYPE}`], ["--keep-subjects=sums"], ["2", "1"], removed],
    ["dry-run", kept, [...PRUNE, `--predicate-type=${TYPE}`], ["--dry-run"], ["false", "true"], says("would remove")],
    ["format", kept, [...PRUNE, `--predicate-type=${TYPE}`], ["--format=json"], ["text", "json"], isJson],
  ],
};

/** An image on which an attestation hangs that is made for it. */
const hung = (make: (digest: string) => Promise<World>, file: string) => async (): Promise<World> => {
  const registry = new MemoryRegistry();
  const subject = registry.image("app", "1");
  const world = await make(subject.digest.slice("sha256:".length));
  registry.referrer(subject, String(world.files[file]), DSSE);
  return { ...world, fetch: registry.fetch };
};
const good = hung((digest) => releaseWorld(digest, hexOf("bad")), "app.json");
const bad = hung((digest) => releaseWorld(hexOf("app"), digest), "bad.json");
const revokedBefore = (world: () => Promise<World>, words: readonly string[]) => async (): Promise<World> => ({
  ...await world(),
  before: [[...words.map((word) => word.replace("=out", "=earlier")), "--revocations=revoked.json", "--revocations-state=state"]],
});

/** Options of a policy, by how a command is called about what is good and bad. */
export const policyCases = (words: readonly string[], badWords: readonly string[], worlds: readonly [() => Promise<World>, () => Promise<World>]): readonly Row[] => [
  ["policy", worlds[0], words, ["--policy=policy.json"], ["shown", "ok"]],
  ["policy-key", worlds[0], [...words, "--policy=signed.json"], ["--policy-key=owner.pub"], ["usage", "ok"]],
  ["policy-threshold", worlds[0], [...words, "--policy=signed.json", "--policy-key=owner.pub", "--policy-key=ci.pub"], ["--policy-threshold=2"], ["ok", "threshold-not-met"]],
  ["waivers", worlds[1], [...badWords, "--policy=policy.json"], ["--waivers=waivers.json"], ["condition-not-met", "ok"]],
  ["waivers-key", worlds[1], [...badWords, "--policy=policy.json", "--waivers=waivers.signed.json"], ["--waivers-key=owner.pub"], ["usage", "ok"]],
  ...revocationRows([...words, "--policy=policy.json"], worlds[0], "key-revoked"),
];

function revocationRows(words: readonly string[], world: () => Promise<World>, revoked: string): readonly Row[] {
  const by = [...words, "--revocations-key=owner.pub"];
  return [
    ["revocations", world, by, ["--revocations=revoked.json"], ["usage", revoked]],
    ["revocations-key", world, [...words, "--revocations=revoked.json"], ["--revocations-key=owner.pub"], ["usage", revoked]],
    ["revocations-state", revokedBefore(world, by), [...by, "--revocations=late.json"], ["--revocations-state=state"], ["ok", "revocation-list-rollback"]],
  ];
}

/** A signature of Notation, over `abc`, whose certificate was valid in 2025. */
export const notation = once(async (): Promise<World> => {
  const ca = encodePem("CERTIFICATE", (await authority()).root);
  return { files: { "artifact.txt": "abc", "n.json": await sample(), "ca.pem": ca, "signing.key": (await policyWorld()).files["signing.key"] } };
});
const HOLDER = "--certificate-subject=CN=release";
export const formatRows = (words: readonly string[], world: () => Promise<World> = notation): readonly Row[] => [
  ["certificate-authority", world, [...words, HOLDER], ["--certificate-authority=ca.pem"], ["usage", "certificate-not-valid"]],
  ["signing-authority", world, [...words, HOLDER], ["--signing-authority=ca.pem"], ["usage", "untrusted-certificate"]],
  ["timestamp-authority", world, [...words, HOLDER, "--certificate-authority=ca.pem"], ["--timestamp-authority=none.pem"], ["certificate-not-valid", "unreadable-file"]],
  ["tuf-root", world, [...words, HOLDER, "--certificate-authority=ca.pem"], ["--tuf-root=none.json"], ["certificate-not-valid", "unreadable-file"]],
  ["certificate-subject", world, [...words, "--certificate-authority=ca.pem"], [HOLDER], ["usage", "certificate-not-valid"]],
  ["certificate-sha256", world, [...words, HOLDER, "--certificate-authority=ca.pem"], ["--certificate-sha256=x"], ["certificate-not-valid", "usage"]],
  ["efi-db", world, words, ["--efi-db=none.esl"], ["untrusted-certificate", "unreadable-file"]],
  ["efi-dbx", world, words, ["--efi-dbx=n.json"], ["untrusted-certificate", "usage"]],
];

/** A supply chain of one step, whose link lies in a folder of its own. */
const chained = once(async (): Promise<World> => {
  const build = link("build", {}, { "artifact.txt": "b" });
  return {
    files: {
      "artifact.txt": "b",
      "root.layout": await signed(await layout(["bob"], [await step("build", ["bob"])]), ["owner"]),
      [`links/${await linkName("build", "bob")}`]: await signed(build, ["bob"]),
      "owner.pub": encodePem("PUBLIC KEY", (await person("owner")).trustedKey.spki),
    },
    now: NOW,
  };
});
const chainWords = ["verify", "artifact.txt", "--key=owner.pub", "--format=json"];
const layoutRows: readonly Row[] = [
  ["layout", chained, chainWords, ["--layout=root.layout"], ["attestation-not-found", "threshold-not-met"]],
  ["links", chained, [...chainWords, "--layout=root.layout"], ["--links=links"], ["threshold-not-met", "ok"]],
];

const MINISIGN: World = {
  files: {
    "artifact.txt": "b",
    "a.txt": "hello\n",
    "k.pub": "untrusted comment: minisign public key 8898F3B5C5407C20\nRWQgfEDFtfOYiE3MPO4t6UY5vJen+drgBYJTr55HPLKmy0ySbnYI4/37\n",
    "a.minisig": "untrusted comment: signature from minisign secret key\nRUQgfEDFtfOYiDfBT+WjJWfTNtNTGv3tHC9e8QwXEk1uBuH+Vn8pdFxakaKtBNqDJBSTjXmpnTkOjO2Jzu+mZ9G4XF9nMj18Ygs=\ntrusted comment: interop sample\nwnTqfzfbj0BiOxyX6NV3yWs8sEatSAzb3Fqtbm7xW9K+DH8xyXOwAyfJEjnqXmLo5t+8FBLLOLt1kA7P5TdTDg==\n",
  },
};
const minisign = async (): Promise<World> => ({ files: { ...MINISIGN.files, "signing.key": (await policyWorld()).files["signing.key"] } });
const messageRow = (words: readonly string[]): Row =>
  ["message", minisign, [...words, "--key=k.pub"], ["--message=a.txt"], ["invalid-signature", "unsupported-payload-type"]];

const signedImage = hung(async () => ({ files: { ...(await notation()).files } }), "n.json");

const asEnvelope = (reason: string): string =>
  ["certificate-not-valid", "untrusted-certificate"].includes(reason) ? "malformed-envelope" : reason;

/** Reasons for which a command does not run; others are verdicts. */
const STOPS: ReadonlySet<string> = new Set(["ok", "usage", "unreadable-file", "threshold-not-met", "revocation-list-rollback"]);
const ofStatus = (reason: string): string =>
  reason === "shown" ? "not judged" : STOPS.has(reason) ? reason : "status 1";

/** Rows of `tree` and `download`: `download` says in its status what `tree` says in reasons. */
const several = hung(async (sha256) => {
  const { signer, publicKey: pem } = await generateSigner("Ed25519");
  const subject = [{ name: "image", digest: { sha256 } }, { name: "other", digest: { sha256: hexOf("other") } }];
  const statement = { _type: "https://in-toto.io/Statement/v1", subject, predicateType: TYPE, predicate: {} };
  const envelope = await createEnvelope("application/vnd.in-toto+json", utf8(JSON.stringify(statement)), signer);
  return { files: { "ci.pub": pem, "a.json": JSON.stringify(envelope) } };
}, "a.json");
const summary = hung(summaryWorld, "vsa.json");
const ofImage = (command: readonly string[], judged: (reason: string) => string, look: (ran: Ran) => string): readonly Row[] => {
  const vsa = [...command, "--key=v.pub", "--vsa-verifier-id=https://v.example", "--vsa-resource-uri=pkg:generic/app@1"];
  const rows: readonly Row[] = [
    ...policyCases(command, command, [good, bad]),
    // It is no format of images: what is told is whether the options are whole.
    ...formatRows(command, signedImage).map(([option, world, words, more, wanted]): Row => [option, world, words, more, [asEnvelope(wanted[0]), asEnvelope(wanted[1])]]),
    ["subjects", several, [...command, "--key=ci.pub"], ["--subjects=exact"], ["ok", "subject-mismatch"]],
    ["only-root", good, [...command, "--key=ci.pub"], ["--only-root"], ["ok", "usage"]],
    ["vsa-verifier-id", summary, vsa.filter((word) => !word.startsWith("--vsa-verifier-id")), ["--vsa-verifier-id=https://v.example"], ["usage", "ok"]],
    ["vsa-resource-uri", summary, vsa.filter((word) => !word.startsWith("--vsa-resource-uri")), ["--vsa-resource-uri=pkg:generic/app@1"], ["usage", "ok"]],
    ["vsa-level", summary, vsa, ["--vsa-level=SLSA_BUILD_LEVEL_3"], ["ok", "insufficient-level"]],
    ["vsa-dependency-level", summary, vsa, ["--vsa-dependency-level=SLSA_BUILD_LEVEL_2"], ["ok", "insufficient-level"]],
    ["vsa-max-age", summary, vsa, ["--vsa-max-age=30"], ["ok", "vsa-too-old"]],
    ["vsa-policy-uri", summary, vsa, ["--vsa-policy-uri=https://v.example/other"], ["ok", "policy-mismatch"]],
    ["vsa-source-ref", summary, vsa, ["--vsa-source-ref=refs/heads/other"], ["ok", "source-ref-mismatch"]],
    ["subject-digest", summary, vsa, [`--subject-digest=sha256:${hexOf("other")}`], ["ok", "subject-mismatch"]],
  ];
  return rows.map(([option, world, words, more, [before, after]]) => [option, world, words, more, [judged(before), judged(after)], look]);
};

/** Commands about images, stores and formats, by command and option. */
export const STORED: Readonly<Record<string, Readonly<Record<string, CommandCase>>>> = {
  "attach": table(ATTACH_ROWS),
  "copy": table(COPY_ROWS),
  ...Object.fromEntries(Object.entries(STORE_ROWS).map(([name, rows]) => [name, table(rows)])),
  ...Object.fromEntries(["verify", "vsa create", "diff", "convert", "policy init"].map((name) => {
    const policy = name === "verify"
      ? ["verify", "app.tgz", "-b=app.json", "--format=json", "--policy=policy.json"]
      : [...COMMANDS[name]("app.json").map((word) => word === "artifact.txt" ? "app.tgz" : word), "--policy=policy.json"];
    return [name, table([
      ...formatRows(COMMANDS[name]("n.json")),
      ...name === "verify" ? layoutRows : [],
      ...name === "diff" ? [] : [messageRow(COMMANDS[name]("a.minisig"))],
      ...name === "verify" || name === "vsa create" ? revocationRows(policy, policyWorld, "missing-attestation") : [],
    ])];
  })),
  "policy check": table(revocationRows(["policy", "check", "policy.json"], policyWorld, "ok")),
  "policy explain": table(revocationRows(["policy", "explain", "policy.json", "app.tgz", "-b=app.json"], policyWorld, "key-revoked")),
  "tree": table([
    ...ofImage(["tree", IMAGE, "--format=json"], (reason) => reason, verdictsIn),
    // Verdicts of a tree are those of attestations, which no waiver changes.
    ["waivers", good, ["tree", IMAGE, "--policy=policy.json"], ["--waivers=policy.json"], ["ok", "malformed-waivers"]],
    ["inherit-from-index", withImage(["index"]), ["tree", IMAGE, "--policy=policy.json"], ["--inherit-from-index"], ["ok", "usage"]],
    ["format", withImage(["amd64"]), ["tree", IMAGE], ["--format=json"], ["text", "json"], isJson],
    ["output", withImage(["amd64"]), ["tree", IMAGE], ["--output=tree.txt"], ["no", "yes"], written("tree.txt")],
    ["platform", withImage(["amd64", "arm64"]), ["tree", IMAGE], ["--platform=linux/amd64"], ["2", "1"], count("checked/v1")],
    ["index-only", withImage(["amd64", "index"]), ["tree", IMAGE], ["--index-only"], ["2", "1"], count("checked/v1")],
  ]),
  "download": table([
    ...ofImage(["download", IMAGE, "--output=out"], ofStatus, downloaded),
    ["output", withImage(["amd64"]), ["download", IMAGE], ["--output=out"], ["usage", "ok"]],
  ]),
};

/** The case of an option of a command with images, stores or formats. */
export function storedCase(command: string, option: string): CommandCase | undefined {
  return STORED[command]?.[option] ??
    (command === "tree" || command === "download" ? imageTrustCase(command, option) : undefined) ??
    placeCase(command, option) ?? (Object.hasOwn(COMMANDS, command) ? verifyingCase(command, option) : undefined);
}
