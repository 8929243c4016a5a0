import { ok, rejects, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeBase64 } from "../internal/base64.ts";
import { type Bytes, utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { isAttestationError } from "../errors.ts";
import type { JsonObject } from "../internal/json.ts";
import { encodePem } from "../internal/pem.ts";
import { sha256 } from "../internal/sha256.ts";
import type { PublicKey } from "../keys/public_key.ts";
import { edited, reasonOf } from "../tests/fixtures/sigstore.ts";
import { dsseBody, hashedRekordBody, intotoBody } from "../tools/pki/rekor_v1.ts";
import type { LogEntry } from "./bundle.ts";
import { compareLogBody, type SignedFacts } from "./log_body.ts";

const LEAF = utf8("a certificate"), SIGNATURE = utf8("a signature"), ARTIFACT = utf8("x");
const PAYLOAD = utf8("{}"), PAE = utf8("the encoding of {}"), TYPE = "application/vnd.in-toto+json";
const KEY: PublicKey = { kind: "EC", curve: "P-256", spki: utf8("a key"), fingerprint: "" };

const BLOB: SignedFacts = {
  signature: SIGNATURE,
  verifier: { kind: "certificate", der: LEAF },
  key: KEY,
  scheme: { name: "ECDSA", hash: "SHA-256" },
  artifact: { sha256: encodeHex(sha256(ARTIFACT)) },
};
const { artifact: _, ...COMMON } = BLOB;
const ENVELOPE: SignedFacts = {
  ...COMMON,
  envelope: { payloadType: TYPE, payload: PAYLOAD, pae: PAE },
};

const VERIFIER = { der: LEAF, label: "CERTIFICATE" as const };
const LOGGED = { payloadType: TYPE, payload: PAYLOAD, signature: SIGNATURE, text: "{}" };

function rekord(signed: Bytes): JsonObject {
  return hashedRekordBody({ algorithm: "sha256", value: sha256(signed) }, SIGNATURE, VERIFIER);
}

function rekordV2(signed: Bytes): JsonObject {
  const verifier = {
    keyDetails: "PKIX_ECDSA_P256_SHA_256",
    x509Certificate: { rawBytes: encodeBase64(LEAF) },
  };
  const hashedRekordV002 = {
    data: { algorithm: "SHA2_256", digest: encodeBase64(sha256(signed)) },
    signature: { content: encodeBase64(SIGNATURE), verifier },
  };
  return { apiVersion: "0.0.2", kind: "hashedrekord", spec: { hashedRekordV002 } };
}

function intotoV1(): JsonObject {
  const payloadHash = { algorithm: "sha256", value: encodeHex(sha256(PAYLOAD)) };
  const publicKey = encodeBase64(utf8(encodePem("CERTIFICATE", LEAF)));
  return { apiVersion: "0.0.1", kind: "intoto", spec: { content: { payloadHash }, publicKey } };
}

function entryOf(body: JsonObject, stated: Partial<LogEntry> = {}): LogEntry {
  return {
    path: "",
    logIndex: 0n,
    keyId: new Uint8Array(),
    integratedTime: 0n,
    kind: String(body.kind),
    kindVersion: String(body.apiVersion),
    body: utf8(JSON.stringify(body)),
    ...stated,
  };
}

async function verdictOf(body: JsonObject, facts: SignedFacts): Promise<string> {
  return await reasonOf(() => compareLogBody(entryOf(body), facts));
}

/** A kind of entry, and where its body holds what. */
interface Kind {
  body: JsonObject;
  facts: SignedFacts;
  digest: string;
  /** Absent where the log keeps none. */
  signature?: string;
  /** In PEM, or in DER as Rekor v2 keeps it. */
  verifier: string;
}

const V1 = { signature: "/spec/signature/content", verifier: "/spec/signature/publicKey/content" };
const V2 = "/spec/hashedRekordV002";
const KINDS: Record<string, Kind> = {
  "hashedrekord 0.0.1 of an artifact": {
    body: rekord(ARTIFACT),
    facts: BLOB,
    digest: "/spec/data/hash/value",
    ...V1,
  },
  "hashedrekord 0.0.1 of an envelope": {
    body: rekord(PAE),
    facts: ENVELOPE,
    digest: "/spec/data/hash/value",
    ...V1,
  },
  "hashedrekord 0.0.2 of an artifact": {
    body: rekordV2(ARTIFACT),
    facts: BLOB,
    digest: `${V2}/data/digest`,
    signature: `${V2}/signature/content`,
    verifier: `${V2}/signature/verifier/x509Certificate/rawBytes`,
  },
  "hashedrekord 0.0.2 of an envelope": {
    body: rekordV2(PAE),
    facts: ENVELOPE,
    digest: `${V2}/data/digest`,
    signature: `${V2}/signature/content`,
    verifier: `${V2}/signature/verifier/x509Certificate/rawBytes`,
  },
  "dsse 0.0.1": {
    body: dsseBody(LOGGED, VERIFIER),
    facts: ENVELOPE,
    digest: "/spec/payloadHash/value",
    signature: "/spec/signatures/0/signature",
    verifier: "/spec/signatures/0/verifier",
  },
  "intoto 0.0.1": {
    body: intotoV1(),
    facts: ENVELOPE,
    digest: "/spec/content/payloadHash/value",
    verifier: "/spec/publicKey",
  },
  "intoto 0.0.2": {
    body: intotoBody(LOGGED, VERIFIER),
    facts: ENVELOPE,
    digest: "/spec/content/payloadHash/value",
    signature: "/spec/content/envelope/signatures/0/sig",
    verifier: "/spec/content/envelope/signatures/0/publicKey",
  },
};

describe("compareLogBody()", () => {
  for (const [name, { body, facts, digest, signature, verifier }] of Object.entries(KINDS)) {
    const isRaw = verifier.endsWith("/rawBytes");

    it(`${name}: takes what says the same as the bundle`, async () => {
      equal(await verdictOf(body, facts), "ok");
    });

    it(`${name}: refuses another digest`, async () => {
      const other = sha256(utf8("another"));
      const value = digest.endsWith("/digest") ? encodeBase64(other) : encodeHex(other);
      equal(await verdictOf(edited(body, digest, value), facts), "log-digest-mismatch");
    });

    if (signature !== undefined) {
      it(`${name}: refuses another signature`, async () => {
        const other = edited(body, signature, encodeBase64(utf8("another")));
        equal(await verdictOf(other, facts), "log-signature-mismatch");
      });
    }

    it(`${name}: refuses another certificate`, async () => {
      const other = utf8("another");
      const value = encodeBase64(isRaw ? other : utf8(encodePem("CERTIFICATE", other)));
      equal(await verdictOf(edited(body, verifier, value), facts), "log-key-mismatch");
    });

    it(`${name}: refuses a key with the bytes of the certificate`, async () => {
      const path = isRaw ? verifier.replace("x509Certificate", "publicKey") : verifier;
      const rawBytes = encodeBase64(LEAF);
      const other = isRaw
        ? edited(body, path.slice(0, path.lastIndexOf("/publicKey")), {
          keyDetails: "PKIX_ECDSA_P256_SHA_256",
          publicKey: { rawBytes },
        })
        : edited(body, path, encodeBase64(utf8(encodePem("PUBLIC KEY", LEAF))));
      equal(await verdictOf(other, facts), "log-key-mismatch");
    });

    it(`${name}: refuses another kind or version than the bundle states`, async () => {
      for (const stated of [{ kind: "rfc3161" }, { kindVersion: "0.0.9" }, { kindVersion: "" }]) {
        const entry = entryOf(body, stated);
        equal(await reasonOf(() => compareLogBody(entry, facts)), "malformed-log-entry");
      }
    });
  }

  it("refuses an entry of an envelope for an artifact that was signed itself", async () => {
    for (const name of ["dsse 0.0.1", "intoto 0.0.1", "intoto 0.0.2"]) {
      equal(await verdictOf(KINDS[name].body, BLOB), "unsupported-log-entry", name);
    }
  });

  it("refuses another payload type", async () => {
    const other = edited(intotoBody(LOGGED, VERIFIER), "/spec/content/envelope/payloadType", "x");
    equal(await verdictOf(other, ENVELOPE), "log-digest-mismatch");
  });

  it("refuses a kind of key, or a padding, that did not sign", async () => {
    const path = `${V2}/signature/verifier/keyDetails`;
    const body = rekordV2(ARTIFACT);
    for (const name of ["PKIX_ECDSA_P384_SHA_384", "PKIX_ED25519", "PKIX_UNKNOWN", "toString"]) {
      equal(await verdictOf(edited(body, path, name), BLOB), "log-key-mismatch", name);
    }
    const key: PublicKey = { kind: "RSA", modulusBits: 2048, spki: KEY.spki, fingerprint: "" };
    const facts: SignedFacts = {
      ...BLOB,
      key,
      scheme: { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    };
    const named = (name: string) => verdictOf(edited(body, path, name), facts);
    equal(await named("PKIX_RSA_PKCS1V15_2048_SHA256"), "ok");
    equal(await named("PKIX_RSA_PSS_2048_SHA256"), "log-key-mismatch");
  });

  it("says what the digest is not of", async () => {
    for (const [facts, what] of [[BLOB, "artifact"], [ENVELOPE, "envelope"]] as const) {
      await rejects(compareLogBody(entryOf(rekord(utf8("another"))), facts), (error) => {
        ok(isAttestationError(error) && error.message.endsWith(`it is of another ${what}`));
        return true;
      });
    }
  });

  it("takes a signature that was encoded once, as some logs keep it", async () => {
    const path = "/spec/content/envelope/signatures/0/sig";
    const once = edited(intotoBody(LOGGED, VERIFIER), path, encodeBase64(SIGNATURE));
    equal(await verdictOf(once, ENVELOPE), "ok");
  });
});
