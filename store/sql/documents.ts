import { AttestationError } from "../../errors.ts";
import type { Bytes } from "../../internal/bytes.ts";
import { asBytes } from "../../internal/bytes.ts";
import { digest } from "../../internal/digest.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { Database } from "./database.ts";

/** A document that is in force. */
export interface ActiveDocument {
  /** `sha256:` and hex of its bytes. */
  digest: string;
  /** Byte for byte. */
  content: Bytes;
}

/**
 * Keeps a document and puts it in force, for every registry on this database. Check it first:
 * nothing is read of it here.
 *
 * @param name What it is: `policy`.
 * @returns Its digest.
 * @throws {AttestationError} `store-unavailable`.
 */
export async function activateDocument(
  db: Database,
  name: string,
  content: Uint8Array,
): Promise<string> {
  const bytes = asBytes(content);
  const id = `sha256:${encodeHex(await digest("SHA-256", bytes))}`;
  const time = Date.now();
  const setting = { value: id, updated_at: time };
  await db.batch([
    db.kysely.insertInto("documents")
      .values({ digest: id, kind: name, content: bytes, created_at: time })
      .onConflict((conflict) => conflict.doNothing()),
    db.kysely.insertInto("settings").values({ name, ...setting })
      .onConflict((conflict) => conflict.column("name").doUpdateSet(setting)),
    db.kysely.insertInto("decisions").values({
      ...{ id: crypto.randomUUID(), decided_at: time, actor: name, action: `${name}-changed` },
      ...{ urn: null, digest: id, revision: null, mode: null, policy_digest: null },
      ...{ outcome: "accepted", verdict: "NONE", reason: null, report: null },
    }),
  ]);
  return id;
}

/**
 * The document that is in force; undefined if none is.
 *
 * @throws {AttestationError} `store-unavailable`; `content-mismatch` if it was altered.
 */
export async function activeDocument(
  db: Database,
  name: string,
): Promise<ActiveDocument | undefined> {
  const row = await db.kysely.selectFrom("settings as s")
    .innerJoin("documents as d", "d.digest", "s.value")
    .select(["d.digest", "d.content"]).where("s.name", "=", name).executeTakeFirst();
  if (row === undefined) return undefined;
  const content = asBytes(row.content);
  if (`sha256:${encodeHex(await digest("SHA-256", content))}` === row.digest) {
    return { digest: row.digest, content };
  }
  throw new AttestationError("content-mismatch", `Cannot read ${name}: it was altered`);
}
