import { AttestationError } from "../errors.ts";
import { decodeBase64, encodeBase64Url } from "../internal/base64.ts";
import { decodeHex } from "../internal/hex.ts";
import { isObject, type Json, type JsonObject, parseJson } from "../internal/json.ts";
import { pointer } from "../internal/problem.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import { importedName, type ImportedPolicy, Losses, shown, withConditions } from "./_import.ts";
import { nothingLeft } from "./_import_cluster_image_policy.ts";
import { readKeyMaterial } from "./_key_material.ts";
import { type Condition, POLICY_TYPE, type PolicyKey, type Requirement } from "./document.ts";

const LAYOUT = [
  "_type",
  "steps",
  "inspect",
  "keys",
  "expires",
  "readme",
  // Authorities of the certificates that cert_constraints of steps are for.
  "rootcas",
  "intermediatecas",
];
const STEP = [
  "_type",
  "name",
  "pubkeys",
  "threshold",
  "expected_command",
  "expected_materials",
  "expected_products",
  "cert_constraints",
];
const LINK_TYPES = ["https://in-toto.io/Link/v1", "https://in-toto.io/attestation/link/v0.3"];

/**
 * A rule whose requirements are the steps of an in-toto layout: who may do each, and how many
 * of them must have.
 *
 * Source: in-toto specification 1.0, section 4.3, "File formats: layout".
 */
export function importLayout(source: Json): ImportedPolicy {
  const losses = new Losses();
  const layout = layoutOf(source, losses);
  const keys: Record<string, PolicyKey> = {};
  const names = new Map<string, string>();
  const taken = new Set<string>();
  for (const [id, value] of Object.entries(isObject(layout.keys) ? layout.keys : {})) {
    const path = pointer("/keys", id);
    try {
      const publicKey = publicKeyOf(value);
      readKeyMaterial(publicKey, undefined);
      const name = importedName(`key-${id.slice(0, 16)}`, "key", taken);
      keys[name] = { publicKey, keyid: id };
      names.set(id, name);
    } catch (error) {
      losses.add(path, id, error instanceof Error ? error.message : "It is no key");
    }
  }
  const require: Requirement[] = [];
  const ids = new Set<string>();
  entriesOf(layout.steps).forEach((step, i) => {
    require.push(stepOf(step, `/steps/${i}`, names, ids, losses));
  });
  const refuse = (path: string, name: string, what: string, why: string): void => {
    const condition = losses.placeholder(path, what, why);
    require.push(withConditions({ id: importedName(name, "inspection", ids) }, [condition]));
  };
  entriesOf(layout.inspect).forEach((one, i) => {
    const name = isObject(one) && typeof one.name === "string" ? one.name : "inspection";
    refuse(`/inspect/${i}`, name, `inspection ${name}`, "No command is run");
  });
  for (const member of unknownIn(layout, LAYOUT)) {
    refuse(pointer("", member), member, member, "It is not known");
  }
  if (require.length === 0 || names.size === 0) throw nothingLeft(losses);
  const used = new Set(require.flatMap(({ envelope }) => {
    const { signedBy } = envelope ?? {};
    return [signedBy].flat().flatMap((one) => one === undefined ? [] : [...one.of]);
  }));
  const expires = typeof layout.expires === "string" ? layout.expires : "";
  if (parseTimestamp(expires) === undefined) {
    throw new AttestationError("malformed-policy", "Cannot import layout: it has no end", {
      path: "/expires",
    });
  }
  return {
    document: {
      type: POLICY_TYPE,
      name: "in-toto-layout",
      ...(typeof layout.readme === "string" && layout.readme.trim() !== ""
        ? { description: layout.readme.slice(0, 1000) }
        : {}),
      mode: "enforce",
      expires,
      trust: {
        keys: Object.fromEntries(Object.entries(keys).filter(([name]) => used.has(name))),
        roots: [],
      },
      rules: [{ id: "layout", require }],
    },
    notCarriedOver: losses.list,
  };
}

function layoutOf(source: Json, losses: Losses): JsonObject {
  let value = source;
  if (isObject(value) && typeof value.payload === "string") {
    value = parseJson(decodeBase64(value.payload));
  } else if (isObject(value) && isObject(value.signed)) value = value.signed;
  if (!isObject(value) || value._type !== "layout") {
    throw new AttestationError("malformed-policy", "Cannot import layout: its _type is not layout");
  }
  losses.add(
    "/signatures",
    "signatures of the layout",
    "They were not verified: import a layout that you know to be yours",
  );
  return value;
}

/** Entries of a list that may be absent; what is no list is one, so that it is not overlooked. */
function entriesOf(value: Json | undefined): readonly Json[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** Members that are not known: they may restrict. */
function unknownIn(value: JsonObject, known: readonly string[]): string[] {
  return Object.keys(value).filter((name) => !known.includes(name));
}

function publicKeyOf(value: Json): string | JsonObject {
  const text = isObject(value) && isObject(value.keyval) ? value.keyval.public : undefined;
  if (typeof text !== "string") {
    throw new AttestationError("malformed-key", "The key has no public half");
  }
  if (/^[0-9a-f]{64}$/i.test(text)) {
    return { kty: "OKP", crv: "Ed25519", x: encodeBase64Url(decodeHex(text.toLowerCase())) };
  }
  return text;
}

function stepOf(
  step: Json,
  at: string,
  names: ReadonlyMap<string, string>,
  ids: Set<string>,
  losses: Losses,
): Requirement {
  const value: JsonObject = isObject(step) ? step : {};
  const name = typeof value.name === "string" ? value.name : "";
  const id = importedName(name, "step", ids);
  const conditions: Condition[] = [];
  const stated = Array.isArray(value.pubkeys) ? value.pubkeys : [];
  const of = [...new Set(stated.flatMap((id) => typeof id === "string" && names.get(id) || []))];
  const { threshold: wanted = 1 } = value;
  const threshold = Number.isInteger(wanted) ? Number(wanted) : 0;
  if (threshold < 1 || of.length < threshold) {
    conditions.push(losses.placeholder(
      `${at}/pubkeys`,
      `${shown(wanted)} functionaries of the step ${name}`,
      `Only ${of.length} of their keys can be used`,
    ));
  }
  if (threshold > 1) {
    losses.add(
      `${at}/threshold`,
      shown(threshold),
      "Links of several functionaries: here they must sign the same one",
    );
  }
  const left: [member: string, why: string][] = [
    ["cert_constraints", "Left out"],
    [
      "expected_command",
      "It is a hint in a layout too; ask for it in a condition on /predicate/command",
    ],
  ];
  for (const [member, why] of left) {
    const entries = entriesOf(value[member]);
    if (entries.length > 0) losses.add(`${at}/${member}`, entries.map(shown).join(" "), why);
  }
  for (const member of ["expected_materials", "expected_products"]) {
    const rules = entriesOf(value[member]);
    const isOpen = rules.every((rule) => JSON.stringify(rule).toUpperCase() === '["ALLOW","*"]');
    if (isOpen) continue;
    conditions.push(losses.placeholder(
      `${at}/${member}`,
      rules.map((rule) => Array.isArray(rule) ? rule.map(shown).join(" ") : shown(rule)).join("; "),
      "Artifact rules are not read",
    ));
  }
  for (const member of unknownIn(value, STEP)) {
    conditions.push(losses.placeholder(pointer(at, member), member, "It is not known"));
  }
  return withConditions({
    id,
    envelope: {
      signedBy: {
        of: of.length === 0 ? [...names.values()].slice(0, 1) : of,
        ...(threshold > 1 && threshold <= of.length ? { threshold } : {}),
      },
    },
    statement: { predicateTypes: LINK_TYPES },
    predicate: { where: [{ id: "step", path: "/predicate/name", equals: name }] },
  }, conditions);
}
