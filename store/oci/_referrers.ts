import { AttestationError } from "../../errors.ts";
import type { HttpAnswer } from "../../internal/http.ts";
import type { Connection } from "./_connection.ts";
import { checkOciDigest } from "./_names.ts";
import { refusePage } from "./_page.ts";
import { MAX_MANIFEST_BYTES, readDescriptors, readDocument } from "./manifest.ts";
import { EMPTY_TYPE } from "./media_types.ts";
import type { OciDescriptor, OciManifest, OciNote, OciOptions, OciReferrers } from "./source.ts";

/** What is asked for. */
export interface ReferrersQuery extends OciOptions {
  digest: string;
  artifactType?: string;
  maxReferrers: number;
}

/** What a tag names, with the ETag of the answer. */
export interface TagReader {
  readonly name: string;
  tagged(
    name: string,
    options?: OciOptions,
  ): Promise<{ manifest: OciManifest; etag?: string } | undefined>;
}

/** Statuses of registries that do not know the path. */
const NO_API: readonly number[] = [400, 404, 405, 501];
const MAX_PAGES = 200;

/** Tag of the index that lists referrers where there is no API. Source: OCI 1.1, "Referrers tag schema". */
export function fallbackTag(digest: string): string {
  const colon = digest.indexOf(":");
  return `${digest.slice(0, Math.min(colon, 32))}-${digest.slice(colon + 1, colon + 65)}`;
}

/** Lists what refers to a digest: by the API, or by the fallback tag where there is none. */
export async function listReferrers(
  connection: Connection,
  tags: TagReader,
  query: ReferrersQuery,
): Promise<OciReferrers> {
  const { digest } = query;
  checkOciDigest(digest);
  const notes: OciNote[] = [];
  const listed = await askApi(connection, query, notes);
  if (listed !== undefined) {
    const source = `${connection.name}, referrers of ${digest}`;
    return { via: "referrers-api", source, manifests: select(listed, query), notes };
  }
  const tag = fallbackTag(digest);
  const source = `${connection.name}:${tag}`;
  const found = await tags.tagged(tag, query);
  if (found === undefined) return { via: "none", source, manifests: [], notes };
  if (found.manifest.kind !== "index") {
    notes.push({
      reason: "malformed-image-manifest",
      message: `${source} is no index, so it lists no referrers`,
    });
    return { via: "fallback-tag", source, manifests: [], notes };
  }
  const { manifests } = found.manifest;
  if (manifests.length > query.maxReferrers) throw tooMany(source, query);
  return { via: "fallback-tag", source, manifests: select(manifests, query), notes };
}

/** All pages of the API; undefined where there is no API. */
export async function askApi(
  connection: Connection,
  { digest, artifactType, maxReferrers, signal }: ReferrersQuery,
  notes: OciNote[],
): Promise<OciDescriptor[] | undefined> {
  const action = `list referrers of ${connection.name}@${digest}`;
  const filter = artifactType === undefined
    ? ""
    : `?artifactType=${encodeURIComponent(artifactType)}`;
  const manifests: OciDescriptor[] = [];
  let to: string | URL | undefined = `referrers/${digest}${filter}`;
  for (let pages = 0; to !== undefined; pages++) {
    const answer: HttpAnswer = await connection.ask(action, {
      to,
      accept: pages === 0 ? [200, ...NO_API] : [200],
      limits: { maxBytes: MAX_MANIFEST_BYTES, ...(signal === undefined ? {} : { signal }) },
    });
    if (answer.status !== 200) {
      if (answer.status !== 404) {
        notes.push({
          reason: "service-refused",
          message: `${connection.name} answers ${answer.status} when asked for referrers: ` +
            "taken for a registry without the API",
        });
      }
      return undefined;
    }
    refusePage(action, answer);
    const read = readDescriptors(
      readDocument(answer.body, `referrers of ${connection.name}`),
      `referrers of ${connection.name}`,
    );
    manifests.push(...read.manifests);
    for (const { reason, message } of read.faults.slice(0, 16)) notes.push({ reason, message });
    if (manifests.length > maxReferrers || pages >= MAX_PAGES) {
      throw tooMany(connection.name, { digest, maxReferrers });
    }
    to = connection.nextPage(action, answer);
  }
  return manifests;
}

/**
 * Those of the type that is asked for. A registry that states the type of an empty config, or
 * none, hides the real one: such an entry stays in.
 */
function select(
  manifests: readonly OciDescriptor[],
  { artifactType }: Pick<ReferrersQuery, "artifactType">,
): OciDescriptor[] {
  return unique(manifests).filter(({ artifactType: listed = EMPTY_TYPE }) =>
    artifactType === undefined || listed === artifactType || listed === EMPTY_TYPE
  );
}

/** Each digest once. */
export function unique(manifests: readonly OciDescriptor[]): OciDescriptor[] {
  const seen = new Set<string>();
  return manifests.filter(({ digest }) => seen.size < seen.add(digest).size);
}

function tooMany(
  source: string,
  { digest, maxReferrers }: Pick<ReferrersQuery, "digest" | "maxReferrers">,
): AttestationError {
  return new AttestationError(
    "limit-exceeded",
    `Cannot list referrers of ${digest} in ${source}: more than ${maxReferrers}, or on too ` +
      "many pages",
  );
}
