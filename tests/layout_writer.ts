/** Puts attestations into a layout until it is stopped: one process of `layout_folder_test.ts`. */

import process from "node:process";
import { attestation, digestOf } from "../store/_contract_test.ts";
import { createLayoutFolder } from "../store/fs.ts";
import { createOciStore } from "../store/oci/mod.ts";

const [folder, name, count = "100000"] = process.argv.slice(2);
const store = createOciStore(createLayoutFolder(folder));
for (let i = 0; i < Number(count); i++) {
  const { id } = await store.put(attestation([digestOf("app")], `${name} ${i}`));
  // What is told here has been acknowledged.
  process.stdout.write(`${id}\n`);
}
