/** Cases of the options about images, registries and stores, and of commands that have images. */

import { utf8 } from "../../internal/bytes.ts";
import type { Fetch } from "../../internal/http.ts";
import { generateSigner } from "../../keys/mod.ts";
import { envelopeAbout, image, publicKey } from "../fixtures/attested_image.ts";
import { BUNDLE, digestOf, DSSE } from "../fixtures/oci.ts";
import { MemoryRegistry, type RegistryBehaviour } from "../fixtures/registry.ts";
import { type CommandCase, type Ran, reasonIn, type World } from "./command_cases.ts";
import { keylessWorld, VERIFYING, type Verifying } from "./command_verify.ts";

const IMAGE = "oci://registry.example/acme/app:1";
const PLATFORM = "--platform=linux/amd64";

type Part = "amd64" | "arm64" | "index";

/** A machine with a registry that has an image; attested are the named parts. */
export const withImage =
  (attested: readonly Part[], behaviour: RegistryBehaviour = {}, more: Partial<World> = {}) =>
  async (): Promise<World> => {
    const { registry } = await image(attested, behaviour);
    return {
      fetch: registry.fetch,
      ...more,
      files: {
        "ci.pub": await publicKey(),
        "signing.key": (await generateSigner("Ed25519")).privateKey,
        "docker/config.json": JSON.stringify({
          auths: { "registry.example": { auth: btoa("ci:secret") } },
        }),
        "policy.json": JSON.stringify({
          type: "attest-policy/v1",
          trust: { keys: { ci: { publicKey: await publicKey() } }, roots: [] },
          rules: [{
            id: "app",
            select: { oci: "registry.example/acme/*" },
            require: [{ id: "signed", envelope: { signedBy: { of: ["ci"] } } }],
          }],
        }),
        ...more.files,
      },
    };
  };

const BOTH: readonly Part[] = ["amd64", "arm64"];
const guarded = withImage(BOTH, { user: "ci:secret" }, { stdin: "secret\n" });
// The disk of layouts and stores lies apart from the files of the machine.
const inLayout = withImage(BOTH, {}, {
  before: [["copy", IMAGE, "oci-layout:lay"]],
  files: { "lay/oci-layout": "" },
});

/** The same without TLS only. */
export async function plain(): Promise<World> {
  const world = await withImage(BOTH)();
  const { fetch } = world;
  const only: Fetch = (url, init) =>
    url.startsWith("http://") && fetch !== undefined
      ? fetch(url, init)
      : Promise.resolve(new Response("", { status: 503 }));
  return { ...world, fetch: only };
}

/** A file, and GitHub's API with an envelope about it. */
export const GITHUB_API = "https://api.example";
export const answered = (variables: Record<string, string>) => async (): Promise<World> => {
  const bundle = JSON.parse(await envelopeAbout(digestOf(utf8("app"))));
  return {
    files: {
      app: "app",
      "ci.pub": await publicKey(),
      "signing.key": (await generateSigner("Ed25519")).privateKey,
    },
    variables,
    fetch: (url) =>
      Promise.resolve(
        url.startsWith(`${GITHUB_API}/repos/acme/app/attestations/`)
          ? Response.json({ attestations: [{ bundle }] })
          : new Response("", { status: 404 }),
      ),
  };
};

interface Place {
  world: () => Promise<World>;
  operand?: string;
  without?: readonly string[];
  more: readonly string[];
  wanted: readonly [string, string];
}

/** By option: what is verified, and what its attestation is found by. */
const PLACES: Readonly<Record<string, Place>> = {
  "platform": {
    world: withImage(["amd64"]),
    more: [PLATFORM],
    wanted: ["attestation-not-found", "ok"],
  },
  "every-platform": {
    world: withImage(BOTH),
    without: [PLATFORM],
    more: ["--every-platform"],
    wanted: ["ok", "usage"],
  },
  "inherit-from-index": {
    world: withImage(["index"]),
    without: [PLATFORM],
    more: ["--inherit-from-index"],
    wanted: ["attestation-not-found", "ok"],
  },
  "oci-repository": {
    world: inLayout,
    operand: "oci-layout:lay",
    without: ["--policy=policy.json"],
    more: ["--oci-repository=registry.example/acme/app"],
    wanted: ["unselected-artifact", "ok"],
  },
  "index-only": {
    world: withImage(["index"]),
    more: ["--index-only"],
    wanted: ["attestation-not-found", "ok"],
  },
  "plain-http": {
    world: plain,
    without: [PLATFORM],
    more: ["--plain-http=registry.example"],
    wanted: ["service-unavailable", "ok"],
  },
  "registry-username": {
    world: guarded,
    without: [PLATFORM, "--registry-password-stdin"],
    more: ["--registry-username=ci"],
    wanted: ["registry-auth-refused", "ok"],
  },
  "registry-password-stdin": {
    world: guarded,
    without: [PLATFORM, "--registry-username=ci"],
    more: ["--registry-password-stdin"],
    wanted: ["usage", "ok"],
  },
  "docker-config": {
    world: guarded,
    without: [PLATFORM],
    more: ["--docker-config=docker"],
    wanted: ["registry-access-denied", "ok"],
  },
  "store": {
    world: answered({ GITHUB_API_URL: GITHUB_API }),
    operand: "app",
    more: ["--store=github:acme/app"],
    wanted: ["attestation-not-found", "ok"],
  },
  "github-api": {
    world: answered({}),
    operand: "app",
    without: ["--store=github:acme/app"],
    more: [`--github-api=${GITHUB_API}`],
    wanted: ["usage", "ok"],
  },
  "registry": {
    world: answered({}),
    operand: "app",
    without: ["--store=npm:app@1.0.0"],
    more: ["--registry=https://npm.example"],
    wanted: ["usage", "attestation-not-found"],
  },
};

/** What the commands answer otherwise than `verify`. */
const OTHERWISE: Readonly<Record<string, Partial<Place>>> = {
  // Verdicts of a tree are those of attestations, wherever the image is.
  "tree oci-repository": {
    operand: IMAGE,
    without: [PLATFORM],
    world: withImage(BOTH),
    wanted: ["ok", "usage"],
  },
  // It takes one artifact, and has no policy yet.
  "policy init platform": { wanted: ["usage", "ok"] },
  "policy init index-only": { wanted: ["usage", "ok"] },
  "policy init oci-repository": {
    operand: IMAGE,
    without: [PLATFORM],
    world: withImage(BOTH),
    wanted: ["ok", "usage"],
  },
};

const WORDS: Readonly<Record<string, (operand: string) => readonly string[]>> = {
  "verify": (operand) => ["verify", operand, "--format=json"],
  "vsa create": (operand) => [
    ...["vsa", "create", operand, "--verifier-id=https://v.example"],
    ...["--resource-uri=pkg:generic/a@1", "--policy-uri=https://v.example/policy"],
    ...["--level=REVIEWED", "--signing-key=signing.key", "--output=vsa.json"],
  ],
  "policy init": (operand) => ["policy", "init", operand],
  "tree": (operand) => ["tree", operand, "--format=json"],
  "download": (operand) => ["download", operand, "--output=out"],
};

/** The case of an option about images, registries or stores, of a command that has it. */
export function placeCase(command: string, option: string): CommandCase | undefined {
  const found = Object.hasOwn(PLACES, option) ? PLACES[option] : undefined;
  if (found === undefined || !Object.hasOwn(WORDS, command)) return undefined;
  const place = { ...found, ...OTHERWISE[`${command} ${option}`] };
  const { world, operand = IMAGE, without = [], more, wanted } = place;
  const trust = without.some((word) => word.startsWith("--policy=")) ? [] : ["--key=ci.pub"];
  const words = [...WORDS[command](operand), ...trust, ...without];
  if (command === "tree") return { world, words, more, wanted, look: verdictsIn };
  // `download` says in its status what the others say in reasons.
  const isVerdict = ["attestation-not-found", "unselected-artifact"].includes(wanted[0]);
  const before = command === "download" && isVerdict ? "status 1" : wanted[0];
  return { world, words, more, wanted: [before, wanted[1]] };
}

/** An image of one manifest, on which a bundle hangs that is about it. */
async function attested({ world = keylessWorld, bundle = "b.json" }: Verifying): Promise<World> {
  const registry = new MemoryRegistry();
  const subject = registry.image("app", "1");
  const made = await world(subject.digest.slice("sha256:".length));
  const content = String(made.files[bundle]);
  const type = "payloadType" in JSON.parse(content) ? DSSE : BUNDLE;
  registry.referrer(subject, content, type);
  return { ...made, fetch: registry.fetch };
}

/** What hangs on the image that `tree` shows: the reason of each, `ok`, or `shown` without. */
export function verdictsIn(ran: Ran): string {
  if (!ran.out.startsWith("{")) return reasonIn(ran);
  const seen: string[] = [];
  const visit = (node: TreeNode) => {
    if (node.kind === "attestation") {
      seen.push(node.verdict === undefined ? "shown" : node.verdict.errorReason ?? "ok");
    }
    node.children.forEach(visit);
  };
  const root: TreeNode = JSON.parse(ran.out);
  visit(root);
  return seen.join();
}

/** The verdict of `download`, which writes it to standard error only. */
export function downloaded(ran: Ran): string {
  return ran.file("out/VERIFY.txt").includes("--key=…") ? "not judged" : reasonIn(ran);
}

interface TreeNode {
  kind: string;
  verdict?: { errorReason: string | null };
  children: TreeNode[];
}

/** The case of an option about trust, of `tree` and `download`. */
export function imageTrustCase(command: string, option: string): CommandCase | undefined {
  const found = Object.hasOwn(VERIFYING, option) ? VERIFYING[option] : undefined;
  if (found === undefined) return undefined;
  const isTree = command === "tree";
  const refusal = isTree ? (reason: string) => reason : () => "status 1";
  const [without, withIt] = found.wanted.map((one) => {
    // Where nobody is to be believed, nothing is judged.
    if (one === "missing-trusted-key") return isTree ? "shown" : "not judged";
    return one === "ok" ? one : refusal(one);
  });
  return {
    world: () => attested(found),
    words: [...WORDS[command](IMAGE), ...found.without],
    more: found.more,
    wanted: [without, withIt],
    look: isTree ? verdictsIn : downloaded,
  };
}
