import { createEnvelope } from "../../dsse/mod.ts";
import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { JsonObject } from "../../internal/json.ts";
import { canonicalOlpcJson } from "../../internal/olpc_json.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { TrustedKey } from "../../keys/mod.ts";
import { keyOf } from "../_fixtures_test.ts";

export const NOW = new Date("2026-01-01T00:00:00Z");
const EXPIRES = "2027-01-01T00:00:00Z";

/** A person with a key: the key is made once for each name. */
export interface Person {
  name: string;
  keyid: string;
  /** The key as a layout has it. */
  key: JsonObject;
  trustedKey: TrustedKey;
}

export async function person(name: string): Promise<Person> {
  const { trustedKey } = await keyOf("Ed25519", name);
  const raw = encodeHex(trustedKey.spki.slice(-32));
  const keyid = encodeHex(sha256(utf8(name)));
  const key = { keyid, keytype: "ed25519", scheme: "ed25519", keyval: { public: raw } };
  return { name, keyid, key, trustedKey };
}

/** Signs a document as a metablock or as an envelope, by people in their order. */
export async function signed(
  value: JsonObject,
  names: readonly string[],
  form: "metablock" | "dsse" = "metablock",
): Promise<string> {
  if (form === "dsse") {
    const signers = await Promise.all(
      names.map(async (name) => (await keyOf("Ed25519", name)).signer),
    );
    const envelope = await createEnvelope("application/vnd.in-toto+json", value, signers);
    const people = await Promise.all(names.map(person));
    // in-toto's own reader wants ids.
    const signatures = envelope.signatures.map((one, i) => ({ ...one, keyid: people[i].keyid }));
    return JSON.stringify({ ...envelope, signatures });
  }
  const data = utf8(canonicalOlpcJson(value, "malformed-envelope"));
  const signatures = await Promise.all(names.map(async (name) => ({
    keyid: (await person(name)).keyid,
    sig: encodeHex(await (await keyOf("Ed25519", name)).signer.sign(data)),
  })));
  return JSON.stringify({ signatures, signed: value });
}

/** Digests of artifacts by their contents. */
export function artifacts(files: Readonly<Record<string, string>>): JsonObject {
  return Object.fromEntries(
    Object.entries(files).map(([name, text]) => [name, { sha256: encodeHex(sha256(utf8(text))) }]),
  );
}

/** A link of a step. */
export function link(
  name: string,
  materials: Readonly<Record<string, string>>,
  products: Readonly<Record<string, string>>,
  more: JsonObject = {},
): JsonObject {
  return {
    _type: "link",
    name,
    command: ["make"],
    materials: artifacts(materials),
    products: artifacts(products),
    byproducts: { "return-value": 0 },
    environment: {},
    ...more,
  };
}

/** A step that somebody may carry out. */
export async function step(
  name: string,
  people: readonly string[],
  more: JsonObject = {},
): Promise<JsonObject> {
  return {
    _type: "step",
    name,
    threshold: 1,
    pubkeys: await Promise.all(people.map(async (one) => (await person(one)).keyid)),
    expected_command: [],
    expected_materials: [],
    expected_products: [],
    ...more,
  };
}

/** A layout with the keys of these people. */
export async function layout(
  people: readonly string[],
  steps: readonly JsonObject[],
  more: JsonObject = {},
): Promise<JsonObject> {
  const all = await Promise.all(people.map(person));
  return {
    _type: "layout",
    expires: EXPIRES,
    readme: "",
    keys: Object.fromEntries(all.map(({ keyid, key }) => [keyid, key])),
    steps: [...steps],
    inspect: [],
    ...more,
  };
}

/** Name of the link of somebody. */
export async function linkName(step: string, name: string): Promise<string> {
  return `${step}.${(await person(name)).keyid.slice(0, 8)}.link`;
}
