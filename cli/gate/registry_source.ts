import { AttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { type HttpOptions, jsonAnswer, request } from "../../internal/http.ts";
import { isObject, type JsonObject, jsonText, quote } from "../../internal/json.ts";
import type { DigestSet } from "../../intoto/digest_set.ts";
import { usageError } from "../args.ts";
import type { NamedAttestation } from "../attestations.ts";
import type { Runtime } from "../runtime.ts";
import type { ProvenanceSource, UrnRecord } from "./sources.ts";

/** Pages of one answer that are read. */
const MAX_PAGES = 20;
const MAX_PAGE_BYTES = 64 << 20;
const NOT_FOUND = 404;

/**
 * A registry as a source. What it answers is a claim: the digest of a URN that it states decides
 * only where a rule asks for the stored one.
 *
 * @param address Its base, such as `https://registry.acme.example`.
 */
export function openRegistrySource(address: string, runtime: Runtime): ProvenanceSource {
  if (!URL.canParse(address) || /[?#]/.test(address)) {
    throw usageError(`--registry is the address of a registry, not ${quote(address)}`);
  }
  const base = address.replace(/\/+$/, "");
  // Where a secret is withheld, as from the pull request of a fork, the variable is empty.
  const key = runtime.env("ATTEST_API_KEY") || undefined;
  const options: HttpOptions = {
    maxBytes: MAX_PAGE_BYTES,
    ...(runtime.fetch === undefined ? {} : { fetch: runtime.fetch }),
    ...(runtime.sleep === undefined ? {} : { sleep: runtime.sleep }),
  };
  const headers = {
    accept: "application/json",
    ...(key === undefined ? {} : { "x-api-key": key }),
  };

  /** An answer; undefined if there is nothing of that name. */
  async function get(action: string, path: string): Promise<JsonObject | undefined> {
    try {
      const answer = await request(action, `${base}${path}`, {
        headers,
        accept: [200, NOT_FOUND],
      }, options);
      const value = jsonAnswer(action, answer);
      // Something else at that address has no such path either: it must say that it looked.
      if (answer.status !== NOT_FOUND) return value;
      if (value.reason === "manifest-not-found") return;
      throw new AttestationError(
        "service-refused",
        `Cannot ${action}: ${quote(base)} is no registry`,
      );
    } catch (cause) {
      throw new AttestationError("store-unavailable", `Cannot ${action}`, { cause });
    }
  }

  /** The entries of all pages. */
  async function all(action: string, path: string, name: string): Promise<JsonObject[]> {
    const found: JsonObject[] = [];
    let cursor = "";
    for (let page = 0; page < MAX_PAGES; page++) {
      const answer = await get(action, cursor === "" ? path : `${path}?cursor=${cursor}`);
      if (answer === undefined) return found;
      const list = answer[name];
      if (!Array.isArray(list) || !list.every(isObject)) throw malformed(action, name);
      found.push(...list);
      if (answer.cursor === undefined) return found;
      if (typeof answer.cursor !== "string") throw malformed(action, "cursor");
      cursor = encodeURIComponent(answer.cursor);
    }
    throw new AttestationError(
      "store-unavailable",
      `Cannot ${action}: there are more than ${MAX_PAGES} pages`,
    );
  }

  return {
    name: "the registry",
    async byDigest(digest: DigestSet): Promise<NamedAttestation[]> {
      const found: NamedAttestation[] = [];
      for (const [algorithm, value] of Object.entries(digest)) {
        const action = "ask the registry for attestations";
        const path = `/v1/attestations/${encodeURIComponent(`${algorithm}:${value}`)}`;
        for (const { id, bundle } of await all(action, path, "attestations")) {
          // Null stands for bytes that are no JSON: nothing verifies them.
          if (!isObject(bundle)) continue;
          found.push({ source: `registry ${jsonText(id)}`, content: bundle });
        }
      }
      return found;
    },
    async byUrn(urn: string): Promise<UrnRecord | undefined> {
      const action = "ask the registry for a manifest";
      const path = `/v1/registry/${encodeURIComponent(urn)}`;
      const manifest = await get(action, path);
      if (manifest === undefined) return undefined;
      const { digest } = manifest;
      if (typeof digest !== "string" || !/^sha256:[0-9a-f]{64}$/.test(digest)) {
        throw malformed(action, "digest");
      }
      const records = await all(action, `${path}/provenance`, "records");
      return {
        digest: { sha256: digest.slice("sha256:".length) },
        attestations: records.flatMap(({ digest: about, id, envelope }) =>
          about === digest && typeof envelope === "string"
            ? [{ source: `${urn} ${jsonText(id)}`, content: utf8(envelope) }]
            : []
        ),
      };
    },
  };
}

function malformed(action: string, member: string): AttestationError {
  return new AttestationError(
    "store-unavailable",
    `Cannot ${action}: its answer has no ${member} of the right form`,
  );
}
