/**
 * Makes a module that can be made to fail anywhere: each function, each `await` and each call
 * of a dependency or of WebCrypto tells `globalThis.attack` that it is reached, which may throw.
 */

import ts from "typescript";

/** The source with a call of `attack(site)` at each of its sites. */
export function instrument(source: string, path: string): string {
  const file = ts.createSourceFile(path, source, ts.ScriptTarget.Latest, true);
  const dependencies = new Set<string>();
  const edits: { at: number; text: string; order: number }[] = [];
  const insert = (at: number, text: string) => edits.push({ at, text, order: edits.length });
  const site = (kind: string, node: ts.Node) => {
    const { line, character } = file.getLineAndCharacterOfPosition(node.getStart());
    return `globalThis.attack?.(${JSON.stringify(`${kind} ${path}:${line + 1}:${character + 1}`)})`;
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      const { importClause, moduleSpecifier } = node;
      const bindings = importClause?.namedBindings;
      if (
        ts.isStringLiteral(moduleSpecifier) && !moduleSpecifier.text.startsWith(".") &&
        importClause?.phaseModifier === undefined && bindings !== undefined &&
        ts.isNamedImports(bindings)
      ) {
        for (const { name, isTypeOnly } of bindings.elements) {
          if (!isTypeOnly) dependencies.add(name.text);
        }
      }
      return;
    }
    if (ts.isAwaitExpression(node)) {
      insert(node.expression.getStart(), `(${site("await", node)}, `);
      ts.forEachChild(node, visit);
      insert(node.expression.end, ")");
      return;
    }
    if (ts.isCallExpression(node)) {
      const callee = node.expression.getText();
      const root = /^\w+/.exec(callee)?.[0] ?? "";
      if (dependencies.has(root) || callee.startsWith("crypto.")) {
        insert(node.getStart(), `(${site("call", node)}, `);
        ts.forEachChild(node, visit);
        insert(node.end, ")");
        return;
      }
    }
    if (ts.isFunctionLike(node) && "body" in node && node.body !== undefined) {
      const body = node.body as ts.Node;
      if (ts.isBlock(body)) insert(body.getStart() + 1, `${site("enter", node)};`);
      else {
        insert(body.getStart(), `(${site("enter", node)}, `);
        ts.forEachChild(node, visit);
        insert(body.end, ")");
        return;
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  // Of two at one place, the outer one opens first and closes last: in order of insertion.
  edits.sort((a, b) => a.at - b.at || a.order - b.order);
  let result = "";
  let from = 0;
  for (const { at, text } of edits) {
    result += source.slice(from, at) + text;
    from = at;
  }
  return result + source.slice(from);
}
