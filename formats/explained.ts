import { AttestationError } from "../errors.ts";
import { decodeBase64 } from "../internal/base64.ts";
import { isObject, jsonText, parseJson, printable } from "../internal/json.ts";
import { isTimestamp } from "./_attached_marks.ts";
import { parseEfiSignatureLists } from "./attached/efi_signature_list.ts";
import { detectScitt } from "./_cose_marks.ts";
import { peekCompact } from "./_jose.ts";
import type { Confidence, FormatLayer, FormatModule } from "./format.ts";
import type { ExplainedFormatId } from "./format_id.ts";
import type { FormatInput } from "./format_input.ts";

/** A format that is told by its marks and described, and whose signatures are not verified. */
export interface Explanation {
  /** Its name. */
  id: ExplainedFormatId;
  /** Its place in the model. */
  layer: FormatLayer;
  /** Tells it by its marks. */
  detect: (input: FormatInput) => Confidence;
  /** What it is, who signs what in it, and what verifies it: one line. */
  text: string;
  /** Facts of the document, for display; whatever it throws is left out. */
  facts?: (input: FormatInput) => Record<string, string>;
}

const CTL = "\x06\x09\x2b\x06\x01\x04\x01\x82\x37\x0a\x01";
/** EFI_CERT_X509_GUID and EFI_CERT_SHA256_GUID: lists begin with the type of what they hold. */
const SIGNATURE_LISTS = [
  "\xa1\x59\xc0\xa5\xe4\x94\xa7\x4a",
  "\x26\x16\xc4\xc1\x4c\x50\x92\x40",
];

/** All formats that are explained and never accepted. */
export const EXPLANATIONS: readonly Explanation[] = [
  {
    id: "apk-v4",
    layer: "attached",
    detect: ({ head }) =>
      head.startsWith("\x02\x00\x00\x00") && head.slice(8, 13) === "\x01\x00\x00\x00\x0c" ? 3 : 0,
    text: "Android's APK signature scheme v4: an fs-verity tree for installing while loading. It " +
      "repeats who signed by v2 or v3, which has to be in the APK and is what is verified",
  },
  {
    id: "appx",
    layer: "attached",
    detect: (input) =>
      input.has("PKCX") || (input.has("PK\x03\x04") && input.tail.includes("AppxSignature.p7x"))
        ? 3
        : 0,
    text: "A Windows app package: AppxSignature.p7x is a CMS signature over digests of the " +
      "package's parts. signtool verifies it",
  },
  {
    id: "efi-signature-list",
    layer: "bundle",
    detect: ({ head }) => SIGNATURE_LISTS.some((guid) => head.startsWith(guid)) ? 3 : 0,
    text: "A list of certificates or digests that UEFI firmware trusts (db) or refuses (dbx). It " +
      "is trust, not a signature: dbx wins over db",
    facts({ bytes }) {
      const counts = new Map<string, number>();
      for (const { kind, signatures } of parseEfiSignatureLists(bytes)) {
        counts.set(kind, (counts.get(kind) ?? 0) + signatures.length);
      }
      return textFacts({ holds: [...counts].map(([kind, n]) => `${n} ${kind}`).join(", ") });
    },
  },
  {
    id: "efi-variable",
    layer: "envelope",
    detect: ({ head }) => head.slice(20, 24) === "\x00\x02\xf1\x0e" ? 3 : 0,
    text: "An authenticated variable of UEFI Secure Boot: a CMS signature over name, vendor, " +
      "attributes, time and content. Only the firmware knows the variable's name",
  },
  {
    id: "jss",
    layer: "envelope",
    detect: ({ json }) => {
      const first = Array.isArray(json?.signatures) ? json.signatures[0] : undefined;
      return isObject(first) && typeof first.hash_algorithm === "string" &&
          typeof first.algorithm === "string" && typeof first.signature === "string"
        ? 3
        : 0;
    },
    text: "A JSON Signature Scheme (ITU-T X.590) document: it signs itself in canonical form, " +
      "with the key beside the signature",
  },
  {
    id: "macho-signature",
    layer: "attached",
    detect: ({ head }) =>
      head.startsWith("\xfa\xde\x0c\xc0") ? 3 : /^(\xcf|\xce)\xfa\xed\xfe/.test(head) ? 2 : 0,
    text: "A macOS program: LC_CODE_SIGNATURE holds a code directory with digests of the pages, " +
      "and a CMS signature over it. codesign verifies it",
  },
  {
    id: "msi",
    layer: "attached",
    detect: ({ head }) => head.startsWith("\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") ? 3 : 0,
    text: "A Windows installer (compound file): the stream DigitalSignature holds Authenticode " +
      "over the other streams. signtool verifies it",
  },
  {
    id: "nv2-jwt",
    layer: "envelope",
    detect: (input) => /^(x509|gpg)$/.test(jsonText(peekCompact(input)?.typ)) ? 3 : 0,
    text: "The prototype of Notary v2 of 2021: a JWT with digest, size and references of an " +
      "image. It never left its prototype; Notation took its place",
    facts: ({ bytes }) => {
      const [, payload] = new TextDecoder().decode(bytes.subarray(0, 1 << 20)).split(".");
      const claims = parseJson(decodeBase64(payload, { alphabet: "url", padding: "none" }));
      if (!isObject(claims)) return {};
      const { mediaType, digest, size } = claims;
      return textFacts({ mediaType, digest, size });
    },
  },
  {
    id: "rfc3161-timestamp",
    layer: "log-proof",
    detect: isTimestamp,
    text: "A timestamp by an RFC 3161 authority: it says when a digest was there, and nothing " +
      "else. Bundles and Notation signatures carry them, and there they are verified",
  },
  {
    id: "scitt-statement",
    layer: "envelope",
    detect: detectScitt,
    text: "A signed statement or receipt of SCITT: COSE_Sign1 with CWT claims about the issuer " +
      "and subject, or an inclusion proof of a transparency service",
  },
  {
    id: "security-catalog",
    layer: "bundle",
    detect: ({ head }) => head.startsWith("\x30\x82") && head.slice(0, 128).includes(CTL) ? 3 : 0,
    text: "A Windows security catalog: a CMS signature over a list of digests of files. " +
      "signtool verifies it",
  },
  {
    id: "sigsum-proof",
    layer: "log-proof",
    detect: ({ head }) => /^version=[12]\nlog=[0-9a-f]{64}\nleaf=/.test(head) ? 3 : 0,
    text: "A proof of logging of Sigsum: a signed digest in a log with witnesses' cosignatures. " +
      "sigsum-verify verifies it against a trust policy",
    facts: ({ head }) => textFacts({ log: /^log=([0-9a-f]{64})$/m.exec(head)?.[1] }),
  },
  {
    id: "tuf-metadata",
    layer: "bundle",
    detect: ({ json }) => {
      const signed = isObject(json?.signed) ? json.signed : undefined;
      return Array.isArray(json?.signatures) && typeof signed?._type === "string" &&
          /^(root|snapshot|timestamp|mirrors)$/i.test(signed._type)
        ? 3
        : 0;
    },
    text: "Metadata of The Update Framework, as Docker Content Trust (Notary v1) and others keep " +
      "it: root says whose keys count, snapshot and timestamp which versions are current. What " +
      "names artifacts is targets.json, which is verified against a root.json that you pin",
    facts: ({ json }) => {
      const signed = isObject(json?.signed) ? json.signed : {};
      const { _type: role, version, expires } = signed;
      return textFacts({ role, version, expires });
    },
  },
];

function textFacts(values: Record<string, unknown>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([name, value]) =>
      typeof value === "string" || typeof value === "number" ? [[name, printable(`${value}`)]] : []
    ),
  );
}

/** The module of a format that is explained. */
export function explainedModule(
  explanation: Explanation,
  inputOf: (bytes: Uint8Array) => FormatInput,
): FormatModule<string> {
  const { id, layer, detect, text, facts } = explanation;
  return {
    id,
    layer,
    detect,
    parse(bytes) {
      let found: Record<string, string> = {};
      try {
        found = facts?.(inputOf(bytes)) ?? {};
      } catch {
        // Facts are for display only.
      }
      return { format: id, signatures: [], facts: { ...found, about: text }, content: text };
    },
    verify: () =>
      Promise.resolve({
        format: id,
        signers: [],
        coverage: "message",
        unauthenticated: {},
        proofs: [],
        refusal: new AttestationError(
          "format-not-verified",
          `Cannot verify document: ${id} is known by its marks, its signatures are not verified here`,
        ),
      }),
  };
}
