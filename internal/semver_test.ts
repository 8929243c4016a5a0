import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isVersionOf, parseVersion, type Version } from "./semver.ts";

function version(text: string): Version {
  const found = parseVersion(text);
  if (found === undefined) throw new Error(`${text} is no version`);
  return found;
}

describe("parseVersion()", () => {
  it("reads one, two and three numbers, and what may follow three", () => {
    deepEqual(version("1").core, ["1"]);
    deepEqual(version("1.20").core, ["1", "20"]);
    deepEqual(version("1.2.3-rc.1+b.01"), {
      core: ["1", "2", "3"],
      prerelease: ["rc", "1"],
      build: ["b", "01"],
    });
    deepEqual(version(`${"9".repeat(40)}.0.0`).core[0], "9".repeat(40));
  });

  it("refuses everything else", () => {
    const wrong = ["", "v1.2.3", "01.2.3", "1.02.3", "1.2.03", "1.2.3.4", "1.2.", "1..2", " 1.2.3"];
    wrong.push("1.2.3\n", "1.2-rc", "1-rc", "1.2+b", "1.2.3-", "1.2.3-01", "1.2.3-a..b", "1.2.3+");
    wrong.push("1.2.3-é", "1.x.3", "１.2.3", "-1.2.3", `1.2.3-${"a".repeat(300)}`);
    for (const text of wrong) equal(parseVersion(text), undefined, JSON.stringify(text));
  });
});

describe("isVersionOf()", () => {
  const holds = (tag: string, wanted: string) => isVersionOf(version(tag), version(wanted));

  it("compares as many numbers as are wanted", () => {
    ok(holds("1.2.3", "1") && holds("1.2.3", "1.2") && holds("1.2.3", "1.2.3"));
    for (const wanted of ["0", "2", "12", "1.1", "1.20", "1.2.2", "1.2.30"]) {
      ok(!holds("1.2.3", wanted), wanted);
    }
  });

  it("takes numbers that a tag lacks as 0", () => {
    ok(holds("14", "14.0") && holds("14.2", "14.2.0") && !holds("14", "14.1"));
  });

  it("compares the pre-release where the patch is asked for, and never the build", () => {
    ok(holds("1.2.3+a", "1.2.3+b") && holds("1.2.3-rc.1", "1.2.3-rc.1"));
    ok(!holds("1.2.3-rc.1", "1.2.3") && !holds("1.2.3", "1.2.3-rc.1"));
    ok(!holds("1.2.3-rc.1", "1.2.3-rc.2") && !holds("1.2.3-a.b", "1.2.3-a"));
  });
});
