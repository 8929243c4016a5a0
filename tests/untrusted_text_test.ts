/**
 * What was read from a document becomes a text only where its type is known: `String()`, a
 * template and `+` throw a TypeError for an object without a usable `toString`, which anybody
 * can write into JSON. The compiler's types tell where one could get there. Deno only.
 */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { test } from "node:test";
import ts from "typescript";

const ROOT = fileURLToPath(new URL("../", import.meta.url));
const ROOMS = "internal keys dsse sigstore intoto slsa formats policy verify npm store server cli"
  .split(" ");

const PRIMITIVE = ts.TypeFlags.StringLike | ts.TypeFlags.NumberLike | ts.TypeFlags.BigIntLike |
  ts.TypeFlags.BooleanLike | ts.TypeFlags.Undefined | ts.TypeFlags.Null | ts.TypeFlags.Never |
  // Of packages and of Deno, whose types this program does not have.
  ts.TypeFlags.Any;

function sourcesOf(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sourcesOf(path);
    return path.endsWith(".ts") && !path.endsWith("_test.ts") ? [path] : [];
  });
}

/** Places at which something that may be an object is made a text. */
function objectsMadeText(files: readonly string[], texts = new Map<string, string>()): string[] {
  const options: ts.CompilerOptions = {
    allowImportingTsExtensions: true,
    noEmit: true,
    strict: true,
    skipLibCheck: true,
    target: ts.ScriptTarget.ESNext,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ["lib.esnext.d.ts", "lib.dom.d.ts", "lib.dom.iterable.d.ts"],
  };
  const host = ts.createCompilerHost(options);
  const { readFile, fileExists } = host;
  host.readFile = (name) => texts.get(name) ?? readFile(name);
  host.fileExists = (name) => texts.has(name) || fileExists(name);
  host.getSourceFile = (name, version) => {
    const text = host.readFile(name);
    return text === undefined ? undefined : ts.createSourceFile(name, text, version, true);
  };
  const program = ts.createProgram([...files], options, host);
  const checker = program.getTypeChecker();
  const mayBeObject = (type: ts.Type): boolean => {
    if (type.isUnion()) return type.types.some(mayBeObject);
    if (type.isIntersection()) return type.types.every(mayBeObject);
    if (type.flags & ts.TypeFlags.TypeParameter) {
      const limit = checker.getBaseConstraintOfType(type);
      return limit === undefined || mayBeObject(limit);
    }
    return (type.flags & PRIMITIVE) === 0;
  };
  const found: string[] = [];
  for (const name of files) {
    const file = program.getSourceFile(name);
    assert.ok(file !== undefined, `${name} is no source`);
    const look = (expression: ts.Expression) => {
      const type = checker.getTypeAtLocation(expression);
      if (!mayBeObject(type)) return;
      const { line } = file.getLineAndCharacterOfPosition(expression.getStart());
      found.push(
        `${name.replace(ROOT, "")}:${line + 1} ${expression.getText()}: ${
          checker.typeToString(type)
        }`,
      );
    };
    const visit = (node: ts.Node): void => {
      if (ts.isTemplateSpan(node)) look(node.expression);
      if (
        ts.isCallExpression(node) && ts.isIdentifier(node.expression) &&
        node.expression.text === "String" && node.arguments.length > 0
      ) look(node.arguments[0]);
      if (ts.isBinaryExpression(node) && node.operatorToken.kind === ts.SyntaxKind.PlusToken) {
        look(node.left);
        look(node.right);
      }
      ts.forEachChild(node, visit);
    };
    visit(file);
  }
  return found;
}

test("no value that may be an object is made a text by String(), a template or +", () => {
  const files = ROOMS.flatMap((room) => sourcesOf(`${ROOT}${room}`));
  assert.ok(files.length > 300, `${files.length} sources`);
  assert.deepEqual(objectsMadeText(files), []);
});

test("a value of JSON that is made a text is found", () => {
  const name = `${ROOT}internal/made_for_this_test.ts`;
  const text = 'import type { Json } from "./json.ts";\n' +
    "export const bad = (json: Json) => [`${json}`, String(json), json + 'x'];\n" +
    "export const good = (json: Json) => typeof json === 'string' ? `${json}` : '';\n";
  assert.deepEqual(
    objectsMadeText([name], new Map([[name, text]])).map((one) => one.split(" ")[0]),
    Array(3).fill("internal/made_for_this_test.ts:2"),
  );
});
