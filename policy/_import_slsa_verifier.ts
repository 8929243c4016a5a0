import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import type { ProvenanceExpectation } from "../slsa/expectation.ts";
import type { VsaExpectation } from "../slsa/vsa_expectation.ts";
import { VSA_V1 } from "../slsa/vsa_predicate.ts";
import { type ImportedPolicy, Losses } from "./_import.ts";
import { POLICY_TYPE, type PolicyDocument, type PolicyRule, type Selector } from "./document.ts";

const PROVENANCE = [
  "source-uri",
  "source-branch",
  "source-tag",
  "source-versioned-tag",
  "builder-id",
  "build-workflow-input",
];

/** Flags with a value, by the command. */
const COMMANDS: ReadonlyMap<string, readonly string[]> = new Map([
  ["verify-artifact", [...PROVENANCE, "provenance-path"]],
  ["verify-image", [...PROVENANCE, "provenance-path", "provenance-repository"]],
  [
    "verify-npm-package",
    [...PROVENANCE, "attestations-path", "package-name", "package-version"],
  ],
  ["verify-vsa", [
    "attestation-path",
    "subject-digest",
    "verifier-id",
    "resource-uri",
    "verified-level",
    "public-key-path",
    "public-key-id",
    "public-key-signing-hash-algo",
  ]],
]);
const SWITCHES: ReadonlySet<string> = new Set(["print-provenance", "print-attestation"]);

/**
 * A policy of the flags of slsa-verifier 2.
 *
 * Source: slsa-framework/slsa-verifier, cli/slsa-verifier/verify.
 *
 * @param words Command line, with or without the program's name.
 * @param keys Public keys by their path on that command line.
 */
export function importSlsaVerifier(
  words: readonly string[],
  keys: ReadonlyMap<string, string>,
): ImportedPolicy {
  const losses = new Losses();
  const rest = [...words];
  if (/(?:^|[/\\])slsa-verifier(?:\.exe)?$/.test(rest[0] ?? "")) rest.shift();
  const command = rest.shift() ?? "";
  const known = COMMANDS.get(command);
  if (known === undefined) {
    throw wrong(`${quote(command)} is none of ${[...COMMANDS.keys()].join(", ")}`);
  }
  const { flags, operands } = readFlags(rest, known);
  const one = (name: string): string | undefined => flags.get(name)?.at(-1);
  for (
    const name of [
      "provenance-path",
      "provenance-repository",
      "attestations-path",
      "attestation-path",
    ]
  ) {
    if (flags.has(name)) {
      losses.add(`--${name}`, one(name) ?? "", "Where it lies is told to verify");
    }
  }
  for (const operand of operands) {
    losses.add("operand", operand, "Which artifacts are meant: see select of the rule");
  }
  return command === "verify-vsa"
    ? importVsa(flags, keys, losses)
    : importProvenance(command, flags, operands, losses);
}

function importProvenance(
  command: string,
  flags: ReadonlyMap<string, string[]>,
  operands: readonly string[],
  losses: Losses,
): ImportedPolicy {
  const one = (name: string): string | undefined => flags.get(name)?.at(-1);
  const sourceUri = one("source-uri");
  if (sourceUri === undefined) throw wrong("--source-uri is missing");
  const inputs = Object.fromEntries((flags.get("build-workflow-input") ?? []).map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw wrong(`--build-workflow-input is K=V, not ${quote(text)}`);
    return [text.slice(0, at), text.slice(at + 1)];
  }));
  const members: [keyof ProvenanceExpectation, string | undefined][] = [
    ["sourceBranch", one("source-branch")],
    ["sourceTag", one("source-tag")],
    ["sourceVersionedTag", one("source-versioned-tag")],
    ["builderId", one("builder-id")],
  ];
  const provenance: ProvenanceExpectation = {
    sourceUri,
    ...Object.fromEntries(members.filter(([, value]) => value !== undefined)),
    ...(Object.keys(inputs).length === 0 ? {} : { workflowInputs: inputs }),
    // Builders of lower levels are none that slsa-verifier knows.
    minLevel: command === "verify-npm-package" ? 2 : 3,
  };
  const select: Selector | undefined = command === "verify-npm-package"
    ? packageOf(one("package-name"))
    : command === "verify-image"
    ? imageOf(operands[0])
    : undefined;
  for (const name of [select?.npm ?? [], select?.oci ?? []].flat()) {
    if (/[*?]/.test(name)) throw wrong(`${quote(name)} is no name`);
  }
  const version = one("package-version");
  if (version !== undefined) {
    losses.add("--package-version", version, "It is of one release: no selector is for versions");
  }
  const rule: PolicyRule = {
    id: "provenance",
    ...(select === undefined ? {} : { select }),
    require: [{ id: "provenance", predicate: { provenance } }],
  };
  return finish({ rules: [rule] }, losses);
}

function importVsa(
  flags: ReadonlyMap<string, string[]>,
  keys: ReadonlyMap<string, string>,
  losses: Losses,
): ImportedPolicy {
  const need = (name: string): string => {
    const value = flags.get(name)?.at(-1);
    if (value === undefined) throw wrong(`--${name} is missing`);
    return value;
  };
  const path = need("public-key-path");
  const publicKey = keys.get(path);
  if (publicKey === undefined) throw wrong(`the key ${quote(path)} is not given`);
  const keyid = flags.get("public-key-id")?.at(-1);
  const hash = flags.get("public-key-signing-hash-algo")?.at(-1);
  if (hash !== undefined && hash !== "SHA256") {
    throw wrong(`--public-key-signing-hash-algo ${quote(hash)}: state it as alg in trust.keys`);
  }
  const digest = flags.get("subject-digest")?.at(-1);
  if (digest !== undefined) {
    losses.add("--subject-digest", digest, "It is of one artifact: the artifact is told to verify");
  }
  const levels = flags.get("verified-level") ?? [];
  const vsa: VsaExpectation = {
    verifierId: need("verifier-id"),
    resourceUri: need("resource-uri"),
    ...(levels.length === 0 ? {} : { verifiedLevels: levels.flatMap((text) => text.split(",")) }),
  };
  return finish({
    trust: {
      keys: { verifier: { publicKey, ...(keyid === undefined ? {} : { keyid }) } },
      roots: [],
    },
    rules: [{
      id: "summary",
      require: [{
        id: "summary",
        envelope: { signedBy: { of: ["verifier"] } },
        statement: { predicateTypes: [VSA_V1] },
        predicate: { vsa },
      }],
    }],
  }, losses);
}

function finish(
  parts: Pick<PolicyDocument, "trust" | "rules">,
  { list }: Losses,
): ImportedPolicy {
  return {
    document: { type: POLICY_TYPE, name: "slsa-verifier", mode: "enforce", ...parts },
    notCarriedOver: list,
  };
}

function readFlags(
  words: readonly string[],
  known: readonly string[],
): { flags: Map<string, string[]>; operands: string[] } {
  const flags = new Map<string, string[]>();
  const operands: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i];
    const [, name, stated] = /^--([^=]*)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) {
      if (word.startsWith("-")) throw wrong(`the flag ${quote(word)} is not known`);
      operands.push(word);
      continue;
    }
    if (SWITCHES.has(name)) continue;
    if (!known.includes(name)) throw wrong(`the flag ${quote(`--${name}`)} is not known`);
    const value = stated ?? words[++i];
    if (value === undefined || value === "") throw wrong(`--${name} has no value`);
    flags.set(name, [...flags.get(name) ?? [], value]);
  }
  return { flags, operands };
}

function packageOf(name: string | undefined): Selector {
  if (name === undefined) throw wrong("--package-name is missing");
  return { npm: name };
}

function imageOf(reference: string | undefined): Selector | undefined {
  if (reference === undefined) return undefined;
  const name = reference.replace(/@.*$/, "");
  const slash = name.lastIndexOf("/");
  const colon = name.indexOf(":", slash + 1);
  return { oci: colon < 0 ? name : name.slice(0, colon) };
}

function wrong(what: string): AttestationError {
  return new AttestationError("malformed-policy", `Cannot import flags of slsa-verifier: ${what}`);
}
