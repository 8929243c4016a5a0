import { AttestationError } from "../errors.ts";
import { printable, quote } from "../internal/json.ts";
import type { LockfilePackageReport, LockfileReport, NpmFiles, NpmTrust } from "../npm/mod.ts";
import { type ParsedArgs, usageError } from "./args.ts";
import { inFile } from "./in_file.ts";
import { REFUSED, VERIFIED } from "./main.ts";
import { MAX_ANSWER_BYTES, paintOf, print } from "./npm_print.ts";
import { progressBar } from "./progress.ts";
import { access, readBounded, type Runtime } from "./runtime.ts";
import { isReportFormat, type ReportFormat, reportText } from "./reports/report.ts";
import { plural, safeJson, table } from "./text.ts";
import { isForUpload } from "./present.ts";

const MAX_DOCUMENT_BYTES = 256 << 20;

/** `verify --lockfile`: every package of a lockfile. */
export async function runLockfile(
  args: ParsedArgs,
  runtime: Runtime,
  trust: NpmTrust,
  rows: [string, string][],
): Promise<number> {
  if (args.operands.length > 0) throw usageError("--lockfile takes no artifact beside it");
  if (!args.has("attestations") && !args.has("npm-cache")) {
    throw usageError("--lockfile needs --attestations or --npm-cache: where the answers are");
  }
  const npm = await import("../npm/mod.ts");
  const folders: { [name: string]: string } = {};
  for (
    const [option, member] of [
      ["attestations", "attestations"],
      ["tarballs", "tarballs"],
      ["npm-cache", "cache"],
    ]
  ) {
    const path = args.get(option);
    if (path === undefined) continue;
    // A folder that is not there must not pass for one without attestations.
    const info = await access("read", path, () => runtime.stat(path));
    if (info?.kind !== "directory") {
      throw new AttestationError("unreadable-file", `Cannot read ${quote(path)}: it is no folder`);
    }
    folders[member] = path.replace(/(?<=.)\/+$/, "");
    rows.push([option, printable(path)]);
  }
  const document = async <T>(option: string, read: (bytes: Uint8Array) => T) => {
    const path = args.get(option);
    if (path === undefined) return undefined;
    rows.push([option, printable(path)]);
    return await inFile(
      option,
      path,
      async () => read(await readBounded(runtime, path, MAX_DOCUMENT_BYTES)),
    );
  };
  let expectations = await document("npm-expectations", npm.parseNpmExpectations);
  const previous = await document("previous", npm.parseNpmHistory);
  if (args.has("unsafe-any-identity")) {
    expectations = {
      ...expectations,
      defaults: { anyRepository: true, ...expectations?.defaults },
    };
    rows.push(["source repository", "ANY, unless the expectations name one (unsafe)"]);
  } else if (expectations === undefined) {
    rows.push([
      "source repository",
      "NOT STATED: give --npm-expectations, or --unsafe-any-identity",
    ]);
  }
  const path = args.get("lockfile") ?? "";
  const lockfile = await readBounded(runtime, path, MAX_DOCUMENT_BYTES);
  const progress = progressBar(runtime, undefined, "package");
  let report: LockfileReport;
  try {
    report = await npm.verifyLockfile(
      lockfile,
      npm.createFolderSource(filesOf(runtime), folders),
      {
        trust,
        ...(expectations === undefined ? {} : { expectations }),
        ...(previous === undefined ? {} : { previous }),
        requireTarballs: args.has("require-tarballs"),
        onProgress: ({ done, total }) => progress.update({ phase: "verify", done, total }),
      },
    );
  } finally {
    progress.end();
  }
  const format = args.get("format") ?? "text";
  const text = format === "json"
    ? `${safeJson(report, 2)}\n`
    : isReportFormat(format)
    ? await lockfileReportText(format, report, path, lockfile)
    : lockfileText(report, path, rows, args, runtime);
  await print(args, runtime, text);
  return report.ok || isForUpload(args) ? VERIFIED : REFUSED;
}

async function lockfileReportText(
  format: ReportFormat,
  report: LockfileReport,
  path: string,
  lockfile: Uint8Array,
): Promise<string> {
  const { lockfileJudgement } = await import("./reports/findings.ts");
  const { lockfileLines } = await import("./reports/lockfile_lines.ts");
  const lines = lockfileLines(new TextDecoder().decode(lockfile));
  return await reportText(
    format,
    lockfileJudgement(report, path, (location) => lines.get(location)),
  );
}

function filesOf(runtime: Runtime): NpmFiles {
  const exists = async (path: string) =>
    (await access("read", path, () => runtime.stat(path)))?.kind === "file";
  return {
    read: async (path) =>
      await exists(path) ? await readBounded(runtime, path, MAX_ANSWER_BYTES) : undefined,
    open: async (path) =>
      await exists(path) ? await access("read", path, () => runtime.openRead(path)) : undefined,
  };
}

function lockfileText(
  report: LockfileReport,
  path: string,
  rows: readonly [string, string][],
  args: ParsedArgs,
  runtime: Runtime,
): string {
  const paint = paintOf(args, runtime);
  let text = `${paint.bold("Expected")}\n${table(rows, "  ")}\n`;
  if (report.message !== undefined) {
    text += table([[printable(path), `${report.message} (${report.errorReason})`]], "  ");
  }
  const list = (title: string, some: readonly LockfilePackageReport[]) => {
    if (some.length === 0) return;
    text += `${paint.bold(title)}\n`;
    text += `${table(some.map((one) => [nameOf(one), detailOf(one)]), "  ")}\n`;
  };
  const of = (status: LockfilePackageReport["status"]) =>
    report.packages.filter((one) => one.status === status && one.waived === undefined);
  list("Failed", of("failed"));
  list("Accepted for a while", report.packages.filter(({ waived }) => waived !== undefined));
  list("Without attestations", of("unattested"));
  list("Not from a registry", of("local"));
  const { total, verified, unattested, local, failed, waived, absentTarballs } = report.summary;
  text += table([
    ["verified", String(verified)],
    ["without attestations", String(unattested)],
    ["not from a registry", String(local)],
    ["failed", String(failed)],
    ...(waived > 0 ? [["accepted for a while", String(waived)] as const] : []),
    ...(absentTarballs > 0
      ? [["tarballs not there", `${absentTarballs}: judged by the lockfile's digest`] as const]
      : []),
  ], "  ");
  if (report.ok) {
    return `${text}\n${paint.green("PASSED")}: ${verified} of ${
      plural(total, "package")
    } verified, ${unattested} without attestations\n`;
  }
  return `${text}\n${paint.red("FAILED")}: ${failed} of ${
    plural(total, "package")
  } refused (${report.errorReason})\n`;
}

function nameOf({ name, version }: LockfilePackageReport): string {
  return printable(version === "" ? name : `${name}@${version}`);
}

function detailOf({ errorReason, message = "", waived }: LockfilePackageReport): string {
  if (waived !== undefined) {
    return `${waived.errorReason}, until ${waived.until}: ${waived.reason}\n${message}`;
  }
  return errorReason === null ? message : `${errorReason}\n${message}`;
}
