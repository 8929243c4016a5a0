/** Cases of the options of `gate`: it looks at a repository, which git makes for each world. */

import { formatRows, notation, policyCases } from "./command_stores.ts";
import { type CommandCase, type Ran, type Row, table, type World } from "./command_cases.ts";
import { answered, GITHUB_API, plain, withImage } from "./command_images.ts";
import { keyedWorld, keylessWorld, VERIFYING } from "./command_verify.ts";
import { once, policyWorld } from "./command_worlds.ts";
import { Repository } from "../gate_machine.ts";
import { utf8 } from "../../internal/bytes.ts";

const made = new Map<string, Promise<Repository>>();
const numbers = new WeakMap<object, number>();
let count = 0;

/** A repository whose last commit brings one file of the world; the others lie beside. */
function repositoryWith(world: World, committed: string): Promise<Repository> {
  const number = numbers.get(world) ?? count++;
  numbers.set(world, number);
  const name = `${number} ${committed}`;
  const found = made.get(name) ?? (async () => {
    const one = await Repository.create();
    one.write("README.md", "read me");
    one.commit();
    const { [committed]: changed, ...others } = world.files;
    one.write(committed, changed as string);
    one.commit();
    for (const [path, content] of Object.entries(others)) one.write(path, content as string);
    return one;
  })();
  made.set(name, found);
  return found;
}

/** Removes the folders of all repositories. */
export async function removeRepositories(): Promise<void> {
  for (const one of made.values()) (await one).remove();
}

const runIn =
  (committed: string) => async (world: World, words: readonly string[]): Promise<Ran> => {
    const one = await repositoryWith(world, committed);
    const { fetch, now } = world;
    const more = {
      variables: world.variables,
      runtime: {
        ...(fetch === undefined ? {} : { fetch }),
        ...(now === undefined ? {} : { now: () => now }),
        sleep: () => Promise.resolve(),
        readStdin: () => Promise.resolve(utf8(world.stdin ?? "")),
      } as object,
    };
    for (const earlier of world.before ?? []) await one.gate(earlier, more);
    const { status, out, err } = await one.gate(words, more);
    return {
      ...{ status, out, err },
      file: (path) => Deno.readTextFileSync(`${one.folder}/${path}`),
      isSecret: () => false,
    };
  };

const GATE = ["--bundle=b.json", "--format=json"];
const STORED = ["--format=json", "--key=ci.pub"];
const IMAGES = ["--store=oci://registry.example/acme/app"];
const held = (behaviour: { user?: string }) =>
  once(withImage([], behaviour, { stdin: "secret\n", files: { app: "app" } }));
const guarded = held({ user: "ci:secret" });
const plainly = once(async () => {
  const world = await plain();
  return { ...world, files: { ...world.files, app: "app" } };
});
const KEYED = ["--bundle=b.json", "--key=ci.pub"];

/** What is said of files where another reason is said of images. */
const IN_FILES: Readonly<Record<string, string>> = {
  "shown": "missing-trusted-key",
  "key-revoked": "missing-attestation",
};

const ROWS: readonly (readonly [committed: string, row: Row])[] = [
  ...([
    ["bundle", keyedWorld, ["--format=json", "--key=ci.pub"], ["--bundle=b.json"], [
      "attestation-not-found",
      "ok",
    ]],
    ["only-root", keyedWorld, [...GATE, "--key=ci.pub"], ["--only-root"], ["ok", "usage"]],
    [
      "format",
      keyedWorld,
      KEYED,
      ["--format=json"],
      ["text", "json"],
      ({ out }: Ran) => out.startsWith("{") ? "json" : "text",
    ],
    [
      "output",
      keyedWorld,
      [...KEYED, "--format=json"],
      ["--output=report.json"],
      ["json", ""],
      ({ out }: Ran) => out === "" ? "" : "json",
    ],
    ...formatRows(["--bundle=n.json", "--format=json"], notation),
  ] as Row[]).map((row) => ["artifact.txt", row] as const),
  ...([
    ["store", once(answered({ GITHUB_API_URL: GITHUB_API })), STORED, ["--store=github:acme/app"], [
      "attestation-not-found",
      "ok",
    ]],
    ["github-api", once(answered({})), [...STORED, "--store=github:acme/app"], [
      `--github-api=${GITHUB_API}`,
    ], ["usage", "ok"]],
    ["plain-http", plainly, [...STORED, ...IMAGES], ["--plain-http=registry.example"], [
      "store-unavailable",
      "attestation-not-found",
    ]],
    ["registry-username", guarded, [...STORED, ...IMAGES, "--registry-password-stdin"], [
      "--registry-username=ci",
    ], ["store-unavailable", "attestation-not-found"]],
    ["registry-password-stdin", guarded, [...STORED, ...IMAGES, "--registry-username=ci"], [
      "--registry-password-stdin",
    ], ["usage", "attestation-not-found"]],
    ["docker-config", guarded, [...STORED, ...IMAGES], ["--docker-config=docker"], [
      "store-unavailable",
      "attestation-not-found",
    ]],
  ] as Row[]).map((row) => ["app", row] as const),
  ...policyCases(
    ["--bundle=app.json", "--format=json"],
    ["--bundle=bad.json", "--format=json"],
    [policyWorld, policyWorld],
  ).map(([option, world, words, more, wanted]): readonly [string, Row] => {
    const [without, withIt] = wanted.map((one) => IN_FILES[one] ?? one);
    const committed = option.startsWith("waivers") ? "bad.tgz" : "app.tgz";
    return [committed, [option, world, words, more, [without, withIt]]];
  }),
];

/** The case of an option of `gate`. */
export function gateCase(command: string, option: string): CommandCase | undefined {
  if (command !== "gate") return undefined;
  const found = ROWS.find(([, [name]]) => name === option);
  if (found !== undefined) return { ...table([found[1]])[option], run: runIn(found[0]) };
  if (!Object.hasOwn(VERIFYING, option)) return undefined;
  const { world = keylessWorld, bundle = "b.json", without, more, wanted } = VERIFYING[option];
  const words = [`--bundle=${bundle}`, "--format=json", ...without];
  return { world: () => world(), words, more, wanted, run: runIn("artifact.txt") };
}
