/** Prints the sizes of verify-only bundles: `deno task size`. Exit 1 above a budget. */

import process from "node:process";
import { bundleSize } from "./bundle.ts";

/** What an application imports, and the bytes of gzip that it may carry for it. */
export const BUDGETS: readonly Budget[] = [
  {
    name: "DSSE + Statement",
    code:
      'export { verifyEnvelope } from "@x/attest/dsse"; export { parseStatement } from "@x/attest/intoto";',
    // Readers of key files: who brings imported keys does not carry them.
    lazy: /^keys\//,
    goal: 2500,
    limit: 6500,
  },
  {
    name: "keyless bundle: verifySigstoreBundle()",
    code: 'export { parseTrustedRoot, verifySigstoreBundle } from "@x/attest/sigstore";',
    // Key sets are for what is signed with a key.
    lazy: /^keys\/key_validity/,
    goal: 18000,
    limit: 26700,
  },
  {
    name: "keyless report: verify()",
    code: 'export { verify } from "@x/attest/verify";',
    // The public-good root is data, and left out by `onlyRoot`; predicates are judged only
    // where something is expected of them; key sets are for what is signed with a key; layers
    // under the tags of cosign are for images; other formats are loaded when one is met.
    lazy:
      /^(sigstore\/(roots\/|public_good|cosign_layer)|slsa\/|keys\/key_validity|internal\/blake2b|policy\/|formats\/|verify\/(policy|evidence|foreign|cosign)\.ts)/,
    goal: 18000,
    limit: 39800,
  },
];

/** A bundle that must stay small. */
export interface Budget {
  /** What it can do. */
  name: string;
  /** What the application imports. */
  code: string;
  /** Sources that are loaded on use, and not for this use. */
  lazy: RegExp;
  /** Bytes of gzip that the design asks for. */
  goal: number;
  /** Bytes of gzip that it must not exceed; above `goal` only while the goal is missed. */
  limit: number;
}

if (import.meta.main) {
  let over = 0;
  for (const { name, code, lazy, goal, limit } of BUDGETS) {
    const size = await bundleSize(code, lazy);
    const good = size.gzip <= limit && size.packages.length === 0;
    if (!good) over++;
    console.log(
      `${good ? "ok  " : "OVER"} ${name}: ${size.gzip} bytes gzip, limit ${limit}, goal ${goal}${
        size.gzip > goal ? " (missed)" : ""
      }, ${size.minified} minified, ` +
        `packages: ${size.packages.join(" ") || "none"}`,
    );
    for (const [path, bytes] of size.inputs.slice(0, 30)) console.log(`       ${bytes} ${path}`);
  }
  process.exit(over === 0 ? 0 : 1);
}
