/** One document of each format, made on demand: what the model's requirements are tried on. */

import { createEnvelope } from "../../dsse/mod.ts";
import { b64, keyOf, raw } from "../../formats/_fixtures_test.ts";
import { authority, sample, WITHIN } from "../../formats/_notation_fixtures_test.ts";
import { createCertificateTrust, type FormatTrust, importTufRoot } from "../../formats/mod.ts";
import { tufRootFile, tufTargetsFile } from "../../formats/_tuf_fixtures_test.ts";
import { cms } from "../../formats/attached/_signed_fixtures_test.ts";
import {
  armor,
  makeKeyOf,
  NOW,
  publicKey,
  signaturePacket,
} from "../../formats/openpgp/_fixtures_test.ts";
import { createOpenPgpKeyring } from "../../formats/openpgp/mod.ts";
import { notation, sign1 } from "../../formats/cose/_fixtures_test.ts";
import { encodePieces } from "../../formats/paseto.ts";
import { encodeBase64 } from "../../internal/base64.ts";
import { blake2b512 } from "../../internal/blake2b.ts";
import { concat, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { type Json, type JsonObject, parseJson } from "../../internal/json.ts";
import { canonicalOlpcJson } from "../../internal/olpc_json.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { KeyAlgorithm } from "../../keys/mod.ts";
import { octetString } from "../../tools/pki/der_writer.ts";
import type { TestHash } from "../../tools/pki/keys.ts";

export const HEX = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
const STATEMENT = {
  _type: "https://in-toto.io/Statement/v1",
  subject: [{ name: "abc", digest: { sha256: HEX, sha512: "1".repeat(128) } }],
  predicateType: "https://example.com/checked/v1",
  predicate: {},
};
const LINK = {
  _type: "link",
  name: "build",
  command: [],
  materials: { "a.c": { sha256: "b".repeat(64) } },
  products: { abc: { sha256: HEX, sha512: "1".repeat(128) } },
  byproducts: {},
  environment: {},
};
const SIMPLE = {
  critical: {
    type: "cosign container image signature",
    image: { "docker-manifest-digest": `sha256:${HEX}` },
    identity: { "docker-reference": "" },
  },
  optional: null,
};
const TARGET = JSON.stringify({
  targetArtifact: { mediaType: "a/b", digest: `sha256:${HEX}`, size: 3 },
});
const LIST = `${HEX}  abc\n${"1".repeat(128)}  abc\n`;
const ROOT = encodeBase64(sha256(utf8("root")));

/** A document with whom to trust for it. */
export interface Made {
  source: string | Uint8Array;
  trust: FormatTrust;
}

/** How documents of a format are made. */
export interface Maker {
  /** A message that the format is for. */
  message: string;
  /** Signs a message with a key; undefined if the format has no place for it. */
  make(message: string, alg?: KeyAlgorithm): Promise<Made | undefined>;
  /** The same document with another type of its message, which nobody signed. */
  retype?(source: Uint8Array | string): Uint8Array | string;
}

async function trustOf(alg: KeyAlgorithm): Promise<FormatTrust> {
  return { keys: [(await keyOf(alg)).trustedKey], now: WITHIN };
}

async function notationTrust(): Promise<FormatTrust> {
  const certificates = createCertificateTrust({
    authorities: [(await authority()).root],
    identities: ["CN=release"],
  });
  return { certificates, now: WITHIN };
}

function textOf(source: Uint8Array | string): string {
  return typeof source === "string" ? source : new TextDecoder().decode(source);
}

/** A document of bytes with another text of the same length in it. */
function replaced(source: Uint8Array | string, text: string, other: string): Uint8Array {
  const latin1 = new TextDecoder("latin1").decode(source as Uint8Array);
  const changed = (source as Uint8Array).slice();
  changed.set(utf8(other), latin1.indexOf(text));
  return changed;
}

async function signature(alg: KeyAlgorithm, data: Uint8Array): Promise<Uint8Array> {
  return await (await keyOf(alg)).signer.sign(data);
}

const ED = "Ed25519";
const CMS_KEYS: Partial<Record<KeyAlgorithm, { name: string; hash: TestHash }>> = {
  "Ed25519": { name: "leaf-ed25519", hash: "SHA-512" },
  "ES256": { name: "leaf-p256", hash: "SHA-256" },
  "ES384": { name: "leaf-p384", hash: "SHA-384" },
  "RS256": { name: "leaf-rsa", hash: "SHA-256" },
};
const ID = new Uint8Array(8);

/** Makers by the format's name: every envelope of the registry has one. */
export const MAKERS: Readonly<Record<string, Maker>> = {
  "binary-authorization": {
    message: JSON.stringify(SIMPLE),
    async make(message, alg = "ES256") {
      const payload = utf8(message);
      const signed = encodeBase64(await signature(alg, payload));
      const source = JSON.stringify({
        serializedPayload: encodeBase64(payload),
        signatures: [{ publicKeyId: "k", signature: signed }],
      });
      return { source, trust: await trustOf(alg) };
    },
  },
  "checkpoint": {
    message: `log.example\n2\n${ROOT}\n`,
    async make(message, alg = ED) {
      return /^[^\n]+\n\d+\n[A-Za-z0-9+/]{43}=\n$/.test(message)
        ? await note(message, alg)
        : undefined;
    },
  },
  "cms-signature": {
    message: LIST,
    async make(message, alg = "ES256") {
      const key = CMS_KEYS[alg];
      if (key === undefined) return undefined;
      const { name, hash } = key;
      const bytes = utf8(message);
      const certificates = createCertificateTrust({
        authorities: [(await authority()).root],
        identities: ["CN=release"],
      });
      const source = await cms({ message: bytes, content: octetString(bytes), key: name, hash });
      return { source, trust: { certificates, now: WITHIN } };
    },
  },
  "cose-sign1": {
    message: JSON.stringify(STATEMENT),
    async make(message, alg = ED) {
      const payload = utf8(message);
      return { source: await sign1({ payload, alg }), trust: await trustOf(alg) };
    },
    retype: (source) =>
      replaced(source, "application/vnd.in-toto+json", "application/vnd.in-totO+json"),
  },
  "dsse": {
    message: JSON.stringify(STATEMENT),
    async make(message, alg = ED) {
      const { signer } = await keyOf(alg);
      const type = "application/vnd.in-toto+json";
      const source = JSON.stringify(await createEnvelope(type, utf8(message), signer));
      return { source, trust: await trustOf(alg) };
    },
    retype: (source) => textOf(source).replace("vnd.in-toto+json", "vnd.in-toto.x+json"),
  },
  "in-toto-metablock": {
    message: JSON.stringify(LINK),
    async make(message, alg = ED) {
      let signed: Json;
      try {
        signed = parseJson(message);
      } catch {
        return undefined;
      }
      const sig = await signature(alg, utf8(canonicalOlpcJson(signed, "malformed-envelope")));
      const source = `{"signatures":[{"keyid":"","sig":"${encodeHex(sig)}"}],"signed":${message}}`;
      return { source, trust: await trustOf(alg) };
    },
    retype: (source) => textOf(source).replace('"_type":"link"', '"_type":"layout"'),
  },
  "jws": {
    message: JSON.stringify(STATEMENT),
    async make(message, alg = ED) {
      const header = b64({ alg: alg === ED ? "EdDSA" : alg, cty: "vnd.in-toto+json" });
      const signed = `${header}.${b64(message)}`;
      const bytes = raw(alg, await signature(alg, utf8(signed)));
      return { source: `${signed}.${b64(bytes)}`, trust: await trustOf(alg) };
    },
    retype(source) {
      const [, payload, signed] = textOf(source).split(".");
      return `${b64({ alg: "EdDSA", cty: "vnd.in-toto.x+json" })}.${payload}.${signed}`;
    },
  },
  "minisign": {
    message: LIST,
    async make(message, alg = ED) {
      const content = utf8(message);
      const file = await signature(alg, blake2b512(content));
      const global = await signature(alg, concat(file, utf8("t")));
      const source = `untrusted comment: x\n${encodeBase64(concat(utf8("ED"), ID, file))}\n` +
        `trusted comment: t\n${encodeBase64(global)}\n`;
      return { source, trust: { ...await trustOf(alg), detached: { content, digest: {} } } };
    },
  },
  "notation-cose": {
    message: TARGET,
    async make(message, alg = "ES256") {
      if (alg !== "ES256") return undefined;
      return {
        source: await notation({}, { payload: utf8(message) }),
        trust: await notationTrust(),
      };
    },
    retype: (source) => replaced(source, "application/vnd.cncf", "application/vnd.cnCf"),
  },
  "notation-jws": {
    message: TARGET,
    async make(message, alg = "ES256") {
      if (alg !== "ES256") return undefined;
      return { source: await sample({ payload: message }), trust: await notationTrust() };
    },
    retype: (source) => {
      const value = JSON.parse(textOf(source));
      const header = JSON.parse(atob(value.protected.replaceAll("-", "+").replaceAll("_", "/")));
      return JSON.stringify({ ...value, protected: b64({ ...header, cty: "text/plain" }) });
    },
  },
  "openpgp": {
    message: LIST,
    async make(message, alg = ED) {
      if (alg === "PS256") return undefined;
      const content = utf8(message);
      const key = await makeKeyOf(alg);
      const openpgp = await createOpenPgpKeyring(await publicKey(key));
      const source = armor("SIGNATURE", await signaturePacket(key, content));
      return { source, trust: { openpgp, now: NOW, detached: { content, digest: {} } } };
    },
  },
  "paseto": {
    message: JSON.stringify(STATEMENT),
    async make(message, alg = ED) {
      if (alg !== ED) return undefined;
      const body = utf8(message);
      const none = new Uint8Array();
      const signed = await signature(alg, encodePieces(utf8("v4.public."), body, none, none));
      return { source: `v4.public.${b64(concat(body, signed))}`, trust: await trustOf(alg) };
    },
  },
  "signed-note": {
    message: "hello\n",
    async make(message, alg = ED) {
      // deno-lint-ignore no-control-regex
      return /^[^\u0000-\u0009\u000b-\u001f]+\n$/.test(message)
        ? await note(message, alg)
        : undefined;
    },
  },
  "signify": {
    message: LIST,
    async make(message, alg = ED) {
      const line = encodeBase64(concat(utf8("Ed"), ID, await signature(alg, utf8(message))));
      return { source: `untrusted comment: x\n${line}\n${message}`, trust: await trustOf(alg) };
    },
  },
  "tuf-targets": {
    message: JSON.stringify({
      _type: "targets",
      delegations: { keys: {}, roles: [] },
      expires: "2100-01-01T00:00:00Z",
      spec_version: "1.0.31",
      targets: { abc: { hashes: { sha256: HEX, sha512: "1".repeat(128) }, length: 3 } },
      version: 1,
    }),
    async make(message, alg = "ES256") {
      if (alg !== "ES256" && alg !== ED) return undefined;
      let signed: JsonObject;
      try {
        signed = parseJson(message) as JsonObject;
      } catch {
        return undefined;
      }
      const made = { dialect: "tuf", alg, expires: "2100-01-01T00:00:00Z" } as const;
      const source = await tufTargetsFile({ ...made, signed, whole: true });
      const root = await importTufRoot(await tufRootFile(made));
      return { source, trust: { tufRoots: [root], now: WITHIN } };
    },
    retype: (source) => (source as string).replace('"_type":"targets"', '"_type":"Targets"'),
  },
};

async function note(text: string, alg: KeyAlgorithm): Promise<Made> {
  const { trustedKey } = await keyOf(alg);
  const { noteKeyHint } = await import("../../sigstore/checkpoint.ts");
  const { parseSpki } = await import("../../keys/public_key.ts");
  const hint = noteKeyHint("log.example", parseSpki(trustedKey.spki));
  const signed = encodeBase64(concat(hint, await signature(alg, utf8(text))));
  return { source: `${text}\n\u2014 log.example ${signed}\n`, trust: await trustOf(alg) };
}
