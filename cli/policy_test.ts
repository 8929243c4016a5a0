import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createEnvelope } from "../dsse/mod.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { sha256 } from "../internal/sha256.ts";
import { generateSigner } from "../keys/mod.ts";
import { POLICY_PAYLOAD_TYPE, WAIVERS_PAYLOAD_TYPE } from "../policy/signed.ts";
import { parsePolicy } from "../policy/parse.ts";
import { MemoryRuntime } from "../tests/cli_runtime.ts";
import { main } from "./main.ts";

const IN_TOTO = "application/vnd.in-toto+json";
const REVIEW = "https://acme.example/review/v1";
const NOW = new Date("2026-06-01T00:00:00Z");

type Files = ConstructorParameters<typeof MemoryRuntime>[0];

interface Outcome {
  status: number;
  out: string;
  err: string;
  runtime: MemoryRuntime;
}

async function run(files: Files, ...args: string[]): Promise<Outcome> {
  const runtime = new MemoryRuntime(files, args);
  runtime.now = () => NOW;
  const status = await main(runtime);
  const { stdout: out, stderr: err } = runtime;
  assert.ok(!/\n\s+at .*[:(]/.test(err), err);
  // deno-lint-ignore no-control-regex
  assert.ok(!/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e]/.test(out + err));
  return { status, out, err, runtime };
}

interface World {
  ci: Awaited<ReturnType<typeof generateSigner>>;
  eve: Awaited<ReturnType<typeof generateSigner>>;
  owner: Awaited<ReturnType<typeof generateSigner>>;
  files: Record<string, string>;
}

let memo: Promise<World> | undefined;

/** A release that CI reviewed, one that Eve did, and the policies. */
function world(): Promise<World> {
  return memo ??= make();
}

function statementOf(name: string, content: string, predicate: object): string {
  const digest = { sha256: encodeHex(sha256(utf8(content))) };
  return JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name, digest }],
    predicateType: REVIEW,
    predicate,
  });
}

async function make(): Promise<World> {
  const [ci, eve, owner] = await Promise.all([
    generateSigner("Ed25519", { name: "ci" }),
    generateSigner("Ed25519", { name: "eve" }),
    generateSigner("Ed25519", { name: "owner" }),
  ]);
  const sealed = async (statement: string, { signer }: World["ci"]) =>
    JSON.stringify(await createEnvelope(IN_TOTO, utf8(statement), signer));
  const policy = policyOf(ci.publicKey);
  const files = {
    "app.tgz": "app",
    "bad.tgz": "bad",
    "eve.tgz": "eve",
    "app.json": await sealed(statementOf("app.tgz", "app", { result: "PASSED" }), ci),
    "bad.json": await sealed(statementOf("bad.tgz", "bad", { result: "FAILED" }), ci),
    "odd.json": await sealed(statementOf("bad.tgz", "bad", { result: ["PASSED"] }), ci),
    "eve.json": await sealed(statementOf("eve.tgz", "eve", { result: "PASSED" }), eve),
    "ci.pub": ci.publicKey,
    "eve.pub": eve.publicKey,
    "owner.pub": owner.publicKey,
    "policy.json": JSON.stringify(policy),
    "permissive.json": JSON.stringify({ ...policy, mode: "permissive" }),
    "signed.json": JSON.stringify(
      await createEnvelope(POLICY_PAYLOAD_TYPE, utf8(JSON.stringify(policy)), owner.signer),
    ),
  };
  return { ci, eve, owner, files };
}

function policyOf(publicKey: string, more: object = {}): object {
  return {
    type: "attest-policy/v1",
    name: "acme",
    trust: { keys: { ci: { publicKey } }, roots: [] },
    rules: [{
      id: "release",
      require: [{
        id: "reviewed",
        envelope: { signedBy: { of: ["ci"] } },
        statement: { predicateTypes: [REVIEW] },
        predicate: { where: [{ id: "result", path: "/predicate/result", equals: "PASSED" }] },
      }],
    }],
    ...more,
  };
}

describe("verify --policy", () => {
  it("accepts what the policy accepts, and tells each rule", async () => {
    const { files } = await world();
    const { status, out, err } = await run(
      files,
      "verify",
      "app.tgz",
      "-b=app.json",
      "--policy=policy.json",
    );
    assert.equal(status, 0, out + err);
    assert.ok(out.startsWith("Policy\n  policy         policy.json (acme)\n"), out);
    assert.ok(/ok {4}release .*\n {4}ok {4}reviewed/.test(out), out);
    assert.ok(out.endsWith("PASSED: 1 artifact accepted by the policy\n"));
  });

  it("tells of a failure what was found, wanted, where, whose word it is, and what to do", async () => {
    const { files } = await world();
    const args = ["verify", "bad.tgz", "-b=bad.json", "--policy=policy.json"];
    const { status, out } = await run(files, ...args);
    assert.equal(status, 1);
    for (
      const part of [
        "FAIL  predicate.where.result  ",
        'found   "FAILED" (signed)',
        'wanted  equal to "PASSED"',
        "at      /predicate/result",
        "reason  condition-not-met",
        "remedy  ",
        "run: attest explain condition-not-met",
        "FAILED: 0 of 1 artifact accepted by the policy (condition-not-met)",
      ]
    ) assert.ok(out.includes(part), `${part}\n${out}`);
    const json = await run(files, ...args, "--format=json");
    const report = JSON.parse(json.out);
    assert.equal(json.status, 1);
    assert.equal(report.policy.errorReason, "condition-not-met");
    assert.equal(report.policy.time, NOW.toISOString());
    assert.equal(report.artifacts[0].attestations[0].evidence.signers[0].key.bits, 256);
    assert.equal((await run(files, ...args, "--format=json")).out, json.out);
  });

  it("prints the Statements that the policy relied on, of nobody else", async () => {
    const { files } = await world();
    const good = await run(
      files,
      ...["verify", "app.tgz", "-b=app.json", "-b=eve.json", "--policy=policy.json"],
      "--print-provenance",
    );
    assert.equal(good.status, 0, good.err);
    assert.equal(good.out.trim().split("\n").length, 1);
    // Bob is trusted too, but for something else.
    const { ci, eve } = await world();
    const policy = JSON.parse(JSON.stringify(policyOf(ci.publicKey)));
    policy.trust.keys.eve = { publicKey: eve.publicKey };
    const both = {
      ...files,
      "two.json": JSON.stringify(policy),
      "other.json": JSON.stringify(
        await createEnvelope(
          IN_TOTO,
          utf8(statementOf("app.tgz", "app", { result: "PASSED", by: "eve" })),
          eve.signer,
        ),
      ),
    };
    const two = await run(
      both,
      ...["verify", "app.tgz", "-b=other.json", "-b=app.json", "--policy=two.json"],
      "--print-provenance",
    );
    assert.equal(two.status, 0, two.err);
    assert.ok(!two.out.includes("eve"), two.out);
  });

  it("only warns in permissive mode", async () => {
    const { files } = await world();
    const { status, out, err } = await run(
      files,
      ...["verify", "bad.tgz", "-b=bad.json", "--policy=permissive.json"],
    );
    assert.equal(status, 0);
    assert.ok(out.includes("FAILED"));
    assert.ok(/^warning: The policy refuses 1 artifact \(condition-not-met\)/m.test(err), err);
  });

  it("judges artifacts together that were verified one by one", async () => {
    const { files } = await world();
    const beside = {
      "a/app.tgz": "app",
      "a/app.tgz.intoto.json": files["app.json"],
      "b/bad.tgz": "bad",
      "b/bad.tgz.intoto.json": files["bad.json"],
      "policy.json": files["policy.json"],
    };
    const { status, out } = await run(
      beside,
      ...["verify", "a/app.tgz", "b/bad.tgz", "--policy=policy.json", "--format=json"],
    );
    assert.equal(status, 1);
    const { policy } = JSON.parse(out);
    assert.deepEqual(policy.artifacts.map(({ ok }: { ok: boolean }) => ok), [true, false]);
  });

  it("counts all artifacts of the run as those that subjects may be", async () => {
    const { files, ci } = await world();
    const { subject: [app], ...rest } = JSON.parse(statementOf("app.tgz", "app", {}));
    const { subject: [bad] } = JSON.parse(statementOf("bad.tgz", "bad", {}));
    const both = JSON.stringify({ ...rest, subject: [app, bad] });
    const envelope = JSON.stringify(await createEnvelope(IN_TOTO, utf8(both), ci.signer));
    const policy = policyOf(ci.publicKey, {
      rules: [{ id: "all", require: [{ id: "signed", statement: { subjects: "all" } }] }],
    });
    const beside = {
      "a/app.tgz": files["app.tgz"],
      "a/app.tgz.intoto.json": envelope,
      "b/bad.tgz": files["bad.tgz"],
      "b/bad.tgz.intoto.json": envelope,
      "all.json": JSON.stringify(policy),
    };
    const together = await run(beside, "verify", "a/app.tgz", "b/bad.tgz", "--policy=all.json");
    assert.equal(together.status, 0, together.out);
    const alone = await run(beside, "verify", "a/app.tgz", "--policy=all.json");
    assert.equal(alone.status, 1);
    assert.ok(alone.out.includes("(subject-mismatch)"), alone.out);
  });

  it("takes no trust or expectation beside it", async () => {
    const { files } = await world();
    const others = [
      ["--key=ci.pub"],
      ["--owner=acme"],
      ["--cert-identity=x", "--cert-oidc-issuer=y"],
      ["--predicate-type=spdx"],
      ["--trusted-root=x"],
      ["--only-root"],
      ["--tlog-threshold=0"],
      ["--unsafe-any-identity"],
      ["--unsafe-no-artifact"],
      ["--subjects=exact"],
      ["--source-uri=github.com/a/b"],
      ["--vsa=x"],
      ["--npm-keys=x"],
      ["--format=gh"],
    ];
    for (const more of others) {
      const args = ["verify", "app.tgz", "-b=app.json", "--policy=policy.json", ...more];
      const { status, err } = await run(files, ...args);
      assert.equal(status, 2, more.join(" "));
      const name = more[0].split("=")[0];
      assert.ok(err.includes(name) && err.includes("(usage)"), `${name}: ${err}`);
    }
  });

  it("reads a signed policy only with the right keys", async () => {
    const { files, owner, eve } = await world();
    const args = ["verify", "app.tgz", "-b=app.json", "--policy=signed.json"];
    const good = await run(files, ...args, "--policy-key=owner.pub");
    assert.equal(good.status, 0, good.err);
    assert.ok(good.out.includes("policy signed by  owner.pub"));
    const cases: [string[], string][] = [
      [[], "(usage)"],
      [["--policy-key=eve.pub"], "(invalid-signature)"],
      [["--policy-key=owner.pub", "--policy-key=eve.pub", "--policy-threshold=2"], "threshold-not"],
      [["--policy-key=owner.pub", "--policy-threshold=2"], "1 distinct keys"],
      [["--policy-key=owner.pub", "--policy-threshold=0"], "whole number"],
      [["--policy-threshold=1"], "needs --policy-key"],
    ];
    for (const [more, message] of cases) {
      const { status, err } = await run(files, ...args, ...more);
      assert.equal(status, 2);
      assert.ok(err.includes(message), err);
    }
    const unsigned = ["verify", "app.tgz", "-b=app.json", "--policy=policy.json"];
    const refused = await run(files, ...unsigned, "--policy-key=owner.pub");
    assert.ok(refused.err.includes("(missing-signatures)"), refused.err);
    // An envelope of another kind is no policy, whoever signed it.
    const other = await createEnvelope(IN_TOTO, utf8(files["policy.json"]), owner.signer);
    const more = { ...files, "signed.json": JSON.stringify(other) };
    const wrong = await run(more, ...args, "--policy-key=owner.pub");
    assert.ok(wrong.err.includes("(unsupported-payload-type)"), wrong.err);
    assert.ok(eve.publicKey !== owner.publicKey);
  });

  it("applies waivers, which may have to be signed", async () => {
    const { files, ci, owner, eve } = await world();
    const waivers = (until: string) => ({
      type: "attest-waivers/v1",
      policy: "acme",
      waivers: [{
        rule: "release/reviewed/predicate.where.result",
        artifact: { name: "bad.tgz" },
        reason: "A known failure",
        owner: "security@acme.example",
        until,
      }],
    });
    const good = waivers("2026-07-01T00:00:00Z");
    const seal = async ({ signer }: World["ci"], type = WAIVERS_PAYLOAD_TYPE) =>
      JSON.stringify(await createEnvelope(type, utf8(JSON.stringify(good)), signer));
    const strict = policyOf(ci.publicKey, {
      trust: {
        keys: { ci: { publicKey: ci.publicKey }, owner: { publicKey: owner.publicKey } },
        roots: [],
      },
      waiverSigners: { of: ["owner"] },
    });
    const more = {
      ...files,
      "good.json": JSON.stringify(good),
      "late.json": JSON.stringify(waivers("2026-01-01T00:00:00Z")),
      "strict.json": JSON.stringify(strict),
      "owner.json": await seal(owner),
      "forged.json": await seal(eve),
      "other.json": await seal(owner, IN_TOTO),
    };
    const args = ["verify", "bad.tgz", "-b=bad.json"];
    const policy = "--policy=policy.json";
    const waived = await run(more, ...args, policy, "--waivers=good.json");
    assert.equal(waived.status, 0, waived.err + waived.out);
    assert.ok(/waived {2}by security@acme\.example until 2026-07-01/.test(waived.out), waived.out);
    assert.ok(waived.out.endsWith("accepted by the policy, with waivers\n"));
    const late = await run(more, ...args, policy, "--waivers=late.json");
    assert.equal(late.status, 1);
    assert.ok(late.out.includes("ended at 2026-01-01T00:00:00Z"), late.out);
    const signed = await run(more, ...args, "--policy=strict.json", "--waivers=owner.json");
    assert.equal(signed.status, 0, signed.err);
    const keyed = [policy, "--waivers-key=owner.pub"];
    assert.equal((await run(more, ...args, ...keyed, "--waivers=owner.json")).status, 0);
    const bad: [string[], string][] = [
      [["--policy=strict.json", "--waivers=good.json"], "missing-signatures"],
      [["--policy=strict.json", "--waivers=forged.json"], "invalid-signature"],
      [["--policy=strict.json", "--waivers=other.json"], "unsupported-payload-type"],
      [["--policy=strict.json", "--waivers-key=owner.pub", "--waivers=owner.json"], "usage"],
      [[...keyed, "--waivers=good.json"], "missing-signatures"],
      [[...keyed, "--waivers=forged.json"], "invalid-signature"],
      [[policy, "--waivers=owner.json"], "usage"],
      [[policy, "--waivers-key=owner.pub"], "usage"],
      [["--waivers=good.json"], "usage"],
    ];
    for (const [options, reason] of bad) {
      const { status, err } = await run(more, ...args, ...options);
      assert.equal(status, 2, options.join(" "));
      assert.ok(err.includes(`(${reason})`), `${options.join(" ")}: ${err}`);
    }
  });

  it("knows images by reference and packages by name", async () => {
    const { ci } = await world();
    const sha = encodeHex(sha256(utf8("app")));
    const policy = policyOf(ci.publicKey, {
      selection: "first",
      rules: [
        { id: "image", select: { oci: "ghcr.io/acme/**" }, require: [{ id: "signed" }] },
        { id: "package", select: { npm: "@acme/*" }, require: [{ id: "signed" }] },
      ],
    });
    const { files } = await world();
    const more = { ...files, "policy.json": JSON.stringify(policy) };
    const rest = ["-b=app.json", "--policy=policy.json"];
    const image = (name: string) => `oci://${name}@sha256:${sha}`;
    assert.equal((await run(more, "verify", image("ghcr.io/acme/app"), ...rest)).status, 0);
    const other = await run(more, "verify", image("ghcr.io/evil/app"), ...rest);
    assert.ok(other.out.includes("unselected-artifact"), other.out);
    const named = (name: string) =>
      run(more, "verify", "app.tgz", ...rest, `--package-name=${name}`);
    assert.equal((await named("@acme/app")).status, 0);
    assert.equal((await named("@evil/app")).status, 1);
    assert.equal((await named("a b")).status, 2);
    assert.equal((await run(more, "verify", "app.tgz", ...rest)).status, 1);
  });

  it("reads a signature-policy.json as it is", async () => {
    const { files, ci } = await world();
    const policy = {
      mode: "enforce",
      allowedIssuers: [{ keyId: "ci", publicKey: ci.publicKey, description: "CI" }],
    };
    const more = { ...files, "signature-policy.json": JSON.stringify(policy) };
    const { status, out } = await run(
      more,
      ...["verify", "app.tgz", "-b=app.json", "--policy=signature-policy.json"],
    );
    // A review is no provenance.
    assert.equal(status, 1);
    assert.ok(out.includes("missing-attestation"), out);
  });
});

describe("bad policies", () => {
  it("are refused with their path, and never pass", async () => {
    const { files, ci } = await world();
    const good = policyOf(ci.publicKey) as Record<string, unknown> & { rules: object[] };
    const [rule] = good.rules as (Record<string, unknown> & { require: object[] })[];
    const [requirement] = rule.require as Record<string, unknown>[];
    const withRequirement = (changes: object) => ({
      ...good,
      rules: [{ ...rule, require: [{ ...requirement, ...changes }] }],
    });
    const chain = (id: string, to: string) => ({
      ...rule,
      id,
      select: { name: `${id}*` },
      across: [{ id: "from", chain: { from: "reviewed", dependency: "**", rule: to } }],
    });
    const cases: [string, unknown, RegExp, string][] = [
      ["an unknown key", { ...good, rulez: [] }, /did you mean rules\?/, "/rulez"],
      [
        "a misspelt operator",
        withRequirement({ predicate: { where: [{ path: "/predicate/x", equal: 1 }] } }),
        /did you mean equals\?/,
        "/rules/0/require/0/predicate/where/0/equal",
      ],
      [
        "an impossible threshold",
        withRequirement({ envelope: { signedBy: { of: ["ci"], threshold: 2 } } }),
        /only 1 distinct signers/,
        "/rules/0/require/0/envelope/signedBy/threshold",
      ],
      [
        "overlapping selectors",
        { ...good, rules: [rule, { ...rule, id: "never" }] },
        /never|reached/,
        "/rules/1",
      ],
      [
        "an unanchored-looking pattern",
        { ...good, rules: [{ ...rule, select: { name: ".*\\.tgz" } }] },
        /looks like a regular expression/,
        "/rules/0/select/name",
      ],
      [
        "a cycle in chains",
        { ...good, selection: "all", rules: [chain("a", "b"), chain("b", "a")] },
        /circle/,
        "/rules/",
      ],
      [
        "too many rules",
        {
          ...good,
          rules: Array.from({ length: 10_001 }, (_, i) => ({
            ...rule,
            id: `r${i}`,
            select: { name: `a${i}` },
          })),
        },
        /10001 entries, at most 10000/,
        "/rules",
      ],
      ["no JSON object", [], /no JSON object/, ""],
    ];
    for (const [what, policy, message, path] of cases) {
      const more = { ...files, "policy.json": JSON.stringify(policy) };
      for (
        const command of [["verify", "app.tgz", "-b=app.json", "--policy"], ["policy", "check"]]
      ) {
        const { status, out, err } = await run(more, ...command, "policy.json");
        assert.equal(status, 2, `${what}: ${out}${err}`);
        assert.ok(message.test(out + err), `${what}: ${out}${err}`);
        assert.ok((out + err).includes(path), `${what}: ${out}${err}`);
        assert.ok((out + err).includes("malformed-policy"), what);
      }
    }
    const twice = { ...files, "policy.json": '{"type":"attest-policy/v1","type":"x"}' };
    const { status, out } = await run(twice, "policy", "check", "policy.json");
    assert.equal(status, 2);
    assert.ok(out.includes("(duplicate-json-key)"), out);
  });

  it("fail when they have ended, and evidence of another type is no match", async () => {
    const { files, ci } = await world();
    const more = {
      ...files,
      "old.json": JSON.stringify(policyOf(ci.publicKey, { expires: "2026-05-01T00:00:00Z" })),
    };
    const old = await run(more, "verify", "app.tgz", "-b=app.json", "--policy=old.json");
    assert.equal(old.status, 1);
    assert.ok(old.out.includes("(policy-expired)"), old.out);
    const odd = await run(more, "verify", "bad.tgz", "-b=odd.json", "--policy=policy.json");
    assert.equal(odd.status, 1);
    assert.ok(odd.out.includes("(condition-error)"), odd.out);
  });

  it("say how to name the action", async () => {
    for (
      const args of [[], ["chekc"], ["check"], ["explain"], ["diff", "a"], ["test"], ["import"]]
    ) {
      const { status, err } = await run({}, "policy", ...args);
      assert.equal(status, 2);
      assert.ok(err.includes("(usage)"), err);
    }
    assert.ok((await run({}, "policy", "chekc")).err.includes("did you mean check?"));
    const { err } = await run({}, "policy", "check", "none.json");
    assert.ok(err.includes("it does not exist"), err);
  });
});

describe("policy check", () => {
  it("lists all problems, and what to look at", async () => {
    const { files, ci } = await world();
    const weak = policyOf(ci.publicKey, {
      mode: "permissive",
      unselected: "pass",
      expires: "2026-06-10T00:00:00Z",
      rules: [{ id: "any", select: { name: "**" }, require: [{ id: "signed" }] }],
    });
    const more = { ...files, "weak.json": JSON.stringify(weak) };
    const { status, out } = await run(more, "policy", "check", "weak.json", "policy.json");
    assert.equal(status, 0);
    for (const path of ["/mode", "/expires", "/unselected", "/rules/0/select/name"]) {
      assert.ok(out.includes(`warning  at ${path}: `), `${path}\n${out}`);
    }
    assert.ok(/policy\.json\n {2}policy digest {2}sha256:[0-9a-f]{64}\n/.test(out), out);
    const json = await run(more, "policy", "check", "weak.json", "--format=json");
    assert.ok(JSON.parse(json.out).policies[0].warnings.length >= 5);
    const bad = { ...files, "bad.json": '{"type":"attest-policy/v1","x":1,"y":2}' };
    const two = await run(bad, "policy", "check", "bad.json", "--format=json");
    assert.equal(two.status, 2);
    assert.equal(JSON.parse(two.out).policies[0].problems.length, 3);
  });
});

describe("policy explain", () => {
  it("says what is demanded, and why it was decided so", async () => {
    const { files } = await world();
    const demands = await run(files, "policy", "explain", "policy.json");
    assert.equal(demands.status, 0);
    assert.ok(demands.out.includes('Rule "release": for every artifact'), demands.out);
    assert.ok(demands.out.includes('At /predicate/result: equals "PASSED"'), demands.out);
    const why = await run(files, "policy", "explain", "policy.json", "bad.tgz", "-b=bad.json");
    assert.equal(why.status, 1);
    assert.ok(why.out.includes("✗ release/reviewed/predicate.where.result"), why.out);
    assert.ok(why.out.includes("✓ release/reviewed/envelope.signed-by"), why.out);
    assert.ok(why.out.includes('found: "FAILED" (signed)'), why.out);
    const json = await run(files, "policy", "explain", "policy.json", "--format=json");
    assert.ok(JSON.parse(json.out).children.length > 3);
  });
});

describe("policy init", () => {
  it("derives a policy of what verifies, and of nothing else", async () => {
    const { files } = await world();
    const made = await run(
      files,
      ...["policy", "init", "app.tgz", "-b=app.json", "--key=ci.pub", "--output=new.json"],
    );
    assert.equal(made.status, 0, made.err);
    assert.ok(made.err.includes("from the key that accepted app.json"), made.err);
    const own = { ...files, "new.json": made.runtime.files.get("new.json") as string };
    parsePolicy(own["new.json"]);
    const by = (artifact: string) =>
      run(own, "verify", `${artifact}.tgz`, `-b=${artifact}.json`, "--policy=new.json");
    assert.equal((await by("app")).status, 0);
    assert.equal((await by("eve")).status, 1);
    const again = await run(
      own,
      ...["policy", "init", "app.tgz", "-b=app.json", "--key=ci.pub", "--output=new.json"],
    );
    assert.ok(again.err.includes("(file-exists)"), again.err);
    const none = await run(files, "policy", "init", "eve.tgz", "-b=eve.json", "--key=ci.pub");
    assert.equal(none.status, 1);
    assert.equal(none.out, "");
    const anybody = await run(files, "policy", "init", "app.tgz", "--unsafe-any-identity");
    assert.equal(anybody.status, 2);
  });

  it("writes templates that are policies", async () => {
    for (const name of ["github", "slsa-level-3", "image", "npm", "migration"]) {
      const { status, out, err } = await run({}, "policy", "init", `--template=${name}`);
      assert.equal(status, 0, err);
      parsePolicy(out);
    }
    const { err } = await run({}, "policy", "init", "--template=gihtub");
    assert.ok(err.includes("did you mean github?"), err);
    const both = await run({ app: "" }, "policy", "init", "app", "--template=npm");
    assert.equal(both.status, 2);
  });
});

describe("policy test", () => {
  const table = (cases: object[]) => JSON.stringify({ type: "attest-policy-tests/v1", cases });
  const base = { now: NOW.toISOString() };

  it("runs the cases beside the policy", async () => {
    const { files, eve } = await world();
    const cases = [
      {
        ...base,
        name: "good",
        artifacts: [{ file: "app.tgz" }],
        attestations: ["app.json"],
        expect: { ok: true, outcomes: { "release/reviewed": "passed" } },
      },
      {
        ...base,
        name: "bad",
        artifacts: [{ file: "bad.tgz" }],
        attestations: ["bad.json"],
        expect: { ok: false, reasons: ["condition-not-met"] },
      },
      {
        ...base,
        name: "with a key of the tests",
        artifacts: [{ file: "eve.tgz" }],
        attestations: ["eve.json"],
        keys: { ci: "eve.pub" },
        expect: { ok: true },
      },
    ];
    const more = { ...files, "policy.tests.json": table(cases) };
    const good = await run(more, "policy", "test", "policy.json");
    assert.equal(good.status, 0, good.out + good.err);
    assert.ok(good.out.endsWith("3 cases passed, 0 failed\n"), good.out);
    const wrong = [
      { ...cases[0], expect: { ok: false } },
      { ...cases[1], expect: { ok: false, reasons: ["signer-mismatch"] } },
      { ...cases[2], expect: { ok: true, outcomes: { "release/nothing": "passed" } } },
    ];
    const bad = await run({ ...files, "t.json": table(wrong) }, ...["policy", "test"], ...[
      "policy.json",
      "--tests=t.json",
    ]);
    assert.equal(bad.status, 1);
    assert.ok(bad.out.includes("wanted failed, passed"), bad.out);
    assert.ok(bad.out.includes("wanted the reason signer-mismatch, found condition-not-met"));
    assert.ok(bad.out.includes("no such check"), bad.out);
    assert.ok(bad.out.endsWith("0 cases passed, 3 failed\n"));
    assert.ok(eve.publicKey !== "");
  });

  it("refuses tables that are none, and paths that lead out", async () => {
    const { files } = await world();
    const one = { ...base, name: "x", artifacts: [{ file: "app.tgz" }], expect: { ok: true } };
    const bad: [object, RegExp][] = [
      [{ ...one, artifacts: [{ file: "../app.tgz" }] }, /no relative path/],
      [{ ...one, artifacts: [{ file: "/etc/passwd" }] }, /no relative path/],
      [{ ...one, artifacts: [{ file: "a\\b" }] }, /no relative path/],
      [{ ...one, artifacts: [{ file: "c:x" }] }, /no relative path/],
      [{ ...one, attestations: ["a/../../b"] }, /no relative path/],
      [{ ...one, keys: { ci: "./../x" } }, /no relative path/],
      [{ ...one, keys: { nobody: "ci.pub" } }, /no key nobody/],
      [{ ...one, artifacts: [] }, /empty/],
      [{ ...one, expects: {} }, /did you mean expect\?/],
      [{ ...one, now: "today" }, /no RFC 3339/],
      [{ ...one, artifacts: [{ file: "none.tgz" }] }, /no file/],
      [{ ...one, expect: { ok: true, reasons: ["x"] } }, /has no reasons/],
    ];
    for (const [row, message] of bad) {
      const more = { ...files, "policy.tests.json": table([row]) };
      const { status, err } = await run(more, "policy", "test", "policy.json");
      assert.equal(status, 2, JSON.stringify(row));
      assert.ok(message.test(err), `${message}: ${err}`);
    }
  });
});

describe("policy diff and dry-run", () => {
  it("tell what changed, and who changes sides", async () => {
    const { files, ci } = await world();
    const strict = JSON.parse(JSON.stringify(policyOf(ci.publicKey)));
    strict.rules[0].require[0].predicate.where[0].equals = "REVIEWED";
    const loose = JSON.parse(JSON.stringify(policyOf(ci.publicKey)));
    delete loose.rules[0].require[0].predicate;
    const more = {
      ...files,
      "strict.json": JSON.stringify(strict),
      "loose.json": JSON.stringify(loose),
    };
    assert.equal((await run(more, "policy", "diff", "policy.json", "policy.json")).status, 0);
    const diff = await run(more, "policy", "diff", "policy.json", "loose.json");
    assert.equal(diff.status, 1);
    assert.ok(diff.out.includes("(looser)"), diff.out);
    const made = await run(
      more,
      ...["verify", "app.tgz", "bad.tgz", "-b=app.json", "-b=bad.json", "--policy=policy.json"],
      "--format=json",
    );
    const stored = { ...more, "report.json": made.out };
    const dry = (policy: string) =>
      run(stored, "policy", "dry-run", policy, "--reports=report.json");
    const same = await dry("policy.json");
    assert.equal(same.status, 0, same.err);
    assert.ok(same.out.includes("Nothing was verified"), same.out);
    const refused = await dry("strict.json");
    assert.equal(refused.status, 1);
    assert.ok(/now refused .*app\.tgz/.test(refused.out), refused.out);
    const accepted = await dry("loose.json");
    assert.ok(/now accepted .*bad\.tgz/.test(accepted.out), accepted.out);
  });

  it("refuse reports that cannot tell", async () => {
    const { files } = await world();
    const args = ["verify", "app.tgz", "-b=app.json", "--key=ci.pub", "--format=json"];
    const bare = await run(files, ...args);
    const told = await run(files, ...args, "--with-evidence");
    const dry = (report: string) =>
      run(
        { ...files, "report.json": report },
        ...["policy", "dry-run", "policy.json", "--reports=report.json"],
      );
    assert.equal((await dry(told.out)).status, 0);
    const broken = JSON.parse(told.out);
    broken.artifacts[0].attestations[0].evidence.signers[0].key.bits = "256";
    for (const report of [bare.out, JSON.stringify(broken), "{}", '{"artifacts":{}}']) {
      const { status, err } = await dry(report);
      assert.equal(status, 2);
      assert.ok(err.includes("(malformed-report)"), err);
    }
    assert.ok((await dry(bare.out)).err.includes("--with-evidence"));
  });
});

describe("policy import and schema", () => {
  it("read YAML, JSON and flags", async () => {
    const { files } = await world();
    const yaml = `apiVersion: policy.sigstore.dev/v1beta1
kind: ClusterImagePolicy
metadata:
  name: images
spec:
  images:
    - glob: "ghcr.io/acme/*"
  authorities:
    - name: ci
      keyless:
        url: https://fulcio.sigstore.dev
        identities:
          - issuer: https://token.actions.githubusercontent.com
            subjectRegExp: "^https://github\\\\.com/acme/.*$"
`;
    const more = { ...files, "cip.yaml": yaml };
    const kind = "--from=cluster-image-policy";
    const made = await run(more, "policy", "import", kind, "cip.yaml");
    assert.equal(made.status, 0, made.err);
    const policy = parsePolicy(made.out);
    assert.deepEqual(policy.rules[0].select, { oci: ["ghcr.io/acme/*"] });
    assert.ok(made.err.includes("simple signing"), made.err);
    const bomb = { ...files, "cip.yaml": `a: &a [1,2]\nb: [*a, *a\n` };
    assert.equal((await run(bomb, "policy", "import", kind, "cip.yaml")).status, 2);
    const twice = { ...files, "cip.yaml": "kind: a\nkind: b\n" };
    const refused = await run(twice, "policy", "import", kind, "cip.yaml");
    assert.ok(refused.err.includes("(malformed-policy)"), refused.err);
    const words = ["verify-artifact", "app.tgz", "--source-uri=github.com/acme/app"];
    const flags = await run(files, "policy", "import", "--from=slsa-verifier", "--", ...words);
    assert.equal(flags.status, 0, flags.err);
    assert.equal(parsePolicy(flags.out).rules[0].id, "provenance");
  });

  it("print the schemas", async () => {
    const policy = await run({}, "policy", "schema");
    assert.equal(JSON.parse(policy.out).title, "Policy");
    const tests = await run({}, "policy", "schema", "--tests");
    assert.ok(JSON.parse(tests.out).$defs.case);
  });
});
