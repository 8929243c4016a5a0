/** Bundles of real instances, from the vectors of other projects when they are at hand. */

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { isObject, type JsonObject, parseJson } from "../../internal/json.ts";
import { importTrustedKey, type TrustedKey } from "../../keys/mod.ts";
import { parseTrustedRoot, type TrustedRoot } from "../../sigstore/mod.ts";
import type { ArtifactInput, Trust } from "../../verify/options.ts";
import type { VectorIndex } from "../vectors/cases.ts";
import { valueAt } from "../fixtures/sigstore.ts";
import { judge, type Sample } from "./splices.ts";

const FOLDER = new URL("../../../shared/vectors/", import.meta.url);

/** The good bundles there, one per signature, and everybody who signed them; none if they are absent. */
export async function realSamples(): Promise<{ all: Sample[]; trust: Trust }> {
  const all: Sample[] = [];
  const roots = new Map<string, TrustedRoot>();
  const keys = new Map<string, TrustedKey>();
  const index = fileURLToPath(new URL("index.json", FOLDER));
  if (!existsSync(index)) return { all, trust: {} };
  const read = (path: string) => new Uint8Array(readFileSync(new URL(path, FOLDER)));
  const seen = new Set<unknown>();
  const { cases }: VectorIndex = JSON.parse(readFileSync(index, "utf8"));
  for (const { id, kind, expected, scope, files, options = {} } of cases) {
    if (kind !== "sigstore-bundle" || expected !== "pass" || scope !== "full") continue;
    const { bundle, trustedRoot, key, artifact } = files;
    if (typeof bundle !== "string") continue;
    const source = new TextDecoder().decode(read(bundle));
    const json = parseJson(source) as JsonObject;
    const signature = valueAt(json, "/messageSignature/signature") ??
      valueAt(json, "/dsseEnvelope/signatures/0/sig");
    // What is evidence for one bundle with this signature is evidence for each.
    if (seen.has(signature)) continue;
    seen.add(signature);
    for (const path of [trustedRoot ?? []].flat()) {
      const text = new TextDecoder().decode(read(path));
      if (!roots.has(text)) roots.set(text, parseTrustedRoot(text, { name: path }));
    }
    for (const path of [key ?? []].flat()) {
      const text = new TextDecoder().decode(read(path));
      if (!keys.has(text)) keys.set(text, await importTrustedKey(text, { name: path }));
    }
    const digest = options.artifactDigest;
    const about: ArtifactInput | undefined = typeof artifact === "string"
      ? read(artifact)
      : isObject(digest)
      ? { digest: digest as Record<string, string> }
      : undefined;
    all.push(about === undefined ? { name: id, json } : { name: id, json, artifact: about });
  }
  const trust: Trust = { trustedRoots: [...roots.values()], keys: [...keys.values()] };
  const good = await Promise.all(
    all.map(async (one) => (await judge(one, trust)).ok),
  );
  return { all: all.filter((_, i) => good[i]), trust };
}
