import { AttestationError } from "../errors.ts";
import { decodeUtf8, isObject, type Json, parseJson, quote } from "../internal/json.ts";
import { checkUrn } from "../internal/urn.ts";
import { hexOfId } from "../store/claims.ts";
import {
  findProvenance,
  getManifest,
  getProvenance,
  listManifests,
  type ManifestEntry,
  type ProvenanceRecord,
} from "../store/sql/manifests.ts";
import { json } from "./answers.ts";
import { etagOf, type RegistryContext } from "./context.ts";
import { notFound } from "./put.ts";
import { encodeCursor, Query } from "./query.ts";

const MAX_LIMIT = 500;
const VERDICTS = ["PASSED", "FAILED"] as const;
/** Bytes of the envelopes of one page. */
const MAX_PAGE_BYTES = 16 << 20;

/** `GET /v1/registry/:urn`. */
export async function readManifest(
  request: Request,
  urn: string,
  { settings: { database } }: RegistryContext,
): Promise<Response> {
  checkUrn(urn);
  const version = new Query(request, ["version"]).number("version", Number.MAX_SAFE_INTEGER);
  const manifest = await getManifest(database, urn, version === undefined ? {} : { version });
  if (manifest === undefined) throw notFound(urn);
  const etag = etagOf(manifest);
  const known = request.headers.get("if-none-match") ?? "";
  // Of an older version no tag is given: it could be taken for one of the newest.
  const headers = version === undefined ? { etag, "cache-control": "no-cache" } : undefined;
  if (version === undefined && known.split(",").some((one) => sameTag(one, etag))) {
    return new Response(null, { status: 304, headers: { etag } });
  }
  return json(200, manifest, headers);
}

/** `GET /v1/registry`. */
export async function readList(
  request: Request,
  { settings: { database } }: RegistryContext,
): Promise<Response> {
  const query = new Query(request, [
    ...["prefix", "q", "builder", "issuer", "verdict", "digest", "limit", "cursor"],
  ]);
  const prefix = query.text("prefix");
  const text = query.text("q");
  if (prefix !== undefined && !/^[\x21-\x7e]*$/.test(prefix)) refuseText("prefix", prefix);
  const limit = query.number("limit", MAX_LIMIT) ?? 100;
  const [after] = query.cursor(["string"]) ?? [];
  const found = await listManifests(database, {
    ...given("prefix", prefix),
    ...given("text", text),
    ...given("builder", query.text("builder")),
    ...given("issuer", query.text("issuer")),
    ...given("digest", query.text("digest")),
    ...given("verdict", query.word("verdict", VERDICTS)),
    ...given("after", after === undefined ? undefined : String(after)),
    limit: limit + 1,
  });
  const manifests = found.slice(0, limit);
  const last: ManifestEntry | undefined = found.length > limit ? manifests.at(-1) : undefined;
  return json(200, {
    manifests,
    ...(last === undefined ? {} : { cursor: encodeCursor([last.urn]) }),
  });
}

/** `GET /v1/registry/:urn/provenance`. */
export async function readHistory(
  request: Request,
  urn: string,
  { settings: { database } }: RegistryContext,
): Promise<Response> {
  checkUrn(urn);
  const query = new Query(request, ["limit", "cursor"]);
  const limit = query.number("limit", MAX_LIMIT) ?? 50;
  const place = query.cursor(["number", "string", "string"]);
  const found = await getProvenance(database, urn, {
    limit: limit + 1,
    maxBytes: MAX_PAGE_BYTES,
    ...(place === undefined ? {} : {
      before: {
        committedAt: new Date(Number(place[0])),
        id: String(place[1]),
        digest: String(place[2]),
      },
    }),
  });
  if (found.length === 0 && place === undefined) {
    if (await getManifest(database, urn) === undefined) throw notFound(urn);
  }
  const records = found.slice(0, limit);
  // A page may be shorter than its limit, because of its bytes: only an empty one is the last.
  const last = records.at(-1);
  const next = last === undefined ? undefined : await getProvenance(database, urn, {
    limit: 1,
    before: last,
  });
  return json(200, {
    urn,
    records: records.map((record) => ({ ...factsOf(record), envelope: textOf(record) })),
    ...(last === undefined || next?.length === 0
      ? {}
      : { cursor: encodeCursor([last.committedAt.getTime(), last.id, last.digest]) }),
  });
}

/**
 * `GET /v1/attestations/:digest`: those that state a subject with the digest `alg:value`, each
 * as `bundle`, as other services answer it.
 */
export async function readAttestations(
  request: Request,
  subject: string,
  { settings: { database } }: RegistryContext,
): Promise<Response> {
  const colon = subject.indexOf(":");
  if (colon < 1) refuseText("digest", subject);
  const query = new Query(request, ["limit", "cursor"]);
  const limit = query.number("limit", MAX_LIMIT) ?? 30;
  const place = query.cursor(["string", "string", "string"])?.map(String);
  const digest = { [subject.slice(0, colon)]: subject.slice(colon + 1) };
  const found = await findProvenance(database, digest, {
    limit: limit + 1,
    ...(place === undefined ? {} : { after: { id: place[0], urn: place[1], digest: place[2] } }),
  });
  const records = found.slice(0, limit);
  const last = found.length > limit ? records.at(-1) : undefined;
  return json(200, {
    attestations: records.map((record) => ({ ...factsOf(record), bundle: bundleOf(record) })),
    ...(last === undefined ? {} : { cursor: encodeCursor([last.id, last.urn, last.digest]) }),
  });
}

/** `GET /v1/envelopes/:id`: the very bytes that were put. */
export async function readEnvelope(
  id: string,
  { settings: { database } }: RegistryContext,
): Promise<Response> {
  hexOfId(id);
  const row = await database.kysely.selectFrom("provenance")
    .select(["envelope", "attestation_id", "format"])
    .where("attestation_id", "=", id).where("urn", "<>", "").limit(1).executeTakeFirst();
  if (row === undefined) {
    throw new AttestationError("manifest-not-found", `Cannot find attestation ${quote(id)}`);
  }
  return new Response(await database.envelopeOf(row), {
    headers: {
      "content-type": row.format === "unknown" ? "application/octet-stream" : "application/json",
      "x-content-type-options": "nosniff",
      "content-disposition": "attachment",
      "cache-control": "max-age=31536000, immutable",
    },
  });
}

/** `GET /v1/registry/:urn/versions`. */
export async function readVersions(
  request: Request,
  urn: string,
  { settings: { database } }: RegistryContext,
): Promise<Response> {
  checkUrn(urn);
  const query = new Query(request, ["limit", "cursor"]);
  const limit = query.number("limit", MAX_LIMIT) ?? 100;
  const [before] = query.cursor(["number"]) ?? [];
  let statement = database.kysely.selectFrom("manifest_versions")
    .select(["version", "digest", "committed_at", "actor", "verdict", "reason"])
    .where("urn", "=", urn).orderBy("version", "desc").limit(limit + 1);
  if (before !== undefined) statement = statement.where("version", "<", Number(before));
  const rows = await statement.execute();
  if (rows.length === 0 && before === undefined) throw notFound(urn);
  const versions = rows.slice(0, limit).map(({ committed_at, ...row }) => ({
    ...row,
    committedAt: new Date(committed_at),
  }));
  const last = rows.length > limit ? versions.at(-1) : undefined;
  return json(200, {
    urn,
    versions,
    ...(last === undefined ? {} : { cursor: encodeCursor([last.version]) }),
  });
}

/** A record without its envelope. */
function factsOf(record: ProvenanceRecord): Omit<ProvenanceRecord, "envelope"> {
  const { envelope: _, ...facts } = record;
  return facts;
}

/** The envelope as text; what is no text is left out, `/v1/envelopes/:id` has it. */
function textOf({ envelope }: ProvenanceRecord): string | null {
  try {
    return decodeUtf8(envelope);
  } catch {
    return null;
  }
}

function bundleOf({ envelope }: ProvenanceRecord): Json {
  try {
    const value = parseJson(envelope);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [name in Name]?: Value } {
  return value === undefined ? {} : { [name]: value } as { [name in Name]?: Value };
}

function sameTag(text: string, etag: string): boolean {
  const tag = text.trim();
  return tag === "*" || tag === etag || tag === `W/${etag}`;
}

function refuseText(name: string, text: string): never {
  throw new AttestationError("malformed-query", `Cannot read address: ${name} is ${quote(text)}`);
}
