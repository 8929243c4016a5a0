/** As much of `node:test` as the unit tests use, for runtimes that lack it. */

/** What a test function is given. */
export interface TestContext {
  name: string;
  test(name: string, ...rest: unknown[]): Promise<void>;
}

type Body = (context: TestContext) => unknown;

interface Entry {
  name: string;
  body: Body;
}

interface Suite {
  name: string;
  entries: (Entry | Suite)[];
  before: Body[];
  after: Body[];
  beforeEach: Body[];
  afterEach: Body[];
}

/** What a run found. */
export interface Summary {
  passed: number;
  failed: number;
  failures: string[];
}

function newSuite(name: string): Suite {
  return { name, entries: [], before: [], after: [], beforeEach: [], afterEach: [] };
}

const root = newSuite("");
let open = root;
let running: RunOptions = {};

function bodyOf(rest: unknown[]): Body | undefined {
  const body = rest.at(-1);
  return typeof body === "function" ? body as Body : undefined;
}

function optionsOf(rest: unknown[]): { skip?: unknown; todo?: unknown } {
  const options = rest[0];
  return typeof options === "object" && options !== null ? options : {};
}

/** Registers a test. */
export function test(name: string, ...rest: unknown[]): Promise<void> {
  const body = bodyOf(rest);
  const { skip, todo } = optionsOf(rest);
  if (skip || todo) throw new Error(`"${name}": a test is run or it is not there`);
  if (body === undefined) throw new Error(`"${name}": a test without a body`);
  open.entries.push({ name, body });
  return Promise.resolve();
}

/** Registers a test. */
export const it: typeof test = test;

/** Groups tests. */
export function describe(name: string, ...rest: unknown[]): Promise<void> {
  const suite = newSuite(name);
  const outer = open;
  outer.entries.push(suite);
  open = suite;
  try {
    bodyOf(rest)?.({ name, test });
  } finally {
    open = outer;
  }
  return Promise.resolve();
}

/** Groups tests. */
export const suite: typeof describe = describe;

/** Runs before the tests of the group. */
export function before(body: Body): void {
  open.before.push(body);
}

/** Runs after the tests of the group. */
export function after(body: Body): void {
  open.after.push(body);
}

/** Runs before each test of the group. */
export function beforeEach(body: Body): void {
  open.beforeEach.push(body);
}

/** Runs after each test of the group. */
export function afterEach(body: Body): void {
  open.afterEach.push(body);
}

/** Which tests are run, and who hears of it. */
export interface RunOptions {
  /** Only the tests it says yes to, by path of names. Default: all. */
  only?: (name: string) => boolean;
  /** Called before each test. */
  onTest?: (name: string) => void;
  /** The first failure ends the run. Default false. */
  stopAtFirst?: boolean;
  /** Runs once more what was run last. Default false. */
  again?: boolean;
}

let latest: Suite["entries"] = [];

/** Runs what has been registered since the last run. */
export async function runRegistered(options: RunOptions = {}): Promise<Summary> {
  const summary: Summary = { passed: 0, failed: 0, failures: [] };
  const entries = options.again === true ? latest : root.entries.splice(0);
  latest = entries;
  running = options;
  await runSuite({ ...root, entries }, "", summary, [], []);
  return summary;
}

async function runSuite(
  suite: Suite,
  path: string,
  summary: Summary,
  setUp: Body[],
  tearDown: Body[],
): Promise<void> {
  const context: TestContext = { name: suite.name, test };
  for (const body of suite.before) await body(context);
  for (const entry of suite.entries) {
    const name = path === "" ? entry.name : `${path} > ${entry.name}`;
    if ("entries" in entry) {
      await runSuite(
        entry,
        name,
        summary,
        [...setUp, ...suite.beforeEach],
        [...suite.afterEach, ...tearDown],
      );
    } else {
      if (running.stopAtFirst && summary.failed > 0) break;
      if (running.only?.(name) === false) continue;
      running.onTest?.(name);
      await runTest(entry, name, summary, [...setUp, ...suite.beforeEach], [
        ...suite.afterEach,
        ...tearDown,
      ]);
    }
  }
  for (const body of suite.after) await body(context);
}

async function runTest(
  entry: Entry,
  name: string,
  summary: Summary,
  setUp: Body[],
  tearDown: Body[],
): Promise<void> {
  const failedBefore = summary.failed;
  const context: TestContext = {
    name: entry.name,
    test: async (inner, ...rest) => {
      const body = bodyOf(rest);
      if (body === undefined) throw new Error(`"${inner}": a test without a body`);
      await runTest({ name: inner, body }, `${name} > ${inner}`, summary, [], []);
    },
  };
  try {
    for (const body of setUp) await body(context);
    await entry.body(context);
    for (const body of tearDown) await body(context);
    if (summary.failed === failedBefore) summary.passed++;
    else summary.failed++;
  } catch (error) {
    summary.failed++;
    const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    summary.failures.push(`${name}\n  ${text.slice(0, 2000)}`);
  }
}

export default test;
