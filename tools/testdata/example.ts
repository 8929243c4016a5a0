import { utf8 } from "../../internal/bytes.ts";
import { signEnvelope } from "../pki/bundle.ts";
import { GITHUB_ISSUER, instanceRoot, makeBundle, stamped, WORKFLOW } from "../pki/instance.ts";
import type { Instance } from "../pki/instance.ts";
import { publicKeyPem, testKey } from "../pki/keys.ts";
import { trustedRoot } from "../pki/trusted_root.ts";
import type { Collection } from "./collection.ts";
import { COMMIT, payloadOf, provenance, PROVENANCE_V1, statementAbout } from "./statements.ts";

const REPOSITORY = "https://github.com/example/hello";

/** Text of all Fulcio extensions for the example's workflow. */
export const GITHUB_CLAIMS: Readonly<Record<number, string>> = {
  2: "push",
  3: COMMIT,
  4: "Release",
  5: "example/hello",
  6: "refs/tags/v1.0.0",
  9: WORKFLOW,
  10: COMMIT,
  11: "github-hosted",
  12: REPOSITORY,
  13: COMMIT,
  14: "refs/tags/v1.0.0",
  15: "1234567",
  16: "https://github.com/example",
  17: "89101112",
  18: WORKFLOW,
  19: COMMIT,
  20: "push",
  21: `${REPOSITORY}/actions/runs/4242424242/attempts/1`,
  22: "public",
};

/** What the first commands of the README verify. */
export async function addExample(collection: Collection, instance: Instance): Promise<void> {
  const artifact = utf8("Hello, attested world!\n");
  const hello = collection.file("example/hello.txt", artifact);
  const statement = statementAbout(artifact, {
    name: "hello.txt",
    predicateType: PROVENANCE_V1,
    predicate: provenance(),
  });
  const bundle = collection.json(
    "example/hello.txt.sigstore.json",
    await makeBundle(instance, {
      content: { payload: payloadOf(statement) },
      leaf: { issuer: GITHUB_ISSUER, claims: GITHUB_CLAIMS },
      timestamps: stamped(),
    }),
  );
  const root = collection.json("example/trusted_root.json", trustedRoot(instanceRoot(instance)));

  const ci = await testKey("dsse-p256");
  const { json } = await signEnvelope(payloadOf(statement), ci);
  collection.file("example/keyed/hello.txt", artifact);
  const envelope = collection.json("example/keyed/hello.txt.intoto.json", json);
  const key = collection.file("example/keyed/ci.pub", publicKeyPem(ci));

  collection.case({
    id: "example",
    kind: "sigstore-bundle",
    files: { bundle, artifact: hello, trustedRoot: root },
    options: { certificateIdentity: WORKFLOW, certificateOidcIssuer: GITHUB_ISSUER },
    why: "SLSA provenance of a GitHub workflow: the README's first command",
    rule: "sigstore client spec",
  });
  collection.case({
    id: "example-other-artifact",
    kind: "sigstore-bundle",
    files: {
      bundle,
      artifact: collection.file("sigstore-bundle/hello-changed.txt", "Hello, attested world?\n"),
      trustedRoot: root,
    },
    options: { certificateIdentity: WORKFLOW, certificateOidcIssuer: GITHUB_ISSUER },
    reason: "subject-mismatch",
    why: "another artifact of the same name",
    rule: "in-toto attestation, validation",
  });
  collection.case({
    id: "example",
    kind: "dsse",
    files: { envelope, key },
    why: "Statement signed with a P-256 key: the README's second artifact",
    rule: "DSSE protocol",
  });
}
