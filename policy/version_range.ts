import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { parseVersion, type Version } from "../internal/semver.ts";

interface Comparator {
  operator: ">=" | ">" | "<=" | "<" | "=";
  version: Version;
}

const MAX_LENGTH = 1024;
const COMPARATOR = /^(>=|<=|>|<|=|\^|~)?(.+)$/;

/** What is wrong with a range of versions, or undefined. */
export function rangeFault(range: string): string | undefined {
  const found = readRange(range);
  return typeof found === "string" ? found : undefined;
}

/**
 * A range of versions: comparators (`>=1.2.0`, `<2.0.0`, `>`, `<=`, `=1.2.3` or `1.2.3`,
 * `^1.2.3`, `~1.2.3`) that must all hold, or several such lists with `||` between. Versions
 * have all three numbers. As package managers do, a pre-release is in a range only if a
 * comparator of the list names one of the same three numbers: `2.0.0-rc.1` is not below
 * `2.0.0`. A range of what is forbidden has every version between its bounds.
 *
 * Source: Semantic Versioning 2.0.0, 11.
 *
 * @returns Tells whether a version is in the range; undefined for a text that is none. A
 * leading `v`, as of tags, is left out.
 * @throws {AttestationError} `malformed-policy`.
 */
export function compileRange(
  range: string,
  isForbidden = false,
): (text: string) => boolean | undefined {
  const lists = readRange(range);
  if (typeof lists === "string") {
    throw new AttestationError("malformed-policy", `Cannot read range of versions: ${lists}`);
  }
  return (text) => {
    const version = parseVersion(text.startsWith("v") ? text.slice(1) : text);
    if (version === undefined || version.core.length !== 3) return undefined;
    return lists.some((list) => (isForbidden || mayHold(list, version)) && holds(list, version));
  };
}

/** Whether it is a release, or a pre-release of a version that the list names one of. */
function mayHold(list: readonly Comparator[], version: Version): boolean {
  return version.prerelease.length === 0 ||
    list.some(({ version: { core, prerelease } }) =>
      prerelease.length > 0 && core.join(".") === version.core.join(".")
    );
}

function holds(list: readonly Comparator[], version: Version): boolean {
  return list.every(({ operator, version: bound }) => {
    const order = compareVersions(version, bound);
    switch (operator) {
      case ">=":
        return order >= 0;
      case ">":
        return order > 0;
      case "<=":
        return order <= 0;
      case "<":
        return order < 0;
      case "=":
        return order === 0;
    }
  });
}

function readRange(range: string): Comparator[][] | string {
  if (range.length > MAX_LENGTH) return `it has more than ${MAX_LENGTH} characters`;
  const lists: Comparator[][] = [];
  for (const part of range.split("||")) {
    const list: Comparator[] = [];
    const words = part.replaceAll(/(>=|<=|>|<|=|\^|~) +/g, "$1").split(" ").filter((word) =>
      word !== ""
    );
    if (words.length === 0) return `${quote(range)} has an empty part`;
    for (const word of words) {
      const [, operator = "=", text] = COMPARATOR.exec(word) ?? [];
      const version = parseVersion(text ?? "");
      if (version === undefined || version.core.length !== 3) {
        return `${quote(word)} is no comparator with a version of three numbers, such as >=1.2.0`;
      }
      list.push(...spread(operator, version));
    }
    lists.push(list);
  }
  return lists;
}

/** `^` and `~` in the simple comparators that they stand for. */
function spread(operator: string, version: Version): Comparator[] {
  if (operator !== "^" && operator !== "~") {
    return [{ operator: operator as Comparator["operator"], version }];
  }
  const [major, minor, patch] = version.core;
  const above = (text: string): string => String(BigInt(text) + 1n);
  const upper = operator === "~"
    ? [major, above(minor), "0"]
    : major !== "0"
    ? [above(major), "0", "0"]
    : minor !== "0"
    ? ["0", above(minor), "0"]
    : ["0", "0", above(patch)];
  return [
    { operator: ">=", version },
    { operator: "<", version: { core: upper, prerelease: [], build: [] } },
  ];
}

/** Precedence: negative if `a` is lower. Build metadata has none. */
function compareVersions(a: Version, b: Version): number {
  for (let i = 0; i < 3; i++) {
    const order = compareNumbers(a.core[i], b.core[i]);
    if (order !== 0) return order;
  }
  if (a.prerelease.length === 0 || b.prerelease.length === 0) {
    return b.prerelease.length - a.prerelease.length;
  }
  for (let i = 0; i < Math.min(a.prerelease.length, b.prerelease.length); i++) {
    const [one, other] = [a.prerelease[i], b.prerelease[i]];
    const [isNumber, isOther] = [one, other].map((part) => /^\d+$/.test(part));
    if (isNumber !== isOther) return isNumber ? -1 : 1;
    const order = isNumber ? compareNumbers(one, other) : compareTexts(one, other);
    if (order !== 0) return order;
  }
  return a.prerelease.length - b.prerelease.length;
}

/** Numbers without leading zeros, of any size. */
function compareNumbers(a: string, b: string): number {
  return a.length === b.length ? compareTexts(a, b) : a.length - b.length;
}

/** By code units; what is compared is ASCII. */
function compareTexts(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}
