/**
 * `serve`, as far as it goes before it opens anything: it goes on when a byte comes. So the next
 * server is loaded, and what it runs compiled, while the one before is under load. Deno only.
 */

import { main } from "../../cli/main.ts";
import { denoRuntime } from "../../cli/runtime_deno.ts";
// What the command loads on use.
import "../../cli/http_deno.ts";
import "../../cli/serve.ts";
import "../../cli/serve_policy.ts";
import "../../store/sql/api_keys.ts";
import { compilePolicy, parsePolicy } from "../../policy/mod.ts";
import { createRegistry } from "../../server/mod.ts";
import { Database } from "../../store/sql/database.ts";
import { sqliteDriver } from "../../store/sql/sqlite.ts";

const database = await Database.open(sqliteDriver(":memory:"));
const policy = await compilePolicy(
  parsePolicy(await Deno.readTextFile(Deno.args[Deno.args.indexOf("--policy") + 1])),
);
const { handler } = createRegistry({
  database,
  policy: () => Promise.resolve({ version: "1", policy }),
  unsafelyAcceptAnyWriter: true,
});
await (await handler(
  new Request("http://localhost/v1/registry/urn:acme:a", {
    method: "PUT",
    headers: { "content-type": "application/json" },
    body: '{"urn":"urn:acme:a","card":{}}',
  }),
)).text();
await database.close();

if (await Deno.stdin.read(new Uint8Array(1)) !== null) Deno.exit(await main(denoRuntime()));
