/** Targets of COSE: COSE_Sign1 and Notation's signatures in it. */

import { notation, sign1 } from "../../formats/cose/_fixtures_test.ts";
import { verifyCoseSign1 } from "../../formats/cose/mod.ts";
import { authority, WITHIN } from "../../formats/_notation_fixtures_test.ts";
import { createCertificateTrust, parseFormat, verifyFormat } from "../../formats/mod.ts";
import { type Bytes, utf8 } from "../../internal/bytes.ts";
import { withFile } from "./beside.ts";
import type { Corpus } from "./corpus.ts";
import { printOf } from "./parsers.ts";
import { Broken, type Seed, type Target } from "./target.ts";
import { verifier } from "./verifiers.ts";
import { signerOf } from "./verify_targets.ts";

const FILE = utf8("abc");

async function documents(corpus: Corpus): Promise<Seed[]> {
  const { signer } = await signerOf("dsse-ed25519");
  const sign = (data: Bytes) => signer.sign(data);
  return [
    { name: "statement", bytes: await sign1({ sign }) },
    { name: "detached", bytes: await sign1({ sign, detached: true, payload: FILE }) },
    { name: "external data", bytes: await sign1({ sign, externalData: FILE }) },
    { name: "untagged", bytes: await sign1({ sign, wrap: (item) => item }) },
    { name: "notation", bytes: await notation() },
    ...corpus.vectors("notation-cose", "signature"),
  ];
}

async function trust() {
  const { key } = await signerOf("dsse-ed25519");
  return {
    keys: [key],
    now: WITHIN,
    certificates: createCertificateTrust({
      authorities: [(await authority()).root],
      identities: ["CN=release"],
    }),
  };
}

/** All of them. */
export const COSE_TARGETS: readonly Target[] = [
  {
    name: "parseFormat of COSE",
    kind: "parser",
    prepare: async (corpus) => ({
      seeds: await documents(corpus),
      shape: "cbor",
      async run(input) {
        const parsed = await parseFormat(input);
        if (parsed.signatures.some(({ bytes }) => !Number.isInteger(bytes))) {
          throw new Broken("a signature without a length");
        }
        return null;
      },
    }),
  },
  verifier(
    "verifyCoseSign1",
    async (corpus) => {
      const own = await trust();
      return {
        seeds: await documents(corpus),
        async verify(input) {
          const result = await withFile(
            FILE,
            (beside) => verifyCoseSign1(input, { ...own, ...beside, untagged: true }),
          );
          const known = await withFile(
            FILE,
            (beside) => verifyFormat(input, { ...own, ...beside }),
          );
          if (known.ok && known.envelope.format === "cose-sign1" && !result.ok) {
            throw new Broken("two verdicts of one document");
          }
          const answer = known.ok ? known : result;
          if (!answer.ok) return { reason: answer.errorReason };
          const { envelope, statement, signers } = answer;
          const { message, messageType, uncovered = [] } = envelope;
          for (const { start, end } of uncovered) {
            if (start < 0 || end < start || end > input.length) throw new Broken("a wrong range");
          }
          const names = signers.map(({ name }) => name);
          return {
            facts: {
              must: printOf({
                message,
                messageType,
                names,
                read: "statement" in statement ? statement.statement : undefined,
              }),
              evidence: [],
            },
          };
        },
      };
    },
    [],
    { shape: "cbor" },
  ),
];
