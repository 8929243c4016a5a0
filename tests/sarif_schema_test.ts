/** SARIF by its own schema, which a package of npm carries; nothing of it is kept here. */

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Ajv, type ValidateFunction } from "ajv";
import { judgementOf } from "../cli/reports/findings.ts";
import { reportText } from "../cli/reports/report.ts";
import { plainReport, policyReport } from "../cli/reports/_sample_test.ts";
import { REASONS } from "../reasons.ts";
import type { Reason } from "../errors.ts";

const PACKAGE = "@microsoft/jest-sarif@1.0.0-beta.0";
const SHA512 =
  "A1fOhPd6Ic5iDk4F9YPw1qNB4XF+7+IviR7xl8r2F6QzQkx5cpY9LsGk2rExiFIEcBbjpVnSmwWGBukASkiQ9A==";
const FILE = "package/lib/schemas/sarif-2.1.0-rtm.5.json";

const run = promisify(execFile);

/** The schema, or why it cannot be had. */
async function sarifSchema(): Promise<Record<string, unknown> | string> {
  const folder = await mkdtemp(join(tmpdir(), "attest-sarif-"));
  try {
    const { stdout } = await run("npm", ["pack", "--silent", PACKAGE], {
      cwd: folder,
      timeout: 60_000,
    });
    const tarball = join(folder, stdout.trim().split("\n").at(-1) ?? "");
    const digest = createHash("sha512").update(await readFile(tarball)).digest("base64");
    assert.equal(digest, SHA512);
    await run("tar", ["-xzf", tarball, "-C", folder, FILE]);
    return JSON.parse(await readFile(join(folder, FILE), "utf8"));
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    return `${PACKAGE} cannot be had: ${String(error).split("\n")[0]}`;
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The schema is of draft 4, of which the validator has to be told the name of `id`. */
function compile({ $schema: _, id: __, ...schema }: Record<string, unknown>): ValidateFunction {
  const ajv = new Ajv({ strict: false, allErrors: true, unicodeRegExp: false });
  const time = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z$/;
  ajv.addFormat("date-time", time);
  ajv.addFormat("uri", /^[A-Za-z][A-Za-z0-9+.-]*:[^\s<>"{}|\\^`]*$/);
  ajv.addFormat("uri-reference", /^(?:[^\s<>"{}|\\^`%]|%[0-9A-Fa-f]{2})*$/);
  return ajv.compile(schema);
}

test("SARIF reports are valid by the schema of SARIF 2.1.0", async (context) => {
  const schema = await sarifSchema();
  if (typeof schema === "string") {
    console.log(`SKIPPED ${schema}`);
    context.skip(schema);
    return;
  }
  const validate = compile(schema);
  const everyReason = policyReport();
  const [first] = everyReason.policy?.artifacts ?? [];
  first.rules = (Object.keys(REASONS) as Reason[]).map((reason) => ({
    id: `every/${reason}`,
    outcome: "failed",
    reason,
    message: `Not met: ${reason}`,
  }));
  const places = [{ file: "a b/ü#?%.txt", line: 3 }];
  for (
    const report of [
      plainReport(),
      plainReport("[x](https://evil.example) \ud800 {0}"),
      policyReport(),
      policyReport("permissive"),
      everyReason,
      { ok: true, errorReason: null, verificationResult: "PASSED" as const, artifacts: [] },
    ]
  ) {
    const text = await reportText("sarif", judgementOf(report, places));
    assert.ok(validate(JSON.parse(text)), JSON.stringify(validate.errors?.slice(0, 5)));
    for (
      const [good, bad] of [
        ['"version":"2.1.0"', '"version":"2.0.0"'],
        ['"utf16CodeUnits"', '"bytes"'],
        ['"executionSuccessful"', '"executionSuccess"'],
      ]
    ) {
      assert.ok(text.includes(good));
      assert.equal(validate(JSON.parse(text.replace(good, bad))), false);
    }
  }
});
