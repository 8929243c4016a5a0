/**
 * Mutants of a source: every check negated, removed or weakened, one at a time.
 *
 * All mutants of a file stand in one instrumented text, each behind `__m(id)`, which is true
 * for the one that is switched on: a source is loaded once for many mutants, not built anew.
 */

import ts from "typescript";

/** What is done to a check. */
export type Operator =
  | "negate-if"
  | "remove-throw"
  | "remove-refusal"
  | "remove-call"
  | "flip-comparison"
  | "drop-operand";

/** One change of one check. */
export interface Mutant {
  id: number;
  operator: Operator;
  /** Path from the project's folder. */
  file: string;
  /** From 1. */
  line: number;
  /** Function, method or constant around it. */
  within: string;
  /** Text that is changed, on one line. */
  code: string;
  /** What it is changed to, on one line. */
  becomes: string;
  /** Offsets of the text in the source, and what a plain edit puts there. */
  start: number;
  end: number;
  replacement: string;
}

/** A source with all its mutants in it. */
export interface Mutated {
  mutants: Mutant[];
  /** Runs as the original does while no mutant is switched on. */
  instrumented: string;
}

/** Switches by an environment variable where nobody has defined the switch. */
const PRELUDE = "globalThis.__m ??= (() => { let on = 0, seen = ''; try { " +
  "on = Number(Deno.env.get('ATTEST_MUTANT') ?? 0); seen = Deno.env.get('ATTEST_MUTANT_SEEN') ?? ''; " +
  "} catch {} if (seen === '') return (id) => id === on; const ids = new Set(); " +
  "addEventListener('unload', () => { try { Deno.writeTextFileSync(" +
  "`${seen}/${crypto.randomUUID()}`, [...ids].join()); } catch {} }); " +
  "return (id) => { ids.add(id); return false; }; })(); ";

const FLIPPED: Readonly<Record<string, string>> = {
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
  "===": "!==",
  "!==": "===",
  "==": "!=",
  "!=": "==",
};

const RELATIONAL: Readonly<Record<string, string>> = {
  "<": "((a, b) => a < b)",
  "<=": "((a, b) => a <= b)",
  ">": "((a, b) => a > b)",
  ">=": "((a, b) => a >= b)",
};

/** Names of the functions whose answer is a refusal, by how this code base calls them. */
const REFUSAL =
  /^(?:refus\w*|fail\w*|wrong\w*|misused|missing\w*|unknown|bad|cannot|untrusted|malformed\w*|notJudged|inexact|unusable\w*|mismatch\w*)$/;

const LONGEST = 160;

/** The mutants of a source, numbered from `firstId`. */
export function mutate(file: string, text: string, firstId: number): Mutated {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ESNext, true);
  const mutants: Mutant[] = [];

  function add(operator: Operator, node: ts.Node, replacement: string): number {
    const id = firstId + mutants.length;
    const start = node.getStart(source);
    mutants.push({
      id,
      operator,
      file,
      line: source.getLineAndCharacterOfPosition(start).line + 1,
      within: nameAround(node),
      code: oneLine(node.getText(source)),
      becomes: oneLine(replacement),
      start,
      end: node.end,
      replacement,
    });
    return id;
  }

  function children(node: ts.Node): string {
    let at = node.getStart(source);
    let out = "";
    ts.forEachChild(node, (child) => {
      out += text.slice(at, child.getStart(source)) + render(child);
      at = child.end;
    });
    return out + text.slice(at, node.end);
  }

  function render(node: ts.Node): string {
    if (
      ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node) ||
      ts.isImportDeclaration(node) || ts.isExportDeclaration(node)
    ) return node.getText(source);
    if (isCondition(node)) {
      const id = add("negate-if", node, `!(${node.getText(source)})`);
      return `__m(${id}) !== !!(${renderExpression(node)})`;
    }
    return renderExpression(node);
  }

  function renderExpression(node: ts.Node): string {
    if (ts.isThrowStatement(node)) return removed("remove-throw", node);
    if (ts.isReturnStatement(node) && isRefusal(node.expression)) {
      return removed("remove-refusal", node);
    }
    if (ts.isExpressionStatement(node) && isCall(node.expression)) {
      return removed("remove-call", node);
    }
    if (ts.isBinaryExpression(node)) return renderBinary(node);
    return children(node);
  }

  function removed(operator: Operator, node: ts.Statement): string {
    const id = add(operator, node, ";");
    return `{ if (!__m(${id})) ${children(node)} }`;
  }

  function renderBinary(node: ts.BinaryExpression): string {
    const operator = node.operatorToken.getText(source);
    if (operator === "&&" || operator === "||") return renderLogical(node, operator);
    const flipped = FLIPPED[operator];
    if (flipped === undefined) return children(node);
    const left = () => render(node.left);
    const right = () => render(node.right);
    const plain = `${node.left.getText(source)} ${flipped} ${node.right.getText(source)}`;
    const relational = RELATIONAL[operator];
    if (relational !== undefined) {
      const id = add("flip-comparison", node, plain);
      return `((__m(${id}) ? ${RELATIONAL[flipped]} : ${relational})(${left()}, ${right()}))`;
    }
    // The whole of a condition: negating it is the same mutant.
    if (isCondition(node)) return children(node);
    const id = add("flip-comparison", node, plain);
    return `(__m(${id}) !== (${left()} ${operator} ${right()}))`;
  }

  function renderLogical(node: ts.BinaryExpression, operator: "&&" | "||"): string {
    const operands = flatten(node, operator);
    const parts = operands.map((operand) => {
      const rest = operands.filter((other) => other !== operand);
      const id = add(
        "drop-operand",
        node,
        rest.map((other) => other.getText(source)).join(` ${operator} `),
      );
      return operator === "&&"
        ? `(__m(${id}) || (${render(operand)}))`
        : `(!__m(${id}) && (${render(operand)}))`;
    });
    return `(${parts.join(` ${operator} `)})`;
  }

  const instrumented = PRELUDE + text.slice(0, source.getStart(source)) + children(source);
  return { mutants, instrumented };
}

/** The source as it reads with one mutant in it. */
export function applied(text: string, { start, end, replacement }: Mutant): string {
  return text.slice(0, start) + replacement + text.slice(end);
}

function isCondition(node: ts.Node): boolean {
  return ts.isIfStatement(node.parent) && node.parent.expression === node;
}

function isCall(node: ts.Expression): boolean {
  if (ts.isAwaitExpression(node)) return isCall(node.expression);
  return ts.isCallExpression(node) && node.expression.kind !== ts.SyntaxKind.SuperKeyword;
}

function isRefusal(node: ts.Expression | undefined): boolean {
  if (node === undefined) return false;
  if (ts.isAwaitExpression(node)) return isRefusal(node.expression);
  if (ts.isObjectLiteralExpression(node)) {
    return node.properties.some((member) =>
      ts.isPropertyAssignment(member) && member.name.getText() === "ok" &&
      member.initializer.kind === ts.SyntaxKind.FalseKeyword
    );
  }
  if (!ts.isCallExpression(node)) return false;
  const { expression } = node;
  const name = ts.isPropertyAccessExpression(expression) ? expression.name : expression;
  return ts.isIdentifier(name) && REFUSAL.test(name.text);
}

function flatten(node: ts.Expression, operator: string): ts.Expression[] {
  if (ts.isBinaryExpression(node) && node.operatorToken.getText() === operator) {
    return [...flatten(node.left, operator), node.right];
  }
  return [node];
}

function nameAround(node: ts.Node): string {
  for (let at = node.parent; at !== undefined; at = at.parent) {
    if (
      (ts.isFunctionDeclaration(at) || ts.isMethodDeclaration(at) ||
        ts.isGetAccessorDeclaration(at)) && at.name !== undefined
    ) return at.name.getText();
    if (ts.isConstructorDeclaration(at)) return "constructor";
    if (ts.isVariableDeclaration(at) && at.parent.parent.parent.kind === ts.SyntaxKind.SourceFile) {
      return at.name.getText();
    }
  }
  return "";
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, " ");
  return line.length > LONGEST ? `${line.slice(0, LONGEST)}…` : line;
}
