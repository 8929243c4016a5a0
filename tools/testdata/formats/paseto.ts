import type { Reason } from "../../../errors.ts";
import { encodePieces } from "../../../formats/paseto.ts";
import { encodeBase64 } from "../../../internal/base64.ts";
import { concat, utf8 } from "../../../internal/bytes.ts";
import type { Json } from "../../../internal/json.ts";
import { testKey } from "../../pki/keys.ts";
import type { Collection } from "../collection.ts";
import { statementAbout } from "../statements.ts";
import { ARTIFACT, FormatCases } from "./format_cases.ts";
import { b64, signRaw } from "./signing.ts";

const STATEMENT = statementAbout(utf8(ARTIFACT));

interface Token {
  version?: "v3" | "v4";
  message?: Json;
  footer?: string;
  implicit?: string;
  key?: string;
}

async function sign(token: Token): Promise<{ body: Uint8Array; token: string }> {
  const { version = "v4", message = STATEMENT, footer = "", implicit = "" } = token;
  const name = token.key ?? (version === "v4" ? "dsse-ed25519" : "dsse-p384");
  const text = utf8(JSON.stringify(message));
  const pieces = [utf8(`${version}.public.`), text, utf8(footer), utf8(implicit)];
  if (version === "v3") {
    const point = (await testKey(name)).spki.slice(-97);
    pieces.unshift(concat(Uint8Array.of(2 + (point[96] & 1)), point.subarray(1, 49)));
  }
  const body = concat(text, await signRaw(name, encodePieces(...pieces)));
  const end = footer === "" ? "" : `.${b64(footer)}`;
  return { body, token: `${version}.public.${b64(body)}${end}` };
}

/** PASETO. */
export async function addPaseto(collection: Collection): Promise<void> {
  const cases = new FormatCases(collection, "paseto", "PASETO, versions 3 and 4");
  const { body, token } = await sign({});
  await cases.add({ id: "v4", why: "version 4, Ed25519", document: token });
  const third = await sign({ version: "v3" });
  const p384 = { keys: ["dsse-p384"] };
  await cases.add({ id: "v3", why: "version 3, P-384", document: third.token, ...p384 });
  const footed = await sign({ footer: "a" });
  await cases.add({ id: "footer", why: "a footer, which is signed", document: footed.token });
  const bound = await sign({ implicit: "tenant" });
  const options = { implicitAssertion: "tenant" };
  await cases.add({ id: "implicit", why: "what both sides know", document: bound.token, options });
  await cases.add({
    id: "implicit-missing",
    why: "an implicit assertion was signed, and none is given",
    document: bound.token,
    reason: "invalid-signature",
  });
  await cases.add({
    id: "v4-with-p384-key",
    why: "a token of version 4 and a key of version 3",
    document: token,
    ...p384,
    reason: "key-algorithm-mismatch",
  });
  const other = await sign({ footer: "b" });
  const changed = body.slice();
  changed[0] ^= 1;
  const exp = "2025-02-01T00:00:00Z";
  const claims = { sub: "artifact", exp };
  const bad: [id: string, why: string, document: string, reason: Reason][] = [
    [
      "v2",
      "the same under the name of version 2",
      token.replace("v4", "v2"),
      "unsupported-algorithm",
    ],
    [
      "v3-name",
      "the same under the name of version 3",
      token.replace("v4", "v3"),
      "key-algorithm-mismatch",
    ],
    ["local", "a secret token", token.replace("public", "local"), "unsupported-algorithm"],
    [
      "footer-swapped",
      "the footer of another token",
      `${footed.token.replace(/\.[^.]+$/, "")}.${other.token.split(".")[3]}`,
      "invalid-signature",
    ],
    ["footer-cut", "without its footer", footed.token.replace(/\.[^.]+$/, ""), "invalid-signature"],
    ["standard-base64", "standard base64", `v4.public.${encodeBase64(body)}`, "malformed-envelope"],
    [
      "short",
      "shorter than a signature",
      `v4.public.${b64(body.slice(0, 63))}`,
      "malformed-envelope",
    ],
    ["altered", "another message", `v4.public.${b64(changed)}`, "invalid-signature"],
    [
      "expired",
      "claims that have expired",
      (await sign({ message: claims })).token,
      "attestation-expired",
    ],
    ["stranger", "a stranger's token", (await sign({ key: "witness" })).token, "invalid-signature"],
  ];
  for (const [id, why, document, reason] of bad) await cases.add({ id, why, document, reason });
}
