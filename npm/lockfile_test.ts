import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { utf8 } from "../internal/bytes.ts";
import {
  type AnswerChanges,
  answerOf,
  claimsOf,
  integrityOf,
  keysOf,
  PACKAGE,
  publishOf,
  REPOSITORY,
  TARBALL,
} from "../tests/fixtures/npm.ts";
import { reasonOf, rootOf } from "../tests/fixtures/sigstore.ts";
import {
  type LockfileOptions,
  type LockfileReport,
  type NpmHistory,
  type NpmPackageSource,
  parseLockfile,
  parseNpmExpectations,
  parseNpmHistory,
  verifyLockfile,
} from "./mod.ts";

type Entries = Record<string, Record<string, unknown>>;

function lockfileOf(packages: Entries, lockfileVersion: unknown = 3): string {
  return JSON.stringify({ name: "mine", lockfileVersion, packages: { "": {}, ...packages } });
}

const WHERE = `node_modules/${PACKAGE.name}`;

async function entryOf(changes: object = {}): Promise<Record<string, unknown>> {
  return {
    version: PACKAGE.version,
    resolved: "https://registry.example/@acme/app/-/app-1.2.3.tgz",
    integrity: await integrityOf(TARBALL),
    ...changes,
  };
}

/** A source of one answer for each `name@version`. */
function sourceOf(
  answers: Record<string, unknown>,
  tarballs: Record<string, Uint8Array> = {},
): NpmPackageSource {
  return {
    tarball: ({ name, version }) => Promise.resolve(tarballs[`${name}@${version}`]),
    attestations: ({ name, version }) => {
      const answer = answers[`${name}@${version}`];
      return Promise.resolve(answer === undefined ? undefined : JSON.stringify(answer));
    },
  };
}

const ANY = { defaults: { anyRepository: true } };
const APP = "@acme/app@1.2.3";

async function run(
  lockfile: string,
  source: NpmPackageSource,
  options: Partial<LockfileOptions> = {},
): Promise<LockfileReport> {
  const report = await verifyLockfile(lockfile, source, {
    trust: { keys: await keysOf(), trustedRoots: [await rootOf()], onlyRoot: true },
    expectations: ANY,
    ...options,
  });
  equal(report.ok, report.errorReason === null);
  equal(report.verificationResult, report.ok ? "PASSED" : "FAILED");
  const { total, verified, unattested, local, failed, reasons } = report.summary;
  equal(total, verified + unattested + local + failed);
  equal(report.packages.length, total);
  equal(Object.values(reasons).reduce((sum, n) => sum + n, 0), failed);
  return report;
}

/** Status and reason of the one package. */
async function one(
  changes: AnswerChanges | undefined,
  options: Partial<LockfileOptions> = {},
  entry: object = {},
): Promise<string> {
  const answers = changes === undefined ? {} : { [APP]: await answerOf(changes) };
  const report = await run(
    lockfileOf({ [WHERE]: await entryOf(entry) }),
    sourceOf(answers, { [APP]: TARBALL }),
    options,
  );
  const [{ status, errorReason }] = report.packages;
  return errorReason ?? status;
}

describe("verifyLockfile()", () => {
  it("lists every package, each version once, in the order of the lockfile", async () => {
    const integrity = await integrityOf(utf8("another"));
    const report = await run(
      lockfileOf({
        [WHERE]: await entryOf(),
        [`node_modules/b/${WHERE}`]: await entryOf(),
        "node_modules/b": { version: "2.0.0", integrity },
        "node_modules/alias": { name: "c", version: "3.0.0", integrity },
        "node_modules/ours": { resolved: "packages/ours", link: true },
        "packages/ours": { version: "1.0.0" },
        "node_modules/git": { version: "1.0.0", resolved: "git+ssh://git@github.com/a/b.git#0" },
        "node_modules/tar": { version: "1.0.0", resolved: "file:tar.tgz", integrity },
        "node_modules/b/node_modules/in": { version: "1.0.0", inBundle: true },
      }),
      sourceOf({ [APP]: await answerOf() }, { [APP]: TARBALL }),
    );
    deepEqual(
      report.packages.map(({ name, version, status, tarball }) =>
        `${name}@${version} ${status} ${tarball}`
      ),
      [
        "@acme/app@1.2.3 verified matched",
        "b@2.0.0 unattested absent",
        "c@3.0.0 unattested absent",
        "ours@ local unchecked",
        "packages/ours@1.0.0 local unchecked",
        "git@1.0.0 local unchecked",
        "tar@1.0.0 local unchecked",
        "in@1.0.0 local unchecked",
      ],
    );
    deepEqual(report.packages[0].locations, [WHERE, `node_modules/b/${WHERE}`]);
    equal(report.packages[0].source?.repository, REPOSITORY);
    equal(report.packages[0].level, 2);
    equal(report.summary.absentTarballs, 2);
    ok(report.ok);
  });

  it("compares the tarball with the lockfile before anything else", async () => {
    const lockfile = lockfileOf({ [WHERE]: await entryOf() });
    const answers = { [APP]: await answerOf() };
    const report = await run(lockfile, sourceOf(answers, { [APP]: utf8("evil") }));
    equal(report.errorReason, "integrity-mismatch");
    // Also of a package without attestations.
    const bare = await run(lockfile, sourceOf({}, { [APP]: utf8("evil") }));
    equal(bare.errorReason, "integrity-mismatch");
  });

  it("refuses a lockfile that asks for another tarball than was attested", async () => {
    const integrity = await integrityOf(utf8("evil"));
    const report = await run(
      lockfileOf({ [WHERE]: await entryOf({ integrity }) }),
      sourceOf({ [APP]: await answerOf() }, { [APP]: utf8("evil") }),
    );
    equal(report.errorReason, "subject-mismatch");
    ok(report.packages[0].report !== undefined);
  });

  it("takes the lockfile's digest where a tarball is absent, unless it must be there", async () => {
    const lockfile = lockfileOf({ [WHERE]: await entryOf() });
    const source = sourceOf({ [APP]: await answerOf() });
    equal((await run(lockfile, source)).packages[0].tarball, "absent");
    equal((await run(lockfile, source)).summary.verified, 1);
    const report = await run(lockfile, source, { requireTarballs: true });
    equal(report.errorReason, "artifact-required");
  });

  it("refuses a package without a usable integrity", async () => {
    equal(await one({}, {}, { integrity: undefined }), "missing-integrity");
    equal(await one({}, {}, { integrity: " " }), "missing-integrity");
    const sha1 = "sha1-2jmj7l5rSw0yVb/vlWAYkK/YBwk=";
    equal(await one({}, {}, { integrity: sha1 }), "unsupported-digest-algorithm");
    const good = await integrityOf(TARBALL);
    equal(await one({}, {}, { integrity: `${sha1} ${good}` }), "verified");
    equal(await one({}, {}, { integrity: `${good} ${good}?opt` }), "verified");
    const other = await integrityOf(utf8("evil"));
    equal(await one({}, {}, { integrity: `${good} ${other}` }), "malformed-lockfile");
    equal(await one({}, {}, { integrity: "sha512-AAAA" }), "malformed-lockfile");
    equal(await one({}, {}, { integrity: "sha512-?" }), "malformed-lockfile");
  });

  it("refuses an entry that is not of its form, and goes on with the others", async () => {
    const good = await entryOf();
    for (
      const bad of [
        { version: "latest" },
        { version: undefined },
        { version: 1 },
        { name: "../../etc/passwd" },
        { name: "\u001b[2J" },
        { integrity: 1 },
      ]
    ) {
      const report = await run(
        lockfileOf({ "node_modules/x": { ...good, ...bad }, [WHERE]: good }),
        sourceOf({ [APP]: await answerOf() }),
      );
      equal(report.errorReason, "malformed-lockfile");
      equal(report.summary.verified, 1);
      // deno-lint-ignore no-control-regex
      ok(!/[\u0000-\u001f]/.test(report.packages.map(({ name }) => name).join()));
    }
  });

  it("takes two contents of one version for two packages", async () => {
    const integrity = await integrityOf(utf8("evil"));
    const report = await run(
      lockfileOf({
        [WHERE]: await entryOf(),
        [`node_modules/b/${WHERE}`]: await entryOf({ integrity }),
      }),
      sourceOf({ [APP]: await answerOf() }),
    );
    deepEqual(report.packages.map(({ status }) => status), ["verified", "failed"]);
  });

  it("refuses an attestation of another package under this name", async () => {
    equal(await one({ name: "@evil/app" }), "package-mismatch");
    equal(await one({ version: "1.2.4" }), "package-mismatch");
  });

  it("refuses a package with the publish attestation alone", async () => {
    const report = await run(
      lockfileOf({ [WHERE]: await entryOf() }),
      sourceOf({ [APP]: { attestations: [await publishOf()] } }),
    );
    equal(report.errorReason, "missing-provenance");
  });

  it("needs to be told which repositories are expected", async () => {
    equal(await one({}, { expectations: undefined }), "missing-identity-expectation");
  });

  it("keeps the rule of a name, of its scope, and the defaults apart", async () => {
    const under = (document: object) =>
      one({}, { expectations: parseNpmExpectations(JSON.stringify(document)) });
    const good = { repository: REPOSITORY, repositoryId: "1001", ref: "refs/tags/v{version}" };
    const evil = { repository: "https://github.com/evil/app" };
    equal(await under({ defaults: evil, packages: { "@acme/app": good } }), "verified");
    equal(await under({ defaults: good, packages: { "@acme/app": evil } }), "source-mismatch");
    equal(
      await under({ defaults: ANY.defaults, packages: { "@acme/*": evil } }),
      "source-mismatch",
    );
    equal(
      await under({ packages: { "@acme/*": evil, "@acme/app": good } }),
      "verified",
    );
    equal(await under({ defaults: { anyRepository: true }, packages: { app: evil } }), "verified");
    // A rule by number alone does not inherit the defaults' address.
    equal(
      await under({ defaults: evil, packages: { "@acme/app": { repositoryId: "1001" } } }),
      "verified",
    );
    equal(
      await under({ defaults: { ...good, ref: "refs/tags/{version}" } }),
      "source-ref-mismatch",
    );
    const pattern = (text: string) => under({ defaults: { ...good, ref: { pattern: text } } });
    equal(await pattern("refs/tags/(app-)?v{version}"), "verified");
    equal(await under({ defaults: { ...good, minLevel: 3 } }), "insufficient-level");
    const self = "https://github.com/actions/runner/self-hosted";
    equal(await under({ defaults: { ...good, builderId: self } }), "unexpected-builder");
  });

  it("does not let a version act as a pattern", async () => {
    const claims = { 14: "refs/tags/v1x2x3" };
    const expectations = {
      defaults: { ...ANY.defaults, ref: { pattern: "refs/tags/v{version}" } },
    };
    equal(await one({ claims }, { expectations }), "source-ref-mismatch");
  });

  it("refuses a package without attestations where a rule wants them", async () => {
    equal(await one(undefined), "unattested");
    const required = { expectations: { defaults: { anyRepository: true, required: true } } };
    equal(await one(undefined, required), "missing-provenance");
    const named = {
      expectations: { ...ANY, packages: { "@acme/app": { repository: REPOSITORY } } },
    };
    equal(await one(undefined, named), "missing-provenance");
    const rule = { repository: REPOSITORY, required: false };
    equal(
      await one(undefined, { expectations: { packages: { "@acme/app": rule } } }),
      "unattested",
    );
    const lax = { defaults: { required: false }, packages: { "@acme/*": { repositoryId: "1" } } };
    equal(await one(undefined, { expectations: lax }), "missing-provenance");
    // Under its name from somewhere else than the registry.
    const resolved = "git+https://github.com/evil/app.git#0";
    equal(await one({}, named, { resolved }), "missing-provenance");
    equal(await one({}, named, { resolved: "file:evil.tgz" }), "missing-provenance");
    equal(await one({}, named, { inBundle: true }), "missing-provenance");
  });

  it("refuses a package that had provenance and lost it", async () => {
    const before = (version: string, status: "verified" | "unattested"): NpmHistory => ({
      packages: [{ name: PACKAGE.name, version, status }],
    });
    equal(await one(undefined, { previous: before("1.2.2", "verified") }), "provenance-lost");
    equal(await one(undefined, { previous: before("1.2.3", "verified") }), "provenance-lost");
    equal(await one(undefined, { previous: before("1.2.3", "unattested") }), "unattested");
    equal(await one(undefined, { previous: before("1.2.2", "unattested") }), "unattested");
    equal(await one({}, { previous: before("1.2.2", "unattested") }), "verified");
    const both = {
      packages: ["1.2.2", "1.2.3"].map((v, i) =>
        before(v, i === 0 ? "verified" : "unattested").packages[0]
      ),
    };
    equal(await one(undefined, { previous: both }), "unattested");
    const first = before("1.0.0", "unattested").packages[0];
    const since = { packages: [first, before("1.2.2", "verified").packages[0]] };
    equal(await one(undefined, { previous: since }), "provenance-lost");
    const other = { packages: [{ ...before("1.2.2", "verified").packages[0], name: "app" }] };
    equal(await one(undefined, { previous: other }), "unattested");
    // Neither does an answer without provenance pass for news.
    const report = await run(
      lockfileOf({ [WHERE]: await entryOf() }),
      sourceOf({ [APP]: { attestations: [] } }),
      { previous: before("1.2.2", "verified") },
    );
    equal(report.errorReason, "provenance-lost");
  });

  it("refuses a package whose repository or owner changed, by number", async () => {
    const before = (source: object): NpmHistory => ({
      packages: [{ name: PACKAGE.name, version: "1.2.2", status: "verified", source }],
    });
    const same = { repository: REPOSITORY, repositoryId: "1001", ownerId: "77" };
    equal(await one({}, { previous: before(same) }), "verified");
    // Renamed: the number is the same.
    const renamed = { ...same, repository: "https://github.com/acme/old" };
    equal(await one({}, { previous: before(renamed) }), "verified");
    // Given up and taken by somebody else: the name is the same.
    equal(
      await one({}, { previous: before({ ...same, repositoryId: "9" }) }),
      "repository-changed",
    );
    equal(await one({}, { previous: before({ ...same, ownerId: "9" }) }), "repository-changed");
    equal(await one({}, { previous: before({ repository: REPOSITORY }) }), "verified");
    const moved = claimsOf("https://github.com/evil/app", "9", "8");
    const changes = { claims: moved, repository: "https://github.com/evil/app" };
    equal(await one(changes, { previous: before(same) }), "repository-changed");
    equal(
      await one(changes, { previous: before({ repository: REPOSITORY }) }),
      "repository-changed",
    );
    equal(await one(changes), "verified");
  });

  it("takes its own report for what was found before", async () => {
    const lockfile = lockfileOf({ [WHERE]: await entryOf() });
    const first = await run(lockfile, sourceOf({ [APP]: await answerOf() }));
    const previous = parseNpmHistory(JSON.stringify(first));
    ok((await run(lockfile, sourceOf({ [APP]: await answerOf() }), { previous })).ok);
    equal((await run(lockfile, sourceOf({}), { previous })).errorReason, "provenance-lost");
  });

  it("accepts a known change up to a date, and says so", async () => {
    const until = new Date("2026-01-01T00:00:00Z");
    const previous: NpmHistory = {
      packages: [{
        name: PACKAGE.name,
        version: "1.2.2",
        status: "verified",
        source: { repository: "https://github.com/acme/old", repositoryId: "9", ownerId: "77" },
      }],
    };
    const waiver = { accept: ["provenance-lost" as const], reason: "CI moves", until };
    const under = async (accept: typeof waiver, now: Date, changes?: AnswerChanges) => {
      const expectations = { ...ANY, packages: { "@acme/app": { waiver: accept } } };
      return await one(changes, { previous, now, expectations });
    };
    equal(await under(waiver, until), "unattested");
    equal(await under(waiver, new Date(until.getTime() + 1)), "provenance-lost");
    equal(await under(waiver, until, {}), "repository-changed");
    const moved = { ...waiver, accept: ["repository-changed" as const] };
    equal(await under(moved as unknown as typeof waiver, until, {}), "verified");
    const report = await run(
      lockfileOf({ [WHERE]: await entryOf() }),
      sourceOf({}),
      { previous, now: until, expectations: { ...ANY, packages: { "@acme/app": { waiver } } } },
    );
    equal(report.summary.waived, 1);
    equal(report.packages[0].waived?.errorReason, "provenance-lost");
    equal(report.packages[0].waived?.reason, "CI moves");
  });

  it("reports a lockfile that it cannot read, and one without packages", async () => {
    const reasons: [string, string][] = [
      ["", "empty-input"],
      ["[]", "malformed-lockfile"],
      [lockfileOf({}, 1), "malformed-lockfile"],
      [lockfileOf({}, "3"), "malformed-lockfile"],
      [JSON.stringify({ lockfileVersion: 3, packages: [] }), "malformed-lockfile"],
      ['{"lockfileVersion":3,"packages":{"a":{},"a":{}}}', "duplicate-json-key"],
      [lockfileOf({}), "artifact-required"],
      [lockfileOf({ "node_modules/a": { link: true } }), "artifact-required"],
    ];
    for (const [lockfile, reason] of reasons) {
      const report = await run(lockfile, sourceOf({}));
      equal(report.errorReason, reason, lockfile.slice(0, 60));
      ok(report.message !== undefined);
    }
    const many = Object.fromEntries(Array.from({ length: 100_001 }, (_, i) => [`${i}`, {}]));
    equal((await run(lockfileOf(many), sourceOf({}))).errorReason, "limit-exceeded");
  });

  it("does not mistake names of the language for packages", async () => {
    const integrity = await integrityOf(utf8("another"));
    const names = ["constructor", "toString", "hasOwnProperty"];
    const packages = Object.fromEntries(
      names.map((name) => [`node_modules/${name}`, { version: "1.0.0", integrity }]),
    );
    const previous = { packages: [] };
    const report = await run(lockfileOf(packages), sourceOf({}), { previous });
    equal(report.summary.unattested, 3);
  });

  it("notes what cannot be read about one package, and passes on what is no refusal", async () => {
    const lockfile = lockfileOf({ [WHERE]: await entryOf() });
    const broken = (error: Error): NpmPackageSource => ({
      tarball: () => Promise.resolve(undefined),
      attestations: () => Promise.reject(error),
    });
    const report = await run(lockfile, broken(new AttestationError("unreadable-file", "No")));
    equal(report.errorReason, "unreadable-file");
    await rejects(run(lockfile, broken(new RangeError("defect"))), RangeError);
  });

  it("bounds what is under way, tells how far it is, and stops when told to", async () => {
    const integrity = await integrityOf(utf8("another"));
    const packages: Entries = {};
    for (let i = 0; i < 20; i++) packages[`node_modules/p${i}`] = { version: "1.0.0", integrity };
    let now = 0;
    let most = 0;
    const source: NpmPackageSource = {
      tarball: () => Promise.resolve(undefined),
      attestations: async () => {
        most = Math.max(most, ++now);
        await Promise.resolve();
        now--;
        return undefined;
      },
    };
    const seen: number[] = [];
    await run(lockfileOf(packages), source, {
      concurrency: 3,
      onProgress: ({ done, total }) => {
        equal(total, 20);
        seen.push(done);
      },
    });
    equal(most, 3);
    deepEqual(seen, Array.from({ length: 20 }, (_, i) => i + 1));
    const controller = new AbortController();
    const stopped = run(lockfileOf(packages), source, {
      concurrency: 1,
      signal: controller.signal,
      onProgress: ({ done }) => done === 5 && controller.abort(new RangeError("enough")),
    });
    await rejects(stopped, RangeError);
  });

  it("throws for wrong options", async () => {
    const lockfile = lockfileOf({});
    const wrong: object[] = [
      { expectation: {} },
      { concurrency: 0 },
      { requireTarballs: "no" },
      { now: "2026" },
      { trust: undefined },
      { expectations: { default: {} } },
      { expectations: { defaults: { repo: "a/b" } } },
      { expectations: { packages: { a: { repositoryId: "x" } } } },
    ];
    for (const options of wrong) {
      await rejects(run(lockfile, sourceOf({}), options), TypeError, JSON.stringify(options));
    }
  });
});

describe("parseNpmExpectations()", () => {
  it("refuses what would expect nothing", async () => {
    const refused = (document: unknown) =>
      reasonOf(() => void parseNpmExpectations(JSON.stringify(document)));
    for (
      const document of [
        [],
        { default: {} },
        { packages: [] },
        { packages: { "a b": {} } },
        { packages: { "*": {} } },
        { packages: { "@a/b*": {} } },
        { defaults: [] },
        { defaults: { repositoryURI: "a" } },
        { defaults: { repository: "" } },
        { defaults: { repository: "app" } },
        { defaults: { repositoryId: 1 } },
        { defaults: { ref: "v1" } },
        { defaults: { ref: { pattern: "(" } } },
        { defaults: { ref: { regex: "a" } } },
        { defaults: { minLevel: 4 } },
        { defaults: { minLevel: "2" } },
        { defaults: { required: "yes" } },
        { defaults: { anyRepository: 1 } },
        { defaults: { builderId: 1 } },
        { defaults: { waiver: {} } },
        { defaults: { waiver: { accept: ["all"], reason: "a", until: "2026-01-01T00:00:00Z" } } },
        { defaults: { waiver: { accept: [], reason: "a", until: "2026-01-01T00:00:00Z" } } },
        {
          defaults: {
            waiver: { accept: ["provenance-lost"], reason: "", until: "2026-01-01T00:00:00Z" },
          },
        },
        { defaults: { waiver: { accept: ["provenance-lost"], reason: "a", until: "2026" } } },
      ]
    ) equal(await refused(document), "malformed-npm-expectations", JSON.stringify(document));
    equal(
      await reasonOf(() => void parseNpmExpectations('{"packages":{"a":{},"a":{}}}')),
      "duplicate-json-key",
    );
  });
});

describe("parseNpmHistory()", () => {
  it("refuses what is no report", async () => {
    const good = { name: "a", version: "1.0.0", status: "verified" };
    const refused = (document: unknown) =>
      reasonOf(() => void parseNpmHistory(JSON.stringify(document)));
    equal(await refused({ packages: [good] }), "ok");
    for (
      const document of [
        [],
        {},
        { packages: [1] },
        { packages: [{ ...good, name: 1 }] },
        { packages: [{ ...good, status: "good" }] },
        { packages: [{ ...good, source: [] }] },
        { packages: [{ ...good, source: { repositoryId: 1001 } }] },
      ]
    ) equal(await refused(document), "malformed-npm-history", JSON.stringify(document));
  });
});

describe("parseLockfile()", () => {
  it("names a package as the registry does, not by its alias or folder", () => {
    const integrity = `sha512-${"A".repeat(86)}==`;
    const { packages } = parseLockfile(lockfileOf({
      "node_modules/alias": { name: "@a/real", version: "1.0.0", integrity },
      "node_modules/a/node_modules/@b/c": { version: "1.0.0", integrity },
    }, 2));
    deepEqual(packages.map(({ name }) => name), ["@a/real", "@b/c"]);
  });
});
