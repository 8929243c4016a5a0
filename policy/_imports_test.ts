import type { Json, JsonObject } from "../internal/json.ts";
import { type ImportedPolicy, importPolicy, type NotCarriedOver } from "./import.ts";

export const SIGNATURE = "https://sigstore.dev/cosign/sign/v1";

export function cip(spec: Json, metadata: Json = { name: "images" }): JsonObject {
  return { apiVersion: "policy.sigstore.dev/v1beta1", kind: "ClusterImagePolicy", metadata, spec };
}

/** What is made of documents of policy-controller. */
export function imported(...documents: Json[]): ImportedPolicy {
  return importPolicy({ kind: "cluster-image-policy", documents });
}

/** The losses of authorities whose one signature is asked for: each has that one. */
export function ofSignatures(count: number): NotCarriedOver[] {
  return Array.from({ length: count }, (_, i) => ({
    path: `/spec/authorities/${i}`,
    what: "signature of the image",
    why: `Only signatures as attestations of the type ${SIGNATURE} count, not those of ` +
      "simple signing",
  }));
}
