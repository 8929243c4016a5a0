import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { formatPurl, parsePurl, type Purl } from "../../internal/purl.ts";
import { list, load, options, ran } from "./corpus.ts";

/* Third-party vectors: package-url/purl-spec. */

interface Row {
  description: string;
  test_type: "parse" | "build" | "roundtrip" | "validate";
  input: string | Record<string, unknown>;
  expected_output: string | Record<string, unknown> | null;
  expected_failure: boolean;
}

const UPPER_CASE_KEY = "keys of qualifiers are lower case; the origin refuses Arch= in other rows";
const DATABRICKS = "whether letters have a case depends on the host in a qualifier";
const MAVEN = "pkg:Maven/org.apache.xmlgraphics/batik-anim@1.9.1";
const MLFLOW = "pkg:mlflow/CreditFraud@3?repository_url=" +
  "https://adb-5245952564735461.0.azuredatabricks.net/api/2.0/mlflow";

/** Where we differ from the origin on purpose, by kind and input, with the cause. */
const DISAGREEMENTS: ReadonlyMap<string, string> = new Map([
  ["validate pkg:gem/jruby-launcher@1.1.2?Platform=java", UPPER_CASE_KEY],
  ["validate pkg:Rpm/fedora/curl@7.50.3-1.fc25?Arch=i386&Distro=fedora-25", UPPER_CASE_KEY],
  ...["parse", "validate"].flatMap((kind): [string, string][] => [
    [
      `${kind} ${MAVEN}?classifier=sources&repositorY_url=https://repo.spring.io/release`,
      UPPER_CASE_KEY,
    ],
    [`${kind} ${MAVEN}?type=pom&repositorY_url=repo.spring.io/release`, UPPER_CASE_KEY],
    [`${kind} ${MLFLOW}`, DATABRICKS],
  ]),
  [
    "validate pkg:git/github/Package-url/purl-Spec@244fd47e07d1004f0aed9c",
    "hosts of git repositories have a case in general, and github is no host",
  ],
]);

test("parsePurl() and formatPurl() agree with the specification's tests", options, () => {
  const found: string[] = [];
  let count = 0;
  for (const folder of ["spec", "types"]) {
    for (const file of list(`purl/${folder}`)) {
      const { tests } = load<{ tests: Row[] }>(`purl/${folder}/${file}`);
      for (const row of tests) {
        count++;
        const fault = run(row);
        if (fault === undefined) continue;
        found.push(`${row.test_type} ${row.input}`);
      }
    }
  }
  equal(count, 586);
  ran("purl", count, found.length);
  deepEqual([...new Set(found)].sort(), [...DISAGREEMENTS.keys()].sort());
});

function run(row: Row): string | undefined {
  let output: unknown;
  try {
    if (row.test_type === "build") output = formatPurl(asPurl(row.input));
    else {
      const purl = parsePurl(row.input as string);
      output = row.test_type === "parse" ? purl : formatPurl(purl);
    }
  } catch (error) {
    return row.expected_failure ? undefined : `refused: ${(error as Error).message}`;
  }
  if (row.expected_failure) return `accepted: ${JSON.stringify(output)}`;
  const wanted = row.test_type === "parse" ? asPurl(row.expected_output) : row.expected_output;
  return sorted(output) === sorted(wanted) ? undefined : `found ${sorted(output)}`;
}

/** The origin's parts, in which null stands for absent. */
function asPurl(parts: unknown): Purl {
  return Object.fromEntries(
    Object.entries(parts as object).filter(([, part]) => part !== null),
  ) as unknown as Purl;
}

function sorted(value: unknown): string {
  return JSON.stringify(
    value,
    (_, member) =>
      typeof member === "object" && member !== null
        ? Object.fromEntries(Object.entries(member).sort())
        : member,
  );
}
