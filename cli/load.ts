/** `.ts` in a checkout, `.js` in the npm package. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/**
 * Imports a file of the command line when it is needed, by its name from `cli/` on.
 *
 * Before Deno runs anything it reads every module that an import names, also one that is
 * imported on use: 343 of them, whatever the command. The name of this import it cannot see.
 */
export function load<Module>(name: string): Promise<Module> {
  const file = `./${name}${EXTENSION}`;
  return import(file);
}
