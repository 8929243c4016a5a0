import { commandNames, helpOf } from "./commands.ts";
import { code, firstSentence, GENERATED, plain } from "./markdown.ts";
import type { Entry } from "./api.ts";
import { REASONS } from "../../reasons.ts";
import type { Reason } from "../../errors.ts";

/** All reasons by layer, with what `explain` says. */
export function reasonsPage(): string {
  const lines = [
    GENERATED,
    "",
    "# Reasons",
    "",
    "Why something was refused: the same words in `errorReason`, in the checks of a report, in the " +
    "command line and in `testdata/`. They are API; messages are not. `attest explain REASON` " +
    "says this in a terminal.",
    "",
  ];
  const layers = new Map<string, Reason[]>();
  for (const [reason, { layer }] of Object.entries(REASONS)) {
    const known = layers.get(layer);
    if (known === undefined) layers.set(layer, [reason as Reason]);
    else known.push(reason as Reason);
  }
  for (const [layer, reasons] of layers) lines.push(`- [${layer}](#${layer}): ${reasons.length}`);
  lines.push("");
  for (const [layer, reasons] of layers) {
    lines.push(`## ${layer}`, "");
    for (const reason of reasons) {
      const { cause, check, repair, example } = REASONS[reason];
      lines.push(
        `### ${code(reason)}`,
        "",
        `- Cause: ${plain(cause)}`,
        `- Check: ${plain(check)}`,
        `- Repair: ${plain(repair)}`,
        `- Example: ${plain(example)}`,
        "",
      );
    }
  }
  return `${lines.join("\n")}\n`;
}

/** What `help` prints about each command. */
export async function commandsPage(): Promise<string> {
  const lines = [
    GENERATED,
    "",
    "# Command line",
    "",
    "What `attest help` prints. Exit status of every command: 0 everything verified or done, " +
    "1 something is missing or invalid, 2 could not run.",
    "",
    "```text",
    (await helpOf(undefined)).trimEnd(),
    "```",
    "",
  ];
  for (const name of commandNames()) {
    lines.push(`## ${name}`, "", "```text", (await helpOf(name)).trimEnd(), "```", "");
  }
  return `${lines.join("\n")}\n`;
}

/** A JSON Schema, as far as the documents of this project use it. */
export interface Schema {
  title?: string;
  description?: string;
  type?: string | readonly string[];
  const?: unknown;
  enum?: readonly unknown[];
  $ref?: string;
  required?: readonly string[];
  properties?: Readonly<Record<string, Schema>>;
  items?: Schema;
  additionalProperties?: boolean | Schema;
  anyOf?: readonly Schema[];
  oneOf?: readonly Schema[];
  allOf?: readonly Schema[];
  $defs?: Readonly<Record<string, Schema>>;
}

/** The members of a policy document, part by part. */
export function policyPage(schema: Schema): string {
  const lines = [
    GENERATED,
    "",
    "# Policy document",
    "",
    plain(schema.description ?? ""),
    "",
    "Written from [policy.schema.json](../schema/policy.schema.json), which editors take too: name " +
    "it in `$schema`.",
    "",
    ...partLines("policy", schema),
  ];
  for (const [name, part] of Object.entries(schema.$defs ?? {})) {
    lines.push(...partLines(name, part));
  }
  return `${lines.join("\n")}\n`;
}

function partLines(name: string, part: Schema): readonly string[] {
  const lines = [`## ${name}`, ""];
  if (name !== "policy" && part.description !== undefined) lines.push(plain(part.description), "");
  const members = Object.entries(part.properties ?? {});
  if (members.length === 0) {
    if (part.enum === undefined && part.type === undefined && part.anyOf === undefined) {
      return lines;
    }
    return [...lines, `Form: ${form(part)}`, ""];
  }
  for (const [member, schema] of members) {
    const needed = part.required?.includes(member) ? ", required" : "";
    const text = schema.description === undefined ? "" : `: ${plain(schema.description)}`;
    lines.push(`- ${code(member)} (${form(schema)}${needed})${text}`);
  }
  return [...lines, ""];
}

function form(schema: Schema): string {
  if (schema.$ref !== undefined) {
    const name = schema.$ref.slice(schema.$ref.lastIndexOf("/") + 1);
    if (!schema.$ref.startsWith("#")) return `[${name}](../schema/${name})`;
    return `[${name}](#${name.toLowerCase()})`;
  }
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.enum !== undefined) {
    return schema.enum.map((value) => code(JSON.stringify(value))).join(", ");
  }
  const choices = schema.anyOf ?? schema.oneOf;
  if (choices !== undefined) {
    const forms = [...new Set(choices.map(form))].filter((text) => text !== "any");
    if (forms.length > 0) return forms.join(" or ");
  }
  if (schema.items !== undefined) return `list of ${form(schema.items)}`;
  if (typeof schema.additionalProperties === "object") {
    return `members that are each ${form(schema.additionalProperties)}`;
  }
  if (schema.allOf !== undefined) {
    const forms = schema.allOf.map(form).filter((text) => text !== "any");
    if (forms.length > 0) return forms.join(" and ");
  }
  if (schema.type === undefined) return "any";
  return [schema.type].flat().join(" or ");
}

/** What each schema is of. */
export function schemasPage(schemas: ReadonlyMap<string, Schema>): string {
  const lines = [
    GENERATED,
    "",
    "# Schemas",
    "",
    "JSON Schema 2020-12 of the documents and reports that are defined here.",
    "",
  ];
  for (const [file, { title = file, description = "" }] of schemas) {
    lines.push(`- [${file}](../schema/${file}): **${plain(title)}.** ${plain(description)}`);
  }
  return `${lines.join("\n")}\n`;
}

/** Table of contents of the reference. */
export function referenceIndex(entries: readonly Entry[]): string {
  const lines = [
    GENERATED,
    "",
    "# Reference",
    "",
    "Written from the sources by `deno task reference`; `tests/reference_test.ts` fails when a page " +
    "is stale. Longer explanations and examples of the API are in the comments of the sources, " +
    "which editors show.",
    "",
    "- [Command line](cli.md)",
    "- [Reasons](reasons.md)",
    "- [Policy document](policy.md)",
    "- [Schemas](schemas.md)",
    "",
    "## API",
    "",
  ];
  for (const { specifier, page, module } of entries) {
    const summary = firstSentence(module.module_doc?.doc);
    lines.push(`- [${code(specifier)}](api/${page}): ${summary}`);
  }
  return `${lines.join("\n")}\n`;
}
