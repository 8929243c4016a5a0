#!/usr/bin/env node
/**
 * The command line: `deno run -A cli.ts verify ARTIFACT`, or `attest verify ARTIFACT` where
 * the npm package is installed. Only the modules that a command needs are loaded.
 *
 * @module
 */

// Node tells whether a module is the main one from version 24 on; nobody imports this one.
if (import.meta.main !== false) {
  const { main } = await import("./cli/main.ts");
  if ("Deno" in globalThis) {
    const { denoRuntime } = await import("./cli/runtime_deno.ts");
    Deno.exit(await main(denoRuntime()));
  } else {
    const { nodeRuntime, exit } = await import("./cli/runtime_node.ts");
    exit(await main(nodeRuntime()));
  }
}
