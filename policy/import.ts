import type { Json } from "../internal/json.ts";
import type { ImportedPolicy } from "./_import.ts";
import { importClusterImagePolicies } from "./_import_cluster_image_policy.ts";
import { importLayout } from "./_import_layout.ts";
import { importSlsaVerifier } from "./_import_slsa_verifier.ts";
import { parsePolicy } from "./parse.ts";

export type { ImportedPolicy, NotCarriedOver } from "./_import.ts";

/** What a policy can be made of. */
export type ForeignPolicy =
  | {
    /** ClusterImagePolicies of policy-controller. */
    kind: "cluster-image-policy";
    /** Each document of the YAML file, parsed. */
    documents: readonly Json[];
  }
  | {
    /** A layout of in-toto. */
    kind: "in-toto-layout";
    /** It, or the envelope around it, parsed. Its signatures are not verified. */
    layout: Json;
  }
  | {
    /** A command line of slsa-verifier. */
    kind: "slsa-verifier";
    /** Its words, from the command on. */
    words: readonly string[];
    /** Public keys by their path on that command line. */
    keys?: ReadonlyMap<string, string>;
  };

/**
 * A policy of a document of another tool. It accepts nothing that the other would refuse:
 * a condition that cannot be written here becomes one that never holds, and everything that
 * is not carried over is listed for the reviewer.
 *
 * @throws {AttestationError} `malformed-policy` if the document cannot be read, or if nothing
 * of it can be carried over.
 *
 * @example The flags of slsa-verifier
 * ```ts
 * import { importPolicy } from "@x/attest/policy";
 * import assert from "node:assert/strict";
 *
 * const words = ["verify-artifact", "app.tgz", "--source-uri", "github.com/acme/app"];
 * const { document } = importPolicy({ kind: "slsa-verifier", words });
 * const { provenance } = document.rules[0].require[0].predicate ?? {};
 * assert.equal(provenance?.sourceUri, "github.com/acme/app");
 * ```
 */
export function importPolicy(source: ForeignPolicy): ImportedPolicy {
  const { document, notCarriedOver } = source.kind === "cluster-image-policy"
    ? importClusterImagePolicies(source.documents)
    : source.kind === "in-toto-layout"
    ? importLayout(source.layout)
    : importSlsaVerifier(source.words, source.keys ?? new Map());
  return { document: parsePolicy(document), notCarriedOver };
}
