/** Targets of the other formats: documents, tokens and signature files. */

import { TUF_NOW, tufRootFile, tufTargetsFile } from "../../formats/_tuf_fixtures_test.ts";
import {
  importTufRoot,
  parseBuildKitStatement,
  parseFormat,
  readFormatStatement,
  type TufRootTrust,
  verifyFormat,
} from "../../formats/mod.ts";
import { encodeBase64, encodeBase64Url } from "../../internal/base64.ts";
import { blake2b512 } from "../../internal/blake2b.ts";
import { concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { canonicalOlpcJson } from "../../internal/olpc_json.ts";
import { sha256 } from "../../internal/sha256.ts";
import { encodePieces } from "../../formats/paseto.ts";
import { withFile } from "./beside.ts";
import { jsonSeed, textSeed } from "./corpus.ts";
import { textOf } from "./mutate_text.ts";
import { parser, printOf } from "./parsers.ts";
import { Broken, type Seed, type Target } from "./target.ts";
import { verifier } from "./verifiers.ts";
import { signerOf } from "./verify_targets.ts";

const FILE = utf8("abc");
const STATEMENT = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "abc", digest: { sha256: encodeHex(sha256(FILE)) } }],
  predicateType: "https://example.com/checked/v1",
  predicate: {},
};
const SIMPLE = {
  critical: {
    type: "cosign container image signature",
    image: { "docker-manifest-digest": `sha256:${"a".repeat(64)}` },
    identity: { "docker-reference": "registry.example/app" },
  },
  optional: { creator: "x" },
};
const LINK = {
  _type: "link",
  name: "build",
  command: ["make"],
  materials: {},
  products: { abc: { sha256: encodeHex(sha256(FILE)) } },
  byproducts: { stdout: "a\nb" },
  environment: {},
};

/** One document in each format that is signed with an Ed25519 key. */
async function documents(): Promise<Seed[]> {
  const { signer } = await signerOf("dsse-ed25519");
  const sign = async (data: Uint8Array) => await signer.sign(data);
  const payload = encodeBase64Url(utf8(JSON.stringify(STATEMENT)));
  const header = encodeBase64Url(utf8('{"alg":"EdDSA","cty":"vnd.in-toto+json"}'));
  const jose = encodeBase64Url(await sign(utf8(`${header}.${payload}`)));
  const linkSignature = await sign(utf8(canonicalOlpcJson(LINK, "malformed-envelope")));
  const simple = utf8(JSON.stringify(SIMPLE));
  const message = utf8(JSON.stringify(STATEMENT));
  const token = await sign(
    encodePieces(utf8("v4.public."), message, new Uint8Array(), new Uint8Array()),
  );
  const file = await sign(blake2b512(FILE));
  const global = await sign(concat(file, utf8("t")));
  const id = new Uint8Array(8);
  const list = utf8(`${"a".repeat(64)}  abc\n`);
  const note = utf8("log.example\n2\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n");
  const point = (await signer.publicKey()).subarray(-32);
  const hint = sha256(utf8("log.example\n"), Uint8Array.of(1), point).subarray(0, 4);
  return [
    textSeed("compact", `${header}.${payload}.${jose}`),
    jsonSeed("flattened", { payload, protected: header, signature: jose }),
    jsonSeed("general", { payload, signatures: [{ protected: header, signature: jose }] }),
    jsonSeed("metablock", {
      signatures: [{ keyid: "a", sig: encodeHex(linkSignature) }],
      signed: LINK,
    }),
    jsonSeed("binary authorization", {
      serializedPayload: encodeBase64(simple),
      signatures: [{ publicKeyId: "k", signature: encodeBase64(await sign(simple)) }],
    }),
    textSeed("paseto", `v4.public.${encodeBase64Url(concat(message, token))}`),
    textSeed(
      "minisign",
      `untrusted comment: x\n${encodeBase64(concat(utf8("ED"), id, file))}\n` +
        `trusted comment: t\n${encodeBase64(global)}\n`,
    ),
    textSeed(
      "signify",
      `untrusted comment: x\n${encodeBase64(concat(utf8("Ed"), id, await sign(list)))}\n${
        textOf(list)
      }`,
    ),
    textSeed(
      "checkpoint",
      `${textOf(note)}\n\u2014 log.example ${encodeBase64(concat(hint, await sign(note)))}\n`,
    ),
    textSeed("targets", await tufTargetsFile({ alg: "Ed25519" })),
    jsonSeed("spdx", { spdxVersion: "SPDX-2.3", SPDXID: "SPDXRef-DOCUMENT" }),
    jsonSeed("cyclonedx", { bomFormat: "CycloneDX", specVersion: "1.6" }),
  ];
}

/** Places of JSON documents from which nothing follows. */
const HARMLESS = [
  {
    place: /^\/signatures(\/-(\/(keyid|publicKeyId|publicKey|sig))?)?$/,
    why: "a hint, a signature beside one that counts, or hex in the other case",
  },
  { place: /^\/(mediaType|kind|version|header|payloadType)$/, why: "no member of the format" },
];

/** All of them. */
export const FORMAT_TARGETS: readonly Target[] = [
  {
    name: "parseFormat",
    kind: "parser",
    prepare: async () => ({
      seeds: await documents(),
      shape: "text",
      async run(input) {
        const parsed = await parseFormat(input);
        if (parsed.signatures.some(({ bytes }) => !Number.isInteger(bytes))) {
          throw new Broken("a signature without a length");
        }
        return null;
      },
    }),
  },
  parser(
    "parseBuildKitStatement",
    () => [jsonSeed("statement", STATEMENT)],
    (source) =>
      parseBuildKitStatement(source as Uint8Array, {
        mediaType: "application/vnd.in-toto+json",
        annotations: { "in-toto.io/predicate-type": STATEMENT.predicateType },
      }),
    { bytesOnly: true },
  ),
  parser(
    "importTufRoot",
    async () => [
      textSeed("notary", await tufRootFile({ alg: "Ed25519" })),
      textSeed("tuf", await tufRootFile({ alg: "Ed25519", dialect: "tuf" })),
    ],
    (source) => importTufRoot(source as string | Uint8Array),
    {
      shape: "text",
      holds: ({ keys, threshold }: TufRootTrust) => {
        if (threshold < 1 || keys.some(({ keyid }) => keyid === undefined)) {
          throw new Broken("a root without a threshold, or a key without an id");
        }
      },
    },
  ),
  verifier(
    "verifyFormat",
    async () => {
      const { key } = await signerOf("dsse-ed25519");
      const tufRoots = [await importTufRoot(await tufRootFile({ alg: "Ed25519" }))];
      return {
        seeds: await documents(),
        async verify(input) {
          const result = await withFile(
            FILE,
            (beside) => verifyFormat(input, { keys: [key], tufRoots, now: TUF_NOW, ...beside }),
          );
          if (!result.ok) return { reason: result.errorReason };
          const { envelope, statement } = result;
          // The same again, of the envelope alone.
          let read: unknown;
          try {
            read = readFormatStatement(envelope).statement;
          } catch {
            read = undefined;
          }
          if ("statement" in statement !== (read !== undefined)) {
            throw new Broken("two readings of one envelope");
          }
          const { message, messageType, proofs } = envelope;
          return { facts: { must: printOf({ message, messageType, proofs, read }), evidence: [] } };
        },
      };
    },
    HARMLESS,
    { covers: ["readFormatStatement"], shape: "text" },
  ),
];
