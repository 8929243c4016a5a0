import { AttestationError } from "../errors.ts";

/** `.ts` in a checkout, `.js` in the npm package. */
const EXTENSION = import.meta.url.slice(import.meta.url.lastIndexOf("."));

/**
 * Imports a file of the command line when it is needed, by its name from `cli/` on.
 *
 * Before Deno runs anything it reads every module that an import names, also one that is
 * imported on use: 343 of them, whatever the command. The name of this import it cannot see; so
 * it asks for the permission to read the program, as it does for any other file.
 */
export async function load<Module>(name: string): Promise<Module> {
  const file = `./${name}${EXTENSION}`;
  try {
    return await import(file);
  } catch (cause) {
    if (!(cause instanceof TypeError) || !/--allow-(?:read|import)/.test(cause.message)) {
      throw cause;
    }
    throw new AttestationError(
      "unreadable-file",
      "Cannot load the program: Deno may not read its own files; allow it with --allow-read",
      { cause },
    );
  }
}
