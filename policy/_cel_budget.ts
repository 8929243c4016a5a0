import {
  celFunc,
  type CelInput,
  celList,
  CelScalar,
  type celType,
  isCelList,
  isCelMap,
  listType,
  parse,
} from "@bufbuild/cel";

/** A node of the tree that the engine parses. */
export type Expr = ReturnType<typeof parse>["expr"];
type Call = Extract<Expr["exprKind"], { case: "callExpr" }>["value"];

/** A value as the engine hands it to a function. */
type Value = Parameters<typeof celType>[0];

const SHALLOW = "@cost";
const DEEP = "@deep_cost";
const TEXT = "@text_cost";
const SUM = "@sum_cost";

/** Operators that the engine plans by itself: their result is one of their parts. */
const PLANNED: ReadonlySet<string> = new Set([
  "_&&_",
  "_||_",
  "_?_:_",
  "_[_]",
  "_?._",
  "_[?_]",
  "@not_strictly_false",
]);

/** Functions that look at all of a value, not only at its surface. */
const THOROUGH: ReadonlySet<string> = new Set(["_==_", "_!=_", "@in"]);

const MAX_NODES = 4096;
const MAX_DEPTH = 250;
const MAX_COMPREHENSIONS = 4;
const MAX_PATTERN = 256;
const MAX_REPEAT = 100;
const MAX_ELEMENTS = 200_000;

/** Characters or elements that are looked at for one step. */
const PER_STEP = 32;
/** Elements of a list that are copied for one step. */
const PER_COPY = 512;

const arrays = new WeakMap<object, CelInput[]>();

/** A list whose elements can be had as an array again. */
export function listOf(elements: CelInput[]): CelInput {
  const list = celList(elements);
  arrays.set(list, elements);
  return list;
}

function elementsOf(list: Iterable<CelInput> & object): CelInput[] {
  return arrays.get(list) ?? [...list];
}

/**
 * Counts steps. The engine has no bound of its own, so the tree is changed before it is
 * planned: each call, each of its arguments and each turn of a comprehension goes through a
 * function that counts, by the size of what it is given.
 */
export class Budget {
  #left = 0;
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  start(): void {
    this.#left = this.#limit;
  }

  get exhausted(): boolean {
    return this.#left < 0;
  }

  charge(steps: number): void {
    if (this.#left >= 0) this.#left -= steps;
    // Also when an earlier throw was taken for an error that || and && may pass over.
    if (this.#left < 0) throw new Error(`more than ${this.#limit} steps`);
  }

  /** The functions that count, and those of the engine whose cost nothing would bound. */
  functions(): ReturnType<typeof celFunc>[] {
    const { DYN, DOUBLE } = CelScalar;
    const list = listType(DYN);
    return [
      celFunc(SHALLOW, [DYN], DYN, (value) => {
        this.charge(1 + sizeOf(value) / PER_STEP);
        return value as CelInput;
      }),
      celFunc(DEEP, [DYN], DYN, (value) => {
        this.#chargeDeep(value);
        return value as CelInput;
      }),
      celFunc(SUM, [DYN], DYN, (value) => {
        this.charge(1 + (isCelList(value) ? 0 : sizeOf(value) / PER_STEP));
        return value as CelInput;
      }),
      celFunc(TEXT, [DYN, DOUBLE], DYN, (value, factor) => {
        this.charge(50 + sizeOf(value) * factor);
        return value as CelInput;
      }),
      // The engine's own is a view of two lists: a view of views costs its depth per element.
      celFunc("_+_", [list, list], list, (a, b) => {
        const size = a.size + b.size;
        if (size > MAX_ELEMENTS) throw new Error(`a list has more than ${MAX_ELEMENTS} elements`);
        this.charge(1 + size / PER_COPY);
        return listOf(elementsOf(a).concat(elementsOf(b)));
      }),
    ];
  }

  #chargeDeep(value: Value): void {
    this.charge(1 + sizeOf(value) / PER_STEP);
    if (isCelList(value)) { for (const one of value) this.#chargeDeep(one); }
    else if (isCelMap(value)) { for (const one of value.values()) this.#chargeDeep(one); }
  }
}

function sizeOf(value: Value): number {
  if (typeof value === "string" || value instanceof Uint8Array) return value.length;
  return isCelList(value) || isCelMap(value) ? value.size : 0;
}

/** What a tree is checked and changed with. */
interface Walk {
  nodes: number;
  isFunction(name: string): boolean;
}

/**
 * The tree with the counting in it.
 *
 * @param names Variables.
 * @param isFunction Tells whether the engine has a function.
 * @throws {Error} If it is too large, names what is not there, or tries a text against a
 * pattern that is not written out in it.
 */
export function withBudget(
  expr: Expr,
  names: ReadonlySet<string>,
  isFunction: (name: string) => boolean,
): Expr {
  return rewrite(expr, names, 0, 0, { nodes: 0, isFunction });
}

function rewrite(
  expr: Expr,
  names: ReadonlySet<string>,
  depth: number,
  loops: number,
  walk: Walk,
): Expr {
  if (++walk.nodes > MAX_NODES) throw new Error(`the expression has more than ${MAX_NODES} parts`);
  if (depth > MAX_DEPTH) throw new Error(`the expression is nested deeper than ${MAX_DEPTH}`);
  const into = (inner: Expr, scope = names, turns = loops): Expr =>
    rewrite(inner, scope, depth + 1, turns, walk);
  const { exprKind } = expr;
  switch (exprKind.case) {
    case "constExpr":
      return expr;
    case "identExpr": {
      const { name } = exprKind.value;
      if (!names.has(name) && !TYPES.has(name)) throw new Error(`${name} is no variable`);
      return expr;
    }
    case "selectExpr": {
      const { operand } = exprKind.value;
      if (operand === undefined) break;
      return {
        ...expr,
        exprKind: { case: "selectExpr", value: { ...exprKind.value, operand: into(operand) } },
      };
    }
    case "listExpr": {
      const elements = exprKind.value.elements.map((one) => into(one));
      return { ...expr, exprKind: { case: "listExpr", value: { ...exprKind.value, elements } } };
    }
    case "structExpr": {
      const { messageName, entries } = exprKind.value;
      if (messageName !== "") throw new Error("messages cannot be made");
      const rewritten = entries.map((entry) => ({
        ...entry,
        keyKind: entry.keyKind.case === "mapKey"
          ? { case: "mapKey" as const, value: into(entry.keyKind.value) }
          : entry.keyKind,
        ...(entry.value === undefined ? {} : { value: into(entry.value) }),
      }));
      return {
        ...expr,
        exprKind: { case: "structExpr", value: { ...exprKind.value, entries: rewritten } },
      };
    }
    case "callExpr":
      return rewriteCall(expr, exprKind.value, into, walk);
    case "comprehensionExpr": {
      const fold = exprKind.value;
      const { iterRange, accuInit, loopCondition, loopStep, result } = fold;
      if (!iterRange || !accuInit || !loopCondition || !loopStep || !result) break;
      if (loops >= MAX_COMPREHENSIONS) {
        throw new Error(`macros are nested deeper than ${MAX_COMPREHENSIONS}`);
      }
      const inner = new Set([...names, fold.accuVar, fold.iterVar]);
      const value = {
        ...fold,
        iterRange: counted(into(iterRange)),
        accuInit: into(accuInit),
        loopCondition: counted(into(loopCondition, inner, loops + 1)),
        loopStep: into(loopStep, inner, loops + 1),
        result: into(result, inner, loops + 1),
      };
      return { ...expr, exprKind: { case: "comprehensionExpr", value } };
    }
  }
  throw new Error("the expression has a part that is not known");
}

/** Names of types, for `type(x) == string`. */
const TYPES: ReadonlySet<string> = new Set([
  "bool",
  "bytes",
  "double",
  "int",
  "list",
  "map",
  "null_type",
  "string",
  "type",
  "uint",
]);

function rewriteCall(
  expr: Expr,
  call: Call,
  into: (inner: Expr) => Expr,
  walk: Walk,
): Expr {
  const { function: name, target, args } = call;
  if (PLANNED.has(name)) {
    return {
      ...expr,
      exprKind: { case: "callExpr", value: { ...call, args: args.map((one) => into(one)) } },
    };
  }
  if (!walk.isFunction(name)) throw new Error(`${name}() is no function`);
  if (name === "matches") return rewriteMatches(expr, call, into);
  if (name === "_+_") {
    // Counts by itself: a macro that collects a list adds to it at every turn.
    const value = { ...call, args: args.map((one) => into(one)) };
    return counted({ ...expr, exprKind: { case: "callExpr", value } }, SUM);
  }
  const cost = THOROUGH.has(name) ? DEEP : SHALLOW;
  const value = {
    ...call,
    ...(target === undefined ? {} : { target: counted(into(target)) }),
    args: args.map((one) => one.exprKind.case === "constExpr" ? one : counted(into(one), cost)),
  };
  return counted({ ...expr, exprKind: { case: "callExpr", value } });
}

/** Linear in the text, by a factor that the pattern decides; so the pattern must be known. */
function rewriteMatches(expr: Expr, call: Call, into: (inner: Expr) => Expr): Expr {
  const { target, args } = call;
  const [pattern] = args;
  const kind = pattern?.exprKind.case === "constExpr"
    ? pattern.exprKind.value.constantKind
    : undefined;
  if (target === undefined || args.length !== 1 || kind?.case !== "stringValue") {
    throw new Error("the pattern of matches() is not written out in the expression");
  }
  const text = kind.value;
  if (text.length > MAX_PATTERN) {
    throw new Error(`a pattern has more than ${MAX_PATTERN} characters`);
  }
  let factor = 1 + text.length / PER_STEP;
  for (const [, least, most] of text.matchAll(/\{(\d+),?(\d*)\}/g)) {
    const times = Math.max(Number(least), Number(most));
    if (times > MAX_REPEAT) throw new Error(`a pattern repeats more than ${MAX_REPEAT} times`);
    factor *= Math.max(times, 1);
  }
  const counter = constant(pattern, factor);
  const value = { ...call, target: callOf(TEXT, [into(target), counter]), args };
  return counted({ ...expr, exprKind: { case: "callExpr", value } });
}

function counted(expr: Expr, cost = SHALLOW): Expr {
  return callOf(cost, [expr]);
}

/** A call is made from one that was parsed: it has all that the engine's type wants. */
const TEMPLATE = parse("f(1)").expr;

function callOf(name: string, args: Expr[]): Expr {
  const { exprKind } = TEMPLATE;
  if (exprKind.case !== "callExpr") return TEMPLATE;
  const value = { ...exprKind.value, function: name, args };
  return { ...TEMPLATE, id: args[0].id, exprKind: { case: "callExpr", value } };
}

function constant(like: Expr, value: number): Expr {
  const { exprKind } = like;
  if (exprKind.case !== "constExpr") return like;
  const constantKind = { case: "doubleValue" as const, value };
  return { ...like, exprKind: { case: "constExpr", value: { ...exprKind.value, constantKind } } };
}
