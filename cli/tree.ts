import { printable } from "../internal/json.ts";
import { lookAtImage, type LookedImage } from "../store/oci/look.ts";
import { createImageTree, type ImageTreeNode } from "../store/oci/tree.ts";
import { verifyLooked } from "../store/oci/verify_image.ts";
import type { VerificationReport } from "../verify/report.ts";
import { parseArgs, type ParsedArgs, usageError } from "./args.ts";
import { type Enforced, readExpectations } from "./expectations.ts";
import {
  imageOptions,
  lookupText,
  namesImage,
  noImage,
  type OpenedImage,
  openImage,
} from "./images.ts";
import { writeReport } from "./inputs.ts";
import { COULD_NOT_RUN, VERIFIED } from "./main.ts";
import { hasPolicy } from "./policy_options.ts";
import type { Runtime } from "./runtime.ts";
import { safeJson, type Style, style } from "./text.ts";
import { hasTrust, TREE_OPTIONS } from "./tree_options.ts";

/** `tree IMAGE`: what hangs on what, with verdicts where somebody is to be believed. */
export async function runTree(args: readonly string[], runtime: Runtime): Promise<number> {
  const parsed = parseArgs(args, TREE_OPTIONS);
  const [operand] = parsed.operands;
  if (operand === undefined || parsed.operands.length > 1) {
    throw usageError("tree takes one image: oci://REFERENCE or oci-layout:FOLDER");
  }
  if (!namesImage(operand)) throw noImage(operand);
  const opened = await openImage(operand, parsed, runtime);
  const looked = await lookAt(opened, parsed);
  const enforced = await readTrust(parsed, runtime);
  const report = enforced === undefined
    ? undefined
    : await verifyOpened({ opened, looked, enforced, parsed });
  const tree = await createImageTree(looked, opened.name, report);
  const format = parsed.get("format") ?? "text";
  const coloured = !parsed.has("output") && runtime.isTerminal("stdout") && !runtime.noColor;
  const text = format === "json"
    ? `${safeJson(tree, 2)}\n`
    : format === "mermaid"
    ? mermaid(tree)
    : treeText(tree, style(coloured));
  await writeReport(text, parsed, TREE_OPTIONS, runtime);
  if (report === undefined) {
    runtime.write(
      "stderr",
      "notice: Nothing was verified, and types are as their authors state them; say whom to " +
        "believe, as with --key or --cert-identity, for verdicts\n",
    );
  }
  return isWhole(tree) ? VERIFIED : COULD_NOT_RUN;
}

/** What hangs on the manifests of an image, by the options of a command. */
export async function lookAt(
  { source, reference, label }: OpenedImage,
  args: ParsedArgs,
): Promise<LookedImage> {
  const { platforms, indexOnly } = imageOptions(args);
  return await lookAtImage(source, reference, {
    label,
    ...(platforms === undefined ? {} : { platforms }),
    ...(indexOnly === undefined ? {} : { indexOnly }),
  });
}

/** Whom the options believe; undefined if none of them says it. */
export async function readTrust(
  args: ParsedArgs,
  runtime: Runtime,
): Promise<Enforced | undefined> {
  if (hasPolicy(args)) {
    return await (await import("./policy_enforced.ts"))
      .readPolicyExpectations(args, runtime);
  }
  return hasTrust(args) ? await readExpectations(args, runtime) : undefined;
}

/** Verdicts on what was looked at. */
export async function verifyOpened(
  { opened, looked, enforced, parsed }: {
    opened: OpenedImage;
    looked: LookedImage;
    enforced: Enforced;
    parsed: ParsedArgs;
  },
): Promise<VerificationReport> {
  const { options } = enforced;
  return await verifyLooked(looked, {
    ...imageOptions(parsed),
    inheritFromIndex: parsed.has("inherit-from-index") ||
      options.policy?.document.platforms === "from-index",
    verify: options,
    name: opened.name,
    ...(opened.repository === undefined ? {} : { repository: opened.repository }),
  });
}

function isWhole({ lookups = [], children }: ImageTreeNode): boolean {
  return lookups.every(({ outcome }) => outcome !== "unavailable") && children.every(isWhole);
}

function treeText(tree: ImageTreeNode, paint: Style): string {
  const lines: string[] = [];
  const add = (node: ImageTreeNode, head: string, rest: string): void => {
    const [first, ...more] = linesOf(node, paint);
    lines.push(head + first, ...more.map((line) => rest + line));
    const { children } = node;
    children.forEach((child, i) => {
      const isLast = i === children.length - 1;
      add(child, `${rest}${isLast ? "└─ " : "├─ "}`, `${rest}${isLast ? "   " : "│  "}`);
    });
  };
  add(tree, "", "");
  return `${lines.join("\n")}\n`;
}

function linesOf(node: ImageTreeNode, paint: Style): string[] {
  const { kind, name, digest, source, via, format, verdict, lookups = [] } = node;
  const label = printable(name, 300);
  if (kind === "index" || kind === "manifest") {
    const what = kind === "index" ? "index" : "manifest";
    return [
      `${paint.bold(label)}  ${digest} (${what})`,
      ...lookups.map((one) => paint.yellow(printable(lookupText(one), 500))),
    ];
  }
  if (kind === "other") return [label, paint.dim(printable(source ?? "", 300))];
  const word = verdict === undefined
    ? ""
    : verdict.ok
    ? `${paint.green("PASSED")}  `
    : `${paint.red("FAILED")}  `;
  const by = verdict?.ok === true && verdict.signers.length > 0
    ? `, signed by ${verdict.signers.map((one) => printable(one)).join(", ")}`
    : verdict?.ok === false
    ? `, ${verdict.errorReason}`
    : "";
  return [
    `${word}${label} (${format}, by ${via}${by})`,
    paint.dim(printable(source ?? "", 300)),
  ];
}

function mermaid(tree: ImageTreeNode): string {
  const lines = ["flowchart TD"];
  let count = 0;
  const add = (node: ImageTreeNode): string => {
    const id = `n${count++}`;
    const [open, close] = node.kind === "attestation" ? ["([", "])"] : ["[", "]"];
    lines.push(`  ${id}${open}"${labelOf(node)}"${close}${classOf(node)}`);
    for (const child of node.children) lines.push(`  ${id} --> ${add(child)}`);
    return id;
  };
  add(tree);
  lines.push(
    "  classDef ok stroke:#1a7f37,stroke-width:2px",
    "  classDef failed stroke:#cf222e,stroke-width:2px,stroke-dasharray:4",
  );
  return `${lines.join("\n")}\n`;
}

function labelOf({ kind, name, digest, via, verdict, lookups = [] }: ImageTreeNode): string {
  const parts = [printable(name, 200)];
  if (kind === "index" || kind === "manifest") parts.push(`${digest.slice(0, 19)}…`);
  if (via !== undefined) parts.push(`by ${via}`);
  if (verdict !== undefined) parts.push(verdict.ok ? "PASSED" : `FAILED: ${verdict.errorReason}`);
  if (lookups.some(({ outcome }) => outcome === "unavailable")) parts.push("could not look");
  return parts.map(escaped).join("<br>");
}

/** Text of a label: what means something to Mermaid or HTML is written as its code. */
function escaped(text: string): string {
  return text.replace(/[#"<>&`\\[\]{}()|;]/g, (unit) => `#${unit.charCodeAt(0)};`);
}

function classOf({ verdict }: ImageTreeNode): string {
  return verdict === undefined ? "" : verdict.ok ? ":::ok" : ":::failed";
}
