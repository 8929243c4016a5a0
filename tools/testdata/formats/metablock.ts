import type { Reason } from "../../../errors.ts";
import { utf8 } from "../../../internal/bytes.ts";
import { encodeHex } from "../../../internal/hex.ts";
import type { Json, JsonObject } from "../../../internal/json.ts";
import { canonicalOlpcJson } from "../../../internal/olpc_json.ts";
import { publicKeyPem, testKey } from "../../pki/keys.ts";
import type { Collection } from "../collection.ts";
import { sha256Hex } from "../statements.ts";
import { ARTIFACT, FormatCases } from "./format_cases.ts";
import { signPss, signRaw } from "./signing.ts";

const LINK: JsonObject = {
  _type: "link",
  name: "build",
  command: ["make"],
  materials: { "main.c": { sha256: "a".repeat(64) } },
  products: { "artifact.txt": { sha256: sha256Hex(utf8(ARTIFACT)) } },
  byproducts: {},
  environment: {},
};

async function signatureOf(signed: JsonObject, name: string): Promise<string> {
  const data = utf8(canonicalOlpcJson(signed, "malformed-envelope"));
  const key = await testKey(name);
  return encodeHex(name === "dsse-rsa" ? signPss(name, data) : await key.sign(data));
}

async function block(signed: JsonObject, ...names: string[]): Promise<string> {
  const signatures: Json[] = [];
  for (const name of names) signatures.push({ keyid: "", sig: await signatureOf(signed, name) });
  return JSON.stringify({ signatures, signed }, null, 1);
}

/** The key as in-toto has it. */
async function inTotoKey(name: string): Promise<{ name: string; text: string }> {
  const key = await testKey(name);
  const [keytype, scheme] = {
    "Ed25519": ["ed25519", "ed25519"],
    "P-256": ["ecdsa", "ecdsa-sha2-nistp256"],
    "P-384": ["ecdsa", "ecdsa-sha2-nistp384"],
    "RSA-2048": ["rsa", "rsassa-pss-sha256"],
  }[key.algorithm];
  const own = keytype === "ed25519" ? encodeHex(key.spki.slice(-32)) : publicKeyPem(key);
  const text = `${JSON.stringify({ keytype, scheme, keyval: { public: own } }, null, 1)}\n`;
  return { name: `${name}.json`, text };
}

/** In-toto's metablocks, before DSSE. */
export async function addMetablocks(collection: Collection): Promise<void> {
  const cases = new FormatCases(
    collection,
    "in-toto-metablock",
    "in-toto specification 1.0, 4.2; OLPC canonical JSON",
  );
  const ed = [await inTotoKey("dsse-ed25519")];
  const good = await block(LINK, "dsse-ed25519");
  for (const name of ["dsse-ed25519", "dsse-p256", "dsse-rsa"]) {
    await cases.add({
      id: name.slice(5),
      why: `a link, signed by a key of ${name.slice(5)}`,
      document: await block(LINK, name),
      keys: [await inTotoKey(name)],
    });
  }
  const newline = { ...LINK, byproducts: { stdout: 'a\n"b"\\' } };
  const order = { ...LINK, byproducts: { "\u{1f600}": 1, "\uff5e": 2 } };
  await cases.add({
    id: "newline",
    why: "a line feed in a text: the canonical form does not escape it",
    document: await block(newline, "dsse-ed25519"),
    keys: ed,
  });
  await cases.add({
    id: "code-points",
    why: "names whose order differs by UTF-16 units and by code points",
    document: await block(order, "dsse-ed25519"),
    keys: ed,
  });
  await cases.add({
    id: "white-space",
    why: "white space and order are not signed",
    document: JSON.stringify(JSON.parse(good)),
    keys: ed,
  });
  const raw = encodeHex(
    await signRaw("dsse-p256", utf8(canonicalOlpcJson(LINK, "malformed-envelope"))),
  );
  await cases.add({
    id: "p256-raw",
    why: "ECDSA as r and s, where DER is wanted",
    document: JSON.stringify({ signatures: [{ keyid: "", sig: raw }], signed: LINK }, null, 1),
    keys: [await inTotoKey("dsse-p256")],
    reason: "invalid-signature",
  });
  const layout: JsonObject = {
    _type: "layout",
    expires: "2030-01-01T00:00:00Z",
    readme: "",
    keys: {},
    steps: [],
    inspect: [],
  };
  const bad: [id: string, why: string, document: string, reason: Reason][] = [
    [
      "fraction",
      "a number that is no integer",
      good.replace('[\n    "make"\n   ]', "[1.5]").replace(
        '"byproducts": {}',
        '"byproducts": {"x": 1.5}',
      ),
      "malformed-envelope",
    ],
    [
      "signed-altered",
      "another product",
      good.replace("artifact.txt", "other.txt"),
      "invalid-signature",
    ],
    [
      "type-altered",
      "a link under the type of a layout",
      good.replace('"link"', '"layout"'),
      "invalid-signature",
    ],
    ["stranger", "signed by a stranger", await block(LINK, "witness"), "invalid-signature"],
    ["unsigned", "no signature", await block(LINK), "missing-signatures"],
    [
      "more",
      "a member beside signed and signatures",
      good.replace("{", '{"more": 1,'),
      "malformed-envelope",
    ],
    [
      "twice",
      "a member twice",
      good.replace('"name":', '"name": "x", "name":'),
      "duplicate-json-key",
    ],
    [
      "layout",
      "a layout says what links must say",
      await block(layout, "dsse-ed25519"),
      "unsupported-statement-type",
    ],
  ];
  for (const [id, why, document, reason] of bad) {
    await cases.add({ id, why, document, reason, keys: ed });
  }
  await cases.add({
    id: "gpg",
    why: "a signature of GnuPG",
    document: JSON.stringify(
      { signatures: [{ keyid: "a", other_headers: "04", signature: "00" }], signed: LINK },
      null,
      1,
    ),
    keys: ed,
    reason: "unsupported-algorithm",
  });
  await cases.add({
    id: "one-key-twice",
    why: "two signers are needed, and one signs twice",
    document: await block(LINK, "dsse-ed25519", "dsse-ed25519"),
    keys: [...ed, await inTotoKey("dsse-p256")],
    options: { threshold: 2 },
    reason: "threshold-not-met",
  });
  await cases.add({
    id: "other-artifact",
    why: "a link without the artifact",
    document: good,
    keys: ed,
    artifact: "other\n",
    reason: "subject-mismatch",
  });
}
