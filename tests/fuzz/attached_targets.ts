/** Targets of signatures that lie in the artifact that they are of, and of CMS. */

import {
  cms,
  jarFile,
  pe,
  SHA256,
  signatureList,
  X509,
} from "../../formats/attached/_signed_fixtures_test.ts";
import { apkOf, lineage, V3, V31 } from "../../formats/attached/_apk_fixtures_test.ts";
import { zip } from "../../formats/attached/_fixtures_test.ts";
import { parseEfiSignatureLists } from "../../formats/attached/mod.ts";
import { chainOf } from "../../formats/_notation_fixtures_test.ts";
import { verifyFormat } from "../../formats/mod.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { testKey } from "../../tools/pki/keys.ts";
import { withFile } from "./beside.ts";
import { parser, printOf } from "./parsers.ts";
import { Broken, type Seed, type Target } from "./target.ts";
import { verifier } from "./verifiers.ts";

const FILE = utf8("abc");

/** One file of each format, signed with one key; small, as most bytes are looked at. */
async function files(): Promise<Seed[]> {
  const bag = (await chainOf()).slice(0, 1);
  const seed = (name: string, bytes: Bytes): Seed => ({ name, bytes });
  const stored = await jarFile({
    files: { "a.txt": "hello\n" },
    cms: { bag },
    entries: (own) => own.map((one) => ({ ...one, deflate: false })),
  });
  return [
    seed("cms", await cms({ message: FILE, bag })),
    seed("pe", await pe({ cms: { bag } })),
    seed("pe32", await pe({ is32: true, subsystem: 10, cms: { bag } })),
    seed("unsigned pe", await pe({ entries: [] })),
    seed("jar", stored),
    seed("deflated jar", await jarFile({ cms: { bag } })),
    seed("apk", await apkOf()),
    seed("apk of all schemes", await apkOf({ signers: [{}, { scheme: V3 }, { scheme: V31 }] })),
    seed(
      "rotated apk",
      await apkOf({
        signers: [{
          scheme: V3,
          attributes: [[0x3ba06f8c, await lineage([{ key: "leaf-other" }, { key: "dsse-p256" }])]],
        }],
      }),
    ),
    seed("unsigned jar", await zip([{ name: "META-INF/MANIFEST.MF", content: "A: b\n" }])),
  ];
}

/** All of them. */
export const ATTACHED_TARGETS: readonly Target[] = [
  parser(
    "parseEfiSignatureLists",
    async () => [
      { name: "certificate", bytes: signatureList(X509, (await chainOf())[0]) },
      { name: "digests", bytes: signatureList(SHA256, new Uint8Array(32), new Uint8Array(32)) },
    ],
    (source) => parseEfiSignatureLists(source as Uint8Array),
    {
      bytesOnly: true,
      shape: "text",
      holds(lists, input) {
        const total = lists.reduce(
          (sum, { signatures }) => sum + signatures.reduce((n, { data }) => n + data.length, 0),
          0,
        );
        if (total > input.length) throw new Broken("more is read than is there");
      },
    },
  ),
  verifier(
    "verifyFormat: attached",
    async () => {
      const keys = await Promise.all(
        ["leaf-p256", "dsse-p256"].map(async (name) =>
          await importTrustedKey((await testKey(name)).spki)
        ),
      );
      return {
        seeds: await files(),
        async verify(input) {
          const result = await withFile(FILE, (beside) => verifyFormat(input, { keys, ...beside }));
          if (!result.ok) return { reason: result.errorReason };
          const { format, message, uncovered = [] } = result.envelope;
          for (const [i, { start, end }] of uncovered.entries()) {
            const before = uncovered[i - 1]?.end ?? 0;
            if (start < before || end <= start || end > input.length) {
              throw new Broken("a range that is not covered lies elsewhere");
            }
          }
          return { facts: { must: printOf({ format, message }), evidence: [] } };
        },
      };
    },
    [],
    { shape: "text" },
  ),
];
