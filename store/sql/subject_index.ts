import { utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import { sha256 } from "../../internal/sha256.ts";
import type { SubjectKey } from "../claims.ts";
import type { Compilable, Database } from "./database.ts";

/** Rows of one statement: three values each, and D1 takes a hundred. */
const ROWS_AT_ONCE = 30;
const PLAIN_ALGORITHM = /^[A-Za-z0-9_.+-]{1,64}$/;
const PLAIN_VALUE = /^[A-Za-z0-9_.+:=-]{1,200}$/;

/**
 * A digest as the index has it. What a producer of its own algorithm made up may be too long
 * for an index, or have characters that PostgreSQL cannot keep: then its hash stands for it.
 */
export function indexed({ algorithm, value }: SubjectKey): SubjectKey {
  return {
    algorithm: PLAIN_ALGORITHM.test(algorithm) ? algorithm : hashed(algorithm),
    value: PLAIN_VALUE.test(value) ? value : hashed(value),
  };
}

/** Begins with a character that nothing plain has. */
function hashed(text: string): string {
  return `#${encodeHex(sha256(utf8(text)))}`;
}

/** Statements that make an attestation found by the digests of its subjects. */
export function subjectQueries(
  db: Database,
  id: string,
  keys: readonly SubjectKey[],
): Compilable[] {
  const rows = keys.map((key) => ({ ...indexed(key), attestation_id: id }));
  const queries: Compilable[] = [];
  for (let i = 0; i < rows.length; i += ROWS_AT_ONCE) {
    queries.push(
      db.kysely.insertInto("subjects").values(rows.slice(i, i + ROWS_AT_ONCE))
        .onConflict((conflict) => conflict.doNothing()),
    );
  }
  return queries;
}

/** Ids of attestations that state a subject with one of these digests. */
export function attestationsAbout(db: Database, wanted: readonly SubjectKey[]) {
  return db.kysely.selectFrom("subjects").select("attestation_id").distinct()
    .where(({ eb, and, or }) =>
      or(
        wanted.map(indexed).map(({ algorithm, value }) =>
          and([eb("algorithm", "=", algorithm), eb("value", "=", value)])
        ),
      )
    );
}
