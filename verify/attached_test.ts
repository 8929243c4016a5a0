import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { authority, WITHIN } from "../formats/_notation_fixtures_test.ts";
import {
  cms,
  jarFile,
  pe,
  signatureList,
  X509,
} from "../formats/attached/_signed_fixtures_test.ts";
import { createEfiTrust } from "../formats/attached/mod.ts";
import { createCertificateTrust } from "../formats/mod.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodePem } from "../internal/pem.ts";
import { compilePolicy, parsePolicy } from "../policy/mod.ts";
import { testKey } from "../tools/pki/keys.ts";
import { ABC } from "./_fixtures_test.ts";
import { verify, type VerifyOptions } from "./mod.ts";

async function trust(): Promise<VerifyOptions["trust"]> {
  const { root } = await authority();
  return {
    certificates: createCertificateTrust({ authorities: [root], identities: ["CN=release"] }),
  };
}

async function run(file: Uint8Array, options: VerifyOptions = {}, artifact = file) {
  return await verify(file, artifact, { trust: await trust(), now: WITHIN, ...options });
}

describe("verify() of files that carry their signature", () => {
  it("compares the file with the artifact, and tells what is not covered", async () => {
    for (
      const [format, file] of [["jar", await jarFile()], ["authenticode", await pe()]] as const
    ) {
      const report = await run(file);
      equal(report.errorReason, null);
      const [one] = report.artifacts[0].attestations;
      equal(one.format, format);
      deepEqual(one.signers, ["O=acme, CN=release"]);
      equal(one.foreign?.coverage, "artifact-sections");
      ok(one.foreign?.implicit.includes("subject"));
      equal(one.predicateType, "raw-artifact-signature");
      const coverage = one.checks.find(({ id }) => id === "envelope.coverage");
      ok(/ZIP headers|checksum/.test(coverage?.actual ?? ""));
      equal((await run(file, {}, utf8("other"))).errorReason, "subject-mismatch");
      const expect = { formats: ["dsse"] };
      equal((await run(file, { expect })).errorReason, "format-not-accepted");
    }
  });

  it("tells nothing of what is refused", async () => {
    const file = await jarFile({
      entries: (own) => [...own, { name: "Evil.class", content: "x" }],
    });
    const report = await run(file);
    equal(report.errorReason, "unsigned-entry");
    const [one] = report.artifacts[0].attestations;
    equal(one.statement, undefined);
    equal(one.foreign, undefined);
    deepEqual(one.signers, []);
    equal((await run(await pe({ entries: [] }))).errorReason, "missing-signatures");
  });

  it("judges boot images by the firmware's lists", async () => {
    const file = await pe({ subsystem: 10 });
    const list = signatureList(X509, (await authority()).root);
    const efi = createEfiTrust({ db: [list] });
    equal((await verify(file, file, { trust: { efi } })).errorReason, null);
    const forbidden = createEfiTrust({ db: [list], dbx: [list] });
    equal(
      (await run(file, { trust: { ...await trust(), efi: forbidden } })).errorReason,
      "forbidden-by-dbx",
    );
  });

  it("takes a CMS signature over the artifact, by its content and by its digest", async () => {
    const signature = await cms({ message: ABC });
    equal((await run(signature, {}, ABC)).errorReason, null);
    const { digest } = (await run(signature, {}, ABC)).artifacts[0];
    const byDigest = await verify(signature, { digest }, { trust: await trust(), now: WITHIN });
    equal(byDigest.errorReason, null);
    equal((await run(signature, {}, utf8("other"))).errorReason, "message-digest-mismatch");
  });
});

describe("a policy and files that carry their signature", () => {
  async function judged(file: Uint8Array, envelope: object, artifact = file): Promise<string> {
    const publicKey = encodePem("PUBLIC KEY", (await testKey("leaf-p256")).spki);
    const policy = await compilePolicy(parsePolicy({
      type: "attest-policy/v1",
      trust: { keys: { release: { publicKey } } },
      rules: [{
        id: "r",
        require: [{ id: "a", envelope: { signedBy: { of: ["release"] }, ...envelope } }],
      }],
    }));
    return (await verify(file, artifact, { policy })).errorReason ?? "ok";
  }

  it("takes what signs its type, and anything else by name only", async () => {
    const jar = await jarFile(), program = await pe();
    equal(await judged(program, {}), "ok");
    equal(await judged(program, { formats: ["authenticode"], signedMessageType: true }), "ok");
    equal(await judged(jar, {}), "format-not-accepted");
    equal(await judged(jar, { formats: ["jar"] }), "ok");
    equal(
      await judged(jar, { formats: ["jar"], signedMessageType: true }),
      "message-type-not-signed",
    );
    const signature = await cms({ message: ABC });
    equal(await judged(signature, { formats: ["cms-signature"] }, ABC), "ok");
    equal(await judged(signature, {}, ABC), "format-not-accepted");
  });

  it("refuses the coverage that it does not want", async () => {
    const sections = { formats: ["jar"], coverage: ["artifact-sections"] };
    equal(await judged(await jarFile(), sections), "ok");
    const whole = { formats: ["jar", "cms-signature"], coverage: ["whole-artifact"] };
    equal(await judged(await jarFile(), whole), "coverage-not-accepted");
    equal(await judged(await cms({ message: ABC }), whole, ABC), "ok");
  });
});
