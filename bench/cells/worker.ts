/**
 * The same cells as a worker. `GET /CELL?n=N` does one of them N times; its CPU time is read
 * from outside.
 */

import { pae, parseEnvelope, verifyEnvelope } from "../../dsse/mod.ts";
import { parseStatement } from "../../intoto/mod.ts";
import { importTrustedKey } from "../../keys/mod.ts";
import { derToP1363 } from "../../keys/ecdsa_signature.ts";
import { parseTrustedRoot, verifySigstoreBundle } from "../../sigstore/mod.ts";
import { floorOf, recordChecks } from "../floor.ts";

interface Files {
  envelope: string;
  pem: string;
  root: string;
  bundle: string;
}

type Cells = Record<string, () => Promise<unknown>>;

async function dsseCells({ envelope, pem }: Files): Promise<Cells> {
  const trusted = await importTrustedKey(pem);
  const imported = { name: "ECDSA", namedCurve: "P-256" };
  const params = { name: "ECDSA", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("spki", trusted.spki, imported, true, ["verify"]);
  const { payloadType, payload, signatures } = parseEnvelope(envelope);
  const signature = derToP1363(signatures[0].sig, 32)!, signed = pae(payloadType, payload);
  return {
    async raw() {
      if (!await crypto.subtle.verify(params, key, signature, signed)) throw new Error("refused");
    },
    async dsse() {
      const result = await verifyEnvelope(envelope, { keys: [trusted] });
      if (!result.ok) throw result.error;
      parseStatement(result.payload);
    },
  };
}

async function keylessCells({ root, bundle }: Files): Promise<Cells> {
  const trust = { trustedRoots: [parseTrustedRoot(root)], unsafelyAcceptAnyIdentity: true };
  async function keyless(): Promise<void> {
    const result = await verifySigstoreBundle(bundle, trust);
    if (!result.ok) throw result.error;
  }
  return { floor: floorOf(await recordChecks(keyless), bundle), keyless };
}

let cells: Cells | undefined;

export default {
  async fetch(request: Request, files: Files): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    try {
      cells ??= { ...await dsseCells(files), ...await keylessCells(files) };
      const cell = cells[pathname.slice(1)];
      for (let n = Number(searchParams.get("n")); n > 0; n--) await cell();
      return new Response("done");
    } catch (error) {
      return new Response(error instanceof Error ? error.stack : String(error), { status: 500 });
    }
  },
};
