/**
 * Writes `docs/formats.md` from the registry of formats and from what is measured.
 *
 *     deno run -A tools/formats.ts            writes it again
 *     deno run -A tools/formats.ts --check    compares it with what is on disk
 *
 * @module
 */
import manifest from "../deno.json" with { type: "json" };
import { FORMATS } from "../formats/mod.ts";
import { EXPLANATIONS } from "../formats/explained.ts";
import { entrySize } from "../tests/package/bundle.ts";
import { survey, type Surveyed } from "../tests/formats/survey.ts";
import { FACTS } from "./formats/facts.ts";

const PAGE = new URL("../docs/formats.md", import.meta.url);

/** The page, formatted. */
export async function formatsPage(): Promise<string> {
  return await formatted(pageOf(await survey(), await optionalEntries()));
}

/** Entries of formats that are loaded on use: what each adds, in kB. */
async function optionalEntries(): Promise<string[]> {
  const names = Object.keys(manifest.exports).filter((name) => name.startsWith("./formats/"));
  const rows: string[] = [];
  for (const name of names) {
    const { gzip, packages } = await entrySize(
      name.replace(".", "@x/attest"),
      "@x/attest/formats",
      /^formats\/[a-z]+\/mod\.ts$/,
    );
    const formats = Object.entries(FACTS)
      .filter(([, facts]) => facts?.dependency.includes(`\`${name}\``))
      .map(([id]) => `\`${id}\``);
    rows.push(row(
      `\`@x/attest${name.slice(1)}\``,
      formats.join(", ") || "none: supply chains, by `verifyLayout()`",
      packages.map((one) => `\`${one}\``).join(", ") || "none",
      `${Math.ceil(gzip / 1000)} kB`,
    ));
  }
  return rows;
}

function pageOf(measured: readonly Surveyed[], entries: readonly string[]): string {
  const of = (support: string) => FORMATS.filter((one) => one.support === support);
  const parts = [
    "# Formats",
    "",
    "Made by `deno run -A tools/formats.ts` from the code; do not edit.",
    "",
    "Every attestation fits five layers: an envelope (who says it), a Statement (about what), a",
    "predicate (what is said), bundles (collections, which nobody signs) and stores. A layer that",
    "a format has not is filled with a constant, and named as implicit. Only bytes that a trusted",
    "signature covers become a Statement.",
    "",
    "`verify` and `inspect` tell a document by its marks, not by its name. One with the marks of",
    "two formats is refused: `ambiguous-format`. Sigstore bundles are read by `./sigstore`, the",
    "answers of Google Cloud Build by `verifyGoogleCloudBuild()`.",
    "",
    "## Verified",
    "",
    row(
      "format",
      "name",
      "authenticated",
      "not covered",
      "Statement",
      "implicit",
      "algorithms",
      "type signed",
      "loaded besides",
    ),
    row(..."---------".split("").map(() => "---")),
    ...of("verified").map(({ id }) => {
      const facts = factsOf(id);
      return row(
        facts.title,
        `\`${id}\``,
        facts.authenticated,
        facts.uncovered,
        facts.statement,
        facts.implicit,
        facts.algorithms,
        yes(facts.typeSigned),
        facts.dependency,
      );
    }),
    "",
    "All of them run in Deno, Node, Bun, workerd and browsers: signatures are checked by WebCrypto.",
    "A policy takes a format whose message type is not signed only if its `formats` names it.",
    "",
    "Sources: " + of("verified").map(({ id }) => `${id}: ${factsOf(id).source}`).join("; ") + ".",
    "",
    "## Loaded on use",
    "",
    "These formats are told by `@x/attest/formats`, and their code is loaded where one is met. Minified",
    "and compressed, with its packages, an entry adds:",
    "",
    row("entry", "formats", "packages", "gzip"),
    row("---", "---", "---", "---"),
    ...entries,
    "",
    "## Measured",
    "",
    "Each property is tried on documents that the tests make (`tests/formats/survey.ts`).",
    "",
    row(
      "format",
      "authenticated purpose",
      "arbitrary type",
      "avoids canonicalisation",
      "pluggable cryptography",
      "size / message",
      "several digests",
      "materials",
    ),
    row(..."--------".split("").map(() => "---")),
    ...measured.map((one) =>
      row(
        `\`${one.format}\``,
        yes(one.authenticatedPurpose),
        yes(one.arbitraryType),
        yes(one.avoidsCanonicalisation),
        one.algorithms.length > 1 ? `yes: ${one.algorithms.join(", ")}` : `no: ${one.algorithms}`,
        one.overhead?.toFixed(2) ?? "has no room",
        yes(one.severalDigests),
        yes(one.materials),
      )
    ),
    "",
    "## Not signed",
    "",
    "Told and shown, and never accepted by themselves (`unsigned-statement`); inside an envelope",
    "they are what it says.",
    "",
    row("format", "name", "subjects", "source"),
    row("---", "---", "---", "---"),
    ...of("unsigned").map(({ id }) => {
      const { title, statement, source } = factsOf(id);
      return row(title, `\`${id}\``, statement, source);
    }),
    "",
    "A layer of BuildKit's attestation manifest is a Statement that nobody signed:",
    "`parseBuildKitStatement()` compares it with its annotation.",
    "",
    "## Explained",
    "",
    "Told by their marks and described by `inspect`; `verify` refuses them (`format-not-verified`).",
    "",
    row("name", "what it is"),
    row("---", "---"),
    ...EXPLANATIONS.map(({ id, text }) => row(`\`${id}\``, text)),
    "",
    "No public format by the name of Drydock is known; what it may mean is not read.",
    "",
  ];
  return parts.join("\n");
}

function factsOf(id: string) {
  const facts = FACTS[id];
  if (facts === undefined) throw new Error(`No facts of ${id}`);
  return facts;
}

function row(...cells: string[]): string {
  return `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
}

function yes(value: boolean): string {
  return value ? "yes" : "no";
}

async function formatted(text: string): Promise<string> {
  const path = await Deno.makeTempFile({ suffix: ".md" });
  try {
    await Deno.writeTextFile(path, text);
    const { code, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["fmt", "--quiet", "--no-config", "--line-width", "100", path],
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    return await Deno.readTextFile(path);
  } finally {
    await Deno.remove(path);
  }
}

if (import.meta.main) {
  const text = await formatsPage();
  if (Deno.args.includes("--check")) {
    const same = await Deno.readTextFile(PAGE) === text;
    if (!same) console.error("differs: docs/formats.md");
    Deno.exit(same ? 0 : 1);
  }
  await Deno.writeTextFile(PAGE, text);
}
