import { after, describe } from "node:test";
import { testStore } from "../../store/_contract_test.ts";
import { Database } from "../../store/sql/database.ts";
import { createSqlStore } from "../../store/sql/sql_store.ts";
import { testDatabases } from "./databases.ts";

for (const databases of testDatabases()) {
  if (databases.missing !== undefined) console.log(`skipped: ${databases.missing}`);
  describe(
    `createSqlStore() on ${databases.name}`,
    { skip: databases.missing !== undefined },
    () => {
      after(() => databases.dispose());
      testStore("it", async () => createSqlStore(await Database.open(await databases.open())));
    },
  );
}
