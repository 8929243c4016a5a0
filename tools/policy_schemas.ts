/** Writes the schemas that `policy schema` prints into the source, from docs/schema/. */

const FILES = { POLICY_SCHEMA: "policy", POLICY_TESTS_SCHEMA: "policy-tests" };

let text = `import type { JsonObject } from "../internal/json.ts";

// Made by tools/policy_schemas.ts of docs/schema/.
`;
for (const [name, file] of Object.entries(FILES)) {
  const path = new URL(`../docs/schema/${file}.schema.json`, import.meta.url);
  const schema = JSON.parse(await Deno.readTextFile(path));
  text += `
/** The JSON Schema of docs/schema/${file}.schema.json. */
export const ${name}: JsonObject = JSON.parse(${JSON.stringify(JSON.stringify(schema))});
`;
}
await Deno.writeTextFile(new URL("../cli/policy_schemas.ts", import.meta.url), text);
