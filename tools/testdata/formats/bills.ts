import { utf8 } from "../../../internal/bytes.ts";
import type { JsonObject } from "../../../internal/json.ts";
import type { Collection } from "../collection.ts";
import { sha256Hex } from "../statements.ts";
import { ARTIFACT, FormatCases } from "./format_cases.ts";
import { compact, signJose } from "./signing.ts";

const HEX = sha256Hex(utf8(ARTIFACT));
const CYCLONEDX: JsonObject = {
  bomFormat: "CycloneDX",
  specVersion: "1.6",
  metadata: {
    component: {
      type: "file",
      name: "artifact.txt",
      hashes: [{ alg: "SHA-256", content: HEX }],
    },
  },
};
const SPDX: JsonObject = {
  spdxVersion: "SPDX-2.3",
  SPDXID: "SPDXRef-DOCUMENT",
  name: "artifact",
  documentNamespace: "https://example.com/spdx/artifact",
  documentDescribes: ["SPDXRef-a"],
  packages: [{
    SPDXID: "SPDXRef-a",
    name: "artifact.txt",
    checksums: [{ algorithm: "SHA256", checksumValue: HEX }],
  }],
};

/** Bills of materials: by themselves, which nobody signed, and in a JWS. */
export async function addBills(collection: Collection): Promise<void> {
  const bills = [["cyclonedx", CYCLONEDX, "CycloneDX 1.6"], ["spdx", SPDX, "SPDX 2.3"]] as const;
  const jws = new FormatCases(collection, "jws", "RFC 7515");
  for (const [format, bill, rule] of bills) {
    const cases = new FormatCases(collection, format, rule);
    await cases.add({
      id: "unsigned",
      why: "nobody signed it",
      document: JSON.stringify(bill, null, 1),
      reason: "unsigned-statement",
    });
    await cases.add({
      id: "own-signature",
      why: "a signature inside of it is reported and not verified",
      document: JSON.stringify({ ...bill, signature: { algorithm: "ES256", value: "" } }, null, 1),
      reason: "unsigned-statement",
    });
    const cty = format === "spdx" ? "spdx+json" : "vnd.cyclonedx+json";
    const document = compact(await signJose({ alg: "EdDSA", cty }, bill));
    await jws.add({ id: format, why: `a signed ${rule} document`, document });
    await jws.add({
      id: `${format}-other-artifact`,
      why: `a signed ${rule} document about another artifact`,
      document,
      artifact: "other\n",
      reason: "subject-mismatch",
    });
  }
  const both = { ...SPDX, bomFormat: "CycloneDX" };
  await new FormatCases(collection, "spdx", "SPDX 2.3; CycloneDX 1.6").add({
    id: "also-cyclonedx",
    why: "the marks of both",
    document: JSON.stringify(both, null, 1),
    reason: "ambiguous-format",
  });
}
