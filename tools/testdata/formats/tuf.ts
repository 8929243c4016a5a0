import type { Reason } from "../../../errors.ts";
import {
  type Dialect,
  type MadeRoot,
  type MadeTuf,
  tufRootFile,
  tufTargetsFile,
} from "../../../formats/_tuf_fixtures_test.ts";
import { utf8 } from "../../../internal/bytes.ts";
import { testKey } from "../../pki/keys.ts";
import type { Collection } from "../collection.ts";
import { ARTIFACT, FormatCases } from "./format_cases.ts";

/** Names of test keys that stand for those of the fixtures. */
const KEYS: Readonly<Record<string, string>> = {
  ci: "dsse-p256",
  second: "managed",
  root: "rekor",
  stranger: "managed-other",
};

const stored = async (_: unknown, name: string) => {
  const key = await testKey(KEYS[name]);
  return { signer: key, trustedKey: { spki: key.spki } };
};

/** Targets of TUF 1.0 and of Notary v1. */
export async function addTufTargets(collection: Collection): Promise<void> {
  const cases = new FormatCases(collection, "tuf-targets", "TUF 1.0, 4.5 and 5.6; Notary v0.7");
  const content = utf8(ARTIFACT);
  const targets = async (made: MadeTuf) => await tufTargetsFile({ ...made, content, stored });
  for (const dialect of ["notary", "tuf"] as Dialect[]) {
    const rootOf = async (made: MadeRoot = {}) => ({
      name: `tuf-${dialect}-${made.threshold === 2 ? "two" : made.expires ?? "root"}.json`
        .replaceAll(":", ""),
      content: await tufRootFile({ dialect, ...made, stored }),
    });
    const add = async (
      id: string,
      why: string,
      made: MadeTuf,
      reason?: Reason,
      root: MadeRoot = {},
    ) =>
      await cases.add({
        id: `${dialect}-${id}`,
        why,
        document: await targets({ dialect, ...made }),
        keys: [],
        files: { tufRoot: await rootOf(root) },
        ...(reason === undefined ? {} : { reason }),
      });
    const two: MadeRoot = { targetSigners: ["ci", "second"], threshold: 2 };
    await add("one", "signed by the key of the role", {});
    await add("two", "signed by two of two keys", { signers: ["ci", "second"] }, undefined, two);
    await add("one-of-two", "signed by one of two keys", {}, "threshold-not-met", two);
    await add("stranger", "signed by a stranger", { signers: ["stranger"] }, "invalid-signature");
    await add(
      "other-role",
      "signed by the key of another role",
      { signers: ["root"] },
      "invalid-signature",
    );
    await add("unsigned", "no signature", { signers: [] }, "missing-signatures");
    await add("expired", "it has expired", { expires: "2025-02-01T00:00:00Z" }, "tuf-expired");
    await add("root-expired", "the root has expired", {}, "tuf-expired", {
      expires: "2025-02-01T00:00:00Z",
    });
    await cases.add({
      id: `${dialect}-other-artifact`,
      why: "no target is the artifact",
      document: await targets({ dialect }),
      keys: [],
      files: { tufRoot: await rootOf() },
      artifact: "other\n",
      reason: "subject-mismatch",
    });
    await cases.add({
      id: `${dialect}-altered`,
      why: "another name of the target",
      document: (await targets({ dialect })).replace("latest", "stable"),
      keys: [],
      files: { tufRoot: await rootOf() },
      reason: "invalid-signature",
    });
    await cases.add({
      id: `${dialect}-no-root`,
      why: "no root is trusted",
      document: await targets({ dialect }),
      keys: [],
      reason: "missing-trusted-key",
    });
  }
}
