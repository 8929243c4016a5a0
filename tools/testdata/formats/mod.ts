/** Cases of the formats of `formats/`: one function for each; others are added to the list. */

import type { Collection } from "../collection.ts";
import { addAttached } from "./attached.ts";
import { addBills } from "./bills.ts";
import { addContainers } from "./containers.ts";
import { addMinisign, addSignify } from "./detached.ts";
import { addJws } from "./jws.ts";
import { addMetablocks } from "./metablock.ts";
import { addNotation } from "./notation.ts";
import { addNotes } from "./notes.ts";
import { addPaseto } from "./paseto.ts";
import { addTufTargets } from "./tuf.ts";

/** Adds the cases of one or several formats. */
type AddFormat = (collection: Collection) => Promise<void>;

const FORMATS: readonly AddFormat[] = [
  addJws,
  addBills,
  addPaseto,
  addMetablocks,
  addContainers,
  addNotation,
  addMinisign,
  addSignify,
  addNotes,
  addTufTargets,
  addAttached,
];

/** Adds the cases of all formats. */
export async function addFormats(collection: Collection): Promise<void> {
  for (const add of FORMATS) await add(collection);
}
