/**
 * The direction of imports and the few rules that a compiler does not hold. Pure: it looks
 * at texts, `architecture_test.ts` reads them from the disk.
 */

/** Rooms in the order of the data: each may import only from those before it. */
export const ROOMS: readonly string[] = [
  "internal",
  "keys",
  "dsse",
  "sigstore",
  "intoto",
  "slsa",
  "formats",
  "policy",
  "verify",
  "npm",
  "store",
  "server",
  "cli",
];

const RIM = new Set(["server", "cli"]);
const OUTSIDE = new Set(["tests", "tools", "bench", "examples", "docs", "testdata"]);
const WITHOUT_BARREL = new Set(["internal", "cli"]);

/** What is wrong, one line each. */
export type Findings = string[];

/** The parts of `deno.json` that count here. */
export interface Manifest {
  exports: Record<string, string>;
  imports: Record<string, string>;
}

/**
 * Checks all TypeScript files of the project.
 *
 * @param files Text by path from the project's folder, with `/`.
 */
export function checkArchitecture(
  files: ReadonlyMap<string, string>,
  manifest: Manifest,
): Findings {
  const findings: Findings = [];
  const rooms = new Set<string>();
  for (const [path, text] of files) {
    const code = withoutComments(text);
    for (const { specifier } of importsOf(code)) {
      if (/^(jsr|https?):/.test(specifier)) {
        findings.push(`${path}: imports ${specifier}, which is not on npm`);
      }
    }
    const folder = folderOf(path);
    if (OUTSIDE.has(folder) || path.endsWith("_test.ts") || folder.startsWith(".")) continue;
    if (ROOMS.includes(folder)) rooms.add(folder);
    else if (folder !== "") findings.push(`${path}: ${folder}/ is no room of the house`);
    findings.push(...checkImports(path, code, files, manifest));
    if (!mayTouchHost(path)) findings.push(...checkHost(path, code));
    if (path === "mod.ts" || /^[^/]+\/mod\.ts$/.test(path)) {
      findings.push(...checkBarrel(path, text, code));
    }
  }
  for (const room of rooms) {
    if (WITHOUT_BARREL.has(room)) continue;
    if (!files.has(`${room}/mod.ts`)) findings.push(`${room}/: has no mod.ts`);
    if (manifest.exports[`./${room}`] !== `./${room}/mod.ts`) {
      findings.push(`deno.json: the export map lacks "./${room}": "./${room}/mod.ts"`);
    }
  }
  for (const [key, target] of Object.entries(manifest.exports)) {
    if (/^\.\/(internal|cli)\b/.test(target)) findings.push(`deno.json: ${key} exports ${target}`);
    if (!files.has(target.replace(/^\.\//, ""))) {
      findings.push(`deno.json: ${key} names ${target}, which does not exist`);
    }
  }
  return findings;
}

function checkImports(
  path: string,
  code: string,
  files: ReadonlyMap<string, string>,
  manifest: Manifest,
): Findings {
  const findings: Findings = [];
  const from = folderOf(path);
  for (const { specifier } of importsOf(code)) {
    if (/^(jsr|https?|node):/.test(specifier)) continue;
    if (!specifier.startsWith(".")) {
      const known = Object.keys(manifest.imports).some((name) =>
        specifier === name || specifier.startsWith(`${name}/`)
      );
      if (!known) findings.push(`${path}: imports ${specifier}, which deno.json does not name`);
      continue;
    }
    const target = resolve(path, specifier);
    if (!files.has(target) && target.endsWith(".ts")) {
      findings.push(`${path}: imports ${target}, which does not exist`);
    }
    const to = folderOf(target);
    if (OUTSIDE.has(to)) {
      findings.push(`${path}: imports ${target}, which is no part of the library`);
    }
    const name = target.slice(target.lastIndexOf("/") + 1);
    if (
      name.startsWith("_") &&
      !path.startsWith(target.slice(0, -name.length))
    ) {
      findings.push(`${path}: imports ${target}, which is private to its folder and those below`);
    }
    if (target === "reasons.ts" && from !== "cli" && path !== "cli.ts") {
      findings.push(`${path}: imports reasons.ts, which only the command line carries`);
    }
    if (!mayImport(path, target)) {
      findings.push(`${path}: imports ${target}, an arrow that points back`);
    }
  }
  return findings;
}

function mayImport(path: string, target: string): boolean {
  const from = folderOf(path), to = folderOf(target);
  if (to === "") {
    if (path === "cli.ts" || from === "cli") return target !== "cli.ts";
    if (path === "errors.ts") return false;
    if (path === "report.ts") return target === "errors.ts";
    if (path === "reasons.ts") return target === "errors.ts" || target === "report.ts";
    return target === "errors.ts" || target === "report.ts" ||
      (from === "cli" && target === "reasons.ts") ||
      (RIM.has(from) && target === "mod.ts");
  }
  if (path === "errors.ts" || path === "report.ts" || path === "reasons.ts") return false;
  if (from === "") return path === "cli.ts" || !RIM.has(to);
  return ROOMS.indexOf(to) >= 0 && ROOMS.indexOf(to) <= ROOMS.indexOf(from);
}

function mayTouchHost(path: string): boolean {
  return path === "cli.ts" || /^(cli|server)\//.test(path) ||
    /^store\/(disk|sql\/sqlite)\.ts$/.test(path);
}

// A policy has a member `require`; only a call of it is Node's.
const HOST = /(?<![\w$.#])(Deno|process|Buffer|__dirname|require(?=\s*\())\b(?!\s*\??:)/g;
const HOST_MEMBER = /\bglobalThis\s*(?:\?\.|\.|\[\s*")\s*(Deno|process|Buffer)\b/g;

function checkHost(path: string, code: string): Findings {
  const findings: Findings = [];
  for (const { specifier } of importsOf(code)) {
    if (specifier.startsWith("node:")) findings.push(`${path}: imports ${specifier}`);
  }
  // The only look at the host: Node's hasher, found at run time without an import.
  const lookup = path === "internal/hasher.ts";
  for (const [, name] of code.matchAll(HOST_MEMBER)) {
    if (!(lookup && name === "process")) findings.push(`${path}: uses ${name}`);
  }
  for (const [, name] of withoutStrings(code).matchAll(HOST)) {
    findings.push(`${path}: uses ${name}`);
  }
  return findings;
}

function checkBarrel(path: string, text: string, code: string): Findings {
  const findings: Findings = [];
  if (!/\/\*\*[^]*?@module[^]*?\*\//.test(text)) findings.push(`${path}: has no module doc`);
  const rest = code.replace(/\bexport\s+(?:type\s+)?\{[^}]*\}\s*from\s*"[^"]+"\s*;/g, "").trim();
  if (rest !== "") {
    findings.push(
      `${path}: holds more than re-exports by name: ${rest.slice(0, 60).replace(/\s+/g, " ")}`,
    );
  }
  return findings;
}

function folderOf(path: string): string {
  return path.includes("/") ? path.slice(0, path.indexOf("/")) : "";
}

function resolve(path: string, specifier: string): string {
  const parts = path.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Specifiers of all static and dynamic imports and re-exports. */
export function importsOf(code: string): { specifier: string }[] {
  const found: { specifier: string }[] = [];
  const patterns = [
    /\b(?:import|export)\b[^;"'`()]*?\bfrom\s*["']([^"']+)["']/g,
    /\bimport\s*["']([^"']+)["']/g,
    /\bimport\s*\(\s*["'`]([^"'`]+)["'`]/g,
  ];
  for (const pattern of patterns) {
    for (const [, specifier] of code.matchAll(pattern)) found.push({ specifier });
  }
  return found;
}

/** The text with each comment as one space; strings and regular expressions stay. */
export function withoutComments(text: string): string {
  return scan(text, (kind, part) => kind === "comment" ? " " : part);
}

function withoutStrings(code: string): string {
  return scan(code, (kind, part) => kind === "string" ? '""' : part);
}

const TOKEN =
  /(\/\/[^\n]*|\/\*[^]*?\*\/)|("(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\[^])*`)|(\/(?![/*])(?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+\/[a-z]*)/g;

function scan(text: string, put: (kind: "comment" | "string", part: string) => string): string {
  let out = "";
  let at = 0;
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [part, comment, string, regex] = match;
    if (regex !== undefined && !startsExpression(text.slice(0, match.index))) {
      // A division: go on behind the slash.
      TOKEN.lastIndex = match.index + 1;
      continue;
    }
    out += text.slice(at, match.index);
    at = match.index + part.length;
    if (comment !== undefined) out += put("comment", part);
    else if (string?.startsWith("`")) out += part.includes("${") ? part : put("string", part);
    else if (string !== undefined) out += put("string", part);
    else out += put("string", part);
  }
  return out + text.slice(at);
}

function startsExpression(before: string): boolean {
  return /(?:^|[(,=:[!&|?{};+\-*%<>~^]|\b(?:return|typeof|case|in|of|void|await|yield))\s*$/.test(
    before.slice(-200).replace(/\/\*[^]*?\*\/\s*$/, ""),
  );
}
