import {
  type DocType,
  type JsDoc,
  type Members,
  memberTexts,
  type Parameter,
  parameterText,
  type Property,
  type Signature,
  signatureText,
  type TypeParameter,
  typeParametersText,
  typeText,
} from "./doc_types.ts";
import { anchor, code, firstSentence, GENERATED } from "./markdown.ts";

type Declaration =
  & { jsDoc?: JsDoc; location: { filename: string; byteIndex: number }; declarationKind: string }
  & (
    | { kind: "function"; def: Signature }
    | { kind: "interface"; def: Members & Generic & { extends?: readonly DocType[] } }
    | { kind: "typeAlias"; def: Generic & { tsType: DocType } }
    | { kind: "variable"; def: { tsType?: DocType; kind: string } }
    | { kind: "class"; def: ClassDefinition }
  );

interface Generic {
  typeParams?: readonly TypeParameter[];
}

interface ClassDefinition extends Generic {
  extends?: string;
  constructors?: readonly { params: readonly Parameter[]; jsDoc?: JsDoc }[];
  properties?: readonly Property[];
  methods?: readonly {
    name: string;
    jsDoc?: JsDoc;
    accessibility?: string;
    functionDef: Signature;
  }[];
}

interface Exported {
  name: string;
  declarations: readonly Declaration[];
}

interface Module {
  module_doc?: JsDoc;
  symbols: readonly Exported[];
}

/** A key of the export map, with what it exports. */
export interface Entry {
  /** As it is imported, such as `@x/attest/dsse`. */
  specifier: string;
  /** Folder of its module, with `/`; "" for the project's own. */
  folder: string;
  /** File name of its page. */
  page: string;
  module: Module;
}

/** Asks `deno doc` what each key of the export map exports. */
export async function readEntries(
  root: string,
  name: string,
  exports: Readonly<Record<string, string>>,
): Promise<readonly Entry[]> {
  const entries: Entry[] = [];
  for (const [key, target] of Object.entries(exports)) {
    const path = target.replace(/^\.\//, "");
    const { code: status, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["doc", "--json", path],
      cwd: root,
      // It colours texts inside of its JSON too.
      env: { NO_COLOR: "1" },
    }).output();
    if (status !== 0) throw new Error(new TextDecoder().decode(stderr));
    const { version, nodes } = JSON.parse(new TextDecoder().decode(stdout));
    if (version !== 2) throw new Error(`deno doc --json is of version ${version}, not 2`);
    const [module] = Object.values<Module>(nodes);
    entries.push({
      specifier: key === "." ? name : name + key.slice(1),
      folder: path.slice(0, path.lastIndexOf("/") + 1),
      page: `${key === "." ? "main" : key.slice(2).replaceAll("/", "-")}.md`,
      module,
    });
  }
  return entries;
}

/** One page for each key of the export map, by file name. */
export function apiPages(root: string, entries: readonly Entry[]): ReadonlyMap<string, string> {
  const homes = homesOf(root, entries);
  return new Map(entries.map((entry) => [entry.page, pageOf(entry, homes)]));
}

/** Names that an entry exports, without repeats. */
export function exportedNames(entry: Entry): readonly string[] {
  return entry.module.symbols.map(({ name }) => name);
}

/** Each declaration is documented once: in the room it is of, at last in the root's own page. */
function homesOf(root: string, entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  const homes = new Map<string, Entry>();
  const fit = ({ specifier, folder }: Entry, place: string): number => {
    const isRoot = !specifier.includes("/", specifier.indexOf("/") + 1);
    if (isRoot) return -2;
    if (folder === "") return place.includes("/") ? -1 : 0;
    return place.startsWith(folder) ? folder.length : -1;
  };
  for (const entry of entries) {
    for (const symbol of entry.module.symbols) {
      const id = idOf(symbol);
      const home = homes.get(id);
      const place = new URL(id.slice(0, id.lastIndexOf("#"))).pathname.slice(root.length);
      if (home === undefined || fit(entry, place) > fit(home, place)) homes.set(id, entry);
    }
  }
  return homes;
}

function idOf({ name, declarations: [{ location }] }: Exported): string {
  return `${location.filename}#${name}`;
}

function pageOf(entry: Entry, homes: ReadonlyMap<string, Entry>): string {
  const lines = [GENERATED, "", `# ${code(entry.specifier)}`, ""];
  const paragraph = (entry.module.module_doc?.doc ?? "").trim().split(/\n\s*\n/)[0];
  if (paragraph !== "") lines.push(paragraph, "");
  const own = entry.module.symbols.filter((symbol) => homes.get(idOf(symbol)) === entry);
  const others = entry.module.symbols.filter((symbol) => !own.includes(symbol));
  if (others.length > 0) {
    lines.push(own.length > 0 ? "Also exported here:" : "Exported here:", "");
    for (const symbol of others) {
      const home = homes.get(idOf(symbol)) ?? entry;
      lines.push(
        `- [${code(symbol.name)}](${home.page}#${anchor(headingOf(symbol))}), of ${
          code(home.specifier)
        }: ${summaryOf(symbol)}`,
      );
    }
    lines.push("");
  }
  const parts: readonly (readonly [string, readonly string[]])[] = [
    ["Functions", ["function"]],
    ["Classes", ["class"]],
    ["Constants", ["variable"]],
    ["Types", ["interface", "typeAlias"]],
  ];
  for (const [title, kinds] of parts) {
    const symbols = own.filter(({ declarations: [{ kind }] }) => kinds.includes(kind));
    if (symbols.length === 0) continue;
    lines.push(`## ${title}`, "");
    for (const symbol of symbols) lines.push(...symbolLines(symbol));
  }
  return `${lines.join("\n")}\n`;
}

function headingOf({ name, declarations: [{ kind }] }: Exported): string {
  return kind === "function" ? `${name}()` : name;
}

function summaryOf({ declarations }: Exported): string {
  return firstSentence(declarations.find(({ jsDoc }) => jsDoc?.doc !== undefined)?.jsDoc?.doc);
}

function symbolLines(symbol: Exported): readonly string[] {
  const declarations = symbol.declarations.filter(({ declarationKind }) =>
    declarationKind === "export"
  );
  return [
    `### ${headingOf(symbol)}`,
    "",
    summaryOf(symbol),
    "",
    "```ts",
    ...declarations.map((declaration) => declarationText(symbol.name, declaration)),
    "```",
    "",
    ...declarations.flatMap(memberLines),
  ];
}

function declarationText(name: string, declaration: Declaration): string {
  switch (declaration.kind) {
    case "function":
      return `function ${name}${signatureText(declaration.def)};`;
    case "interface": {
      const { typeParams, extends: bases = [] } = declaration.def;
      const head = `interface ${name}${typeParametersText(typeParams)}${
        bases.length > 0 ? ` extends ${bases.map(typeText).join(", ")}` : ""
      }`;
      const texts = memberTexts(declaration.def).map(({ text }) => `${text};`);
      return `${head} {\n${texts.join("\n")}\n}`;
    }
    case "typeAlias":
      return `type ${name}${typeParametersText(declaration.def.typeParams)} = ${
        typeText(declaration.def.tsType)
      };`;
    case "variable":
      return `const ${name}: ${typeText(declaration.def.tsType)};`;
    case "class": {
      const { def } = declaration;
      const texts = [
        ...(def.properties ?? []).filter(isPublic).map((property) =>
          `${property.isStatic ? "static " : ""}${
            property.readonly ? "readonly " : ""
          }${property.name}: ${typeText(property.tsType)};`
        ),
        ...(def.constructors ?? []).map(({ params }) =>
          `constructor(${params.map(parameterText).join(", ")});`
        ),
        ...(def.methods ?? []).filter(isPublic).map((method) =>
          `${method.name}${signatureText(method.functionDef)};`
        ),
      ];
      return `class ${name}${def.extends === undefined ? "" : ` extends ${def.extends}`} {\n${
        texts.join("\n")
      }\n}`;
    }
    default:
      throw new Error(`A declaration that the reference cannot show: ${name}`);
  }
}

function isPublic({ accessibility }: { accessibility?: string }): boolean {
  return accessibility === undefined || accessibility === "public";
}

function memberLines(declaration: Declaration): readonly string[] {
  const documented: (readonly [string, string])[] = [];
  const add = (name: string, jsDoc: JsDoc | undefined) => {
    const sentence = firstSentence(jsDoc?.doc);
    if (sentence !== "") documented.push([name, sentence]);
  };
  if (declaration.kind === "interface") {
    const { properties = [], methods = [] } = declaration.def;
    for (const { name, jsDoc } of properties) add(name, jsDoc);
    for (const { name, jsDoc } of methods) add(`${name}()`, jsDoc);
  } else if (declaration.kind === "class") {
    for (const { name, jsDoc } of (declaration.def.properties ?? []).filter(isPublic)) {
      add(name, jsDoc);
    }
    for (const { name, jsDoc } of (declaration.def.methods ?? []).filter(isPublic)) {
      add(`${name}()`, jsDoc);
    }
  } else if (declaration.kind === "typeAlias" && declaration.def.tsType.kind === "typeLiteral") {
    for (const { name, jsDoc } of declaration.def.tsType.value.properties ?? []) add(name, jsDoc);
  }
  if (documented.length === 0) return [];
  return [...documented.map(([name, sentence]) => `- ${code(name)}: ${sentence}`), ""];
}
