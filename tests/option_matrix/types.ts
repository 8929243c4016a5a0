/** The option types of the public API, read from the declarations of the sources. */

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** A type of options. */
export interface OptionType {
  name: string;
  /** Names of its members, those of what it extends too. */
  members: string[];
  /** The function by which it was found. */
  usedBy: string;
}

interface Declaration {
  file: string;
  node: ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.FunctionDeclaration;
}

const sources = new Map<string, ts.SourceFile>();

function sourceOf(file: string): ts.SourceFile {
  let source = sources.get(file);
  if (source === undefined) {
    const text = readFileSync(join(ROOT, file), "utf8");
    source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
    sources.set(file, source);
  }
  return source;
}

function target(from: string, specifier: string): string | undefined {
  if (!specifier.startsWith(".")) return undefined;
  const file = join(dirname(from), specifier);
  return existsSync(join(ROOT, file)) ? file : undefined;
}

/** The declaration that a name stands for in a file, through imports and re-exports. */
function resolve(file: string, name: string): Declaration | undefined {
  for (const node of sourceOf(file).statements) {
    if (
      (ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ||
        ts.isFunctionDeclaration(node)) && node.name?.text === name
    ) return { file, node };
    if (
      !(ts.isExportDeclaration(node) || ts.isImportDeclaration(node)) ||
      node.moduleSpecifier === undefined || !ts.isStringLiteral(node.moduleSpecifier)
    ) continue;
    const bindings = ts.isExportDeclaration(node)
      ? node.exportClause
      : node.importClause?.namedBindings;
    if (bindings === undefined || !(ts.isNamedExports(bindings) || ts.isNamedImports(bindings))) {
      continue;
    }
    const found = bindings.elements.find((element) => element.name.text === name);
    const from = target(file, node.moduleSpecifier.text);
    if (found !== undefined && from !== undefined) {
      return resolve(from, (found.propertyName ?? found.name).text);
    }
  }
}

function exportedNames(file: string): string[] {
  return sourceOf(file).statements.flatMap((node) => {
    if (ts.isExportDeclaration(node) && node.exportClause && ts.isNamedExports(node.exportClause)) {
      return node.exportClause.elements.map(({ name }) => name.text);
    }
    return ts.isFunctionDeclaration(node) && node.name &&
        node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword)
      ? [node.name.text]
      : [];
  });
}

function namesIn(node: ts.Node): string[] {
  const names: string[] = [];
  const visit = (at: ts.Node) => {
    // What a callback is given is no option.
    if (ts.isFunctionTypeNode(at) || ts.isMethodSignature(at)) return;
    if (ts.isTypeReferenceNode(at) && ts.isIdentifier(at.typeName)) names.push(at.typeName.text);
    if (ts.isExpressionWithTypeArguments(at) && ts.isIdentifier(at.expression)) {
      names.push(at.expression.text);
    }
    ts.forEachChild(at, visit);
  };
  visit(node);
  return names;
}

/** Members by name, with whether they are optional: own ones, and those it is made of. */
function membersOf(
  { file, node }: Declaration,
  seen: ReadonlySet<ts.Node> = new Set(),
): Map<string, boolean> {
  const members = new Map<string, boolean>();
  if (seen.has(node) || ts.isFunctionDeclaration(node)) return members;
  const inside = new Set([...seen, node]);
  const own = (elements: readonly ts.TypeElement[]) => {
    for (const one of elements) {
      if (ts.isPropertySignature(one) && ts.isIdentifier(one.name)) {
        members.set(one.name.text, one.questionToken !== undefined);
      }
    }
  };
  const base = (name: ts.Node) => {
    const found = ts.isIdentifier(name) ? resolve(file, name.text) : undefined;
    if (found !== undefined) { for (const one of membersOf(found, inside)) members.set(...one); }
  };
  const partOf = (type: ts.TypeNode) => {
    if (ts.isTypeLiteralNode(type)) own(type.members);
    else if (ts.isUnionTypeNode(type) || ts.isIntersectionTypeNode(type)) {
      type.types.forEach(partOf);
    } else if (ts.isParenthesizedTypeNode(type)) partOf(type.type);
    else if (ts.isTypeReferenceNode(type)) base(type.typeName);
  };
  if (ts.isTypeAliasDeclaration(node)) partOf(node.type);
  else {
    own([...node.members]);
    for (const { types } of node.heritageClauses ?? []) {
      for (const { expression } of types) base(expression);
    }
  }
  return members;
}

/** All types with an optional member that exported functions take, but those left out. */
export function optionTypes(leftOut: ReadonlySet<string>): OptionType[] {
  const manifest: { exports: Record<string, string> } = JSON.parse(
    readFileSync(join(ROOT, "deno.json"), "utf8"),
  );
  const found = new Map<string, OptionType>();
  const seen = new Set<string>();
  const visit = (file: string, name: string, usedBy: string) => {
    const declaration = resolve(file, name);
    if (declaration === undefined || ts.isFunctionDeclaration(declaration.node)) return;
    if (leftOut.has(name) || seen.has(`${declaration.file}#${name}`)) return;
    seen.add(`${declaration.file}#${name}`);
    const members = membersOf(declaration);
    if ([...members.values()].includes(true)) {
      found.set(name, { name, members: [...members.keys()], usedBy });
    }
    for (const inner of namesIn(declaration.node)) visit(declaration.file, inner, usedBy);
  };
  for (const path of Object.values(manifest.exports)) {
    const file = path.replace("./", "");
    for (const name of exportedNames(file)) {
      const declaration = resolve(file, name);
      if (declaration === undefined || !ts.isFunctionDeclaration(declaration.node)) continue;
      for (const { type } of declaration.node.parameters) {
        if (type !== undefined) {
          for (const inner of namesIn(type)) visit(declaration.file, inner, name);
        }
      }
    }
  }
  return [...found.values()];
}
