/** Targets of the entry for OpenPGP: keys, signed texts and messages, RPM packages. */

import { verifyFormat } from "../../formats/mod.ts";
import {
  armor,
  cleartext,
  compressed,
  inline,
  literal,
  makeKeyOf,
  NOW,
  publicKey,
  rpmHeader,
  rpmOf,
  signaturePacket,
} from "../../formats/openpgp/_fixtures_test.ts";
import { createOpenPgpKeyring } from "../../formats/openpgp/mod.ts";
import { type Bytes, concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import { withFile } from "./beside.ts";
import { textSeed } from "./corpus.ts";
import { parser, printOf } from "./parsers.ts";
import type { Seed, Shape, Target } from "./target.ts";
import { verifier } from "./verifiers.ts";

const FILE = utf8("abc");
const LIST = `${encodeHex(sha256(FILE))}  abc`;
// The same key in each run.
const key = await makeKeyOf("RS256");

function seed(name: string, bytes: Bytes): Seed {
  return { name, bytes };
}

async function texts(): Promise<Seed[]> {
  const signature = await signaturePacket(key, FILE);
  const chart = `name: app\nversion: 1.2.3\n\n...\nfiles:\n  app-1.2.3.tgz: sha256:${
    "a".repeat(64)
  }`;
  return [
    textSeed("clear text", await cleartext(key, LIST)),
    textSeed("chart", await cleartext(key, chart)),
    textSeed("detached", armor("SIGNATURE", signature, { headers: ["Comment: x"] })),
    textSeed("message", armor("MESSAGE", await inline(key, utf8(LIST)))),
  ];
}

async function packets(): Promise<Seed[]> {
  const message = await inline(key, utf8(LIST));
  const header = rpmHeader(63, [
    [1000, "app"],
    [1001, "1.2"],
    [1002, "3"],
    [1022, "noarch"],
    [5092, [encodeHex(sha256(FILE))]],
    [5093, 8],
  ]);
  const stated = rpmHeader(62, [
    [267, await signaturePacket(key, header)],
    [273, encodeHex(sha256(header))],
    [1000, header.length + FILE.length],
  ]);
  return [
    seed("detached", await signaturePacket(key, FILE)),
    seed("inline", message),
    seed("older", concat(await signaturePacket(key, utf8(LIST)), literal(utf8(LIST)))),
    seed("compressed", await compressed(message, true)),
    seed("rpm", rpmOf(stated, header, FILE)),
  ];
}

/** What is accepted has the message and the predicate of a seed; an RPM package may have another lead. */
function verifying(name: string, seeds: () => Promise<Seed[]>, shape: Shape): Target {
  return verifier(
    name,
    async () => {
      const openpgp = await createOpenPgpKeyring(await publicKey(key));
      return {
        seeds: await seeds(),
        async verify(input) {
          const result = await withFile(
            FILE,
            (beside) => verifyFormat(input, { openpgp, now: NOW, ...beside }),
          );
          if (!result.ok) return { reason: result.errorReason };
          const { envelope: { format, message, coverage }, statement, signers } = result;
          const predicate = "statement" in statement ? statement.statement.predicate : undefined;
          const by = signers.map(({ fingerprint }) => fingerprint);
          return {
            facts: { must: printOf({ format, message, coverage, predicate, by }), evidence: [] },
          };
        },
      };
    },
    [],
    { shape },
  );
}

/** All of them. */
export const OPENPGP_TARGETS: readonly Target[] = [
  parser(
    "createOpenPgpKeyring",
    async () => [
      textSeed("armor", armor("PUBLIC KEY BLOCK", await publicKey(key))),
      seed("packets", await publicKey(key, { lasts: 1000, revocation: {} })),
    ],
    (source) => createOpenPgpKeyring(source as Uint8Array),
    { bytesOnly: true, shape: "text" },
  ),
  verifying("verifyFormat: OpenPGP in text", texts, "text"),
  verifying("verifyFormat: OpenPGP in packets", packets, "der"),
];
