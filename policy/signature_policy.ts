import { isObject, type Json, type JsonObject } from "../internal/json.ts";
import { PROVENANCE_TYPES } from "../slsa/provenance.ts";
import { readKeyMaterial } from "./_key_material.ts";
import type { ProblemList } from "./_shape.ts";
import { POLICY_TYPE, type PolicyDocument, type PolicyKey } from "./document.ts";
import { isAttestationError } from "../errors.ts";

const MEMBERS = ["mode", "allowedIssuers"];
const ISSUER = ["keyId", "publicKey", "description"];
const MAX_ISSUERS = 1000;
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@+:-]{0,127}$/;

/** Tells whether a document is a `signature-policy.json`. */
export function isSignaturePolicy(value: Json): value is JsonObject {
  return isObject(value) && Object.hasOwn(value, "allowedIssuers") && !Object.hasOwn(value, "type");
}

/**
 * A `signature-policy.json` as a policy: every artifact must have SLSA provenance that one
 * of the issuers signed with its key. No root is trusted, so certificates do not count.
 *
 * `keyId` becomes the `keyid` of the key, and its name where it can be one. The earlier
 * minimal payload has no subject, so it is about no artifact and meets no requirement:
 * `enforce` refuses it, `permissive` reports it.
 */
export function convertSignaturePolicy(value: JsonObject, list: ProblemList): PolicyDocument {
  const policy = list.members(value, "", "a signature policy", MEMBERS);
  const mode = policy?.word("mode", ["enforce", "permissive"]) ?? "enforce";
  const keys: Record<string, PolicyKey> = {};
  const ids = new Set<string>();
  const owners = new Set<string>();
  const path = "/allowedIssuers";
  const issuers = list.list(value.allowedIssuers, path, "allowedIssuers", MAX_ISSUERS) ?? [];
  for (const [i, one] of issuers.entries()) {
    const issuer = list.members(one, `${path}/${i}`, "an issuer", ISSUER);
    if (issuer === undefined) continue;
    issuer.need("keyId", "publicKey");
    const keyid = issuer.text("keyId", 1024);
    const description = issuer.text("description");
    const publicKey = issuer.get("publicKey");
    if (keyid === undefined || publicKey === undefined) continue;
    if (ids.has(keyid)) issuer.wrong("keyId", "the keyId is there twice");
    ids.add(keyid);
    if (typeof publicKey !== "string" && !isObject(publicKey)) {
      issuer.wrong("publicKey", "publicKey is neither PEM text nor a JWK");
      continue;
    }
    try {
      const { fingerprint } = readKeyMaterial(publicKey, undefined);
      if (owners.has(fingerprint)) issuer.wrong("publicKey", "the same key is there twice");
      owners.add(fingerprint);
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      issuer.wrong("publicKey", error.message);
    }
    keys[nameOf(keyid, i, keys)] = {
      publicKey,
      keyid,
      ...(description === undefined ? {} : { description }),
    };
  }
  return {
    type: POLICY_TYPE,
    name: "signature-policy",
    mode,
    trust: { keys, roots: [] },
    rules: [{
      id: "provenance",
      require: [{
        id: "signed",
        envelope: { signedBy: { of: Object.keys(keys) } },
        statement: { predicateTypes: [...PROVENANCE_TYPES] },
      }],
    }],
  };
}

/** The keyId where it can be a name, or one that nobody has. */
function nameOf(keyid: string, index: number, taken: object): string {
  if (NAME.test(keyid) && !Object.hasOwn(taken, keyid)) return keyid;
  let name = `issuer-${index + 1}`;
  while (Object.hasOwn(taken, name)) name = `other-${name}`;
  return name;
}
