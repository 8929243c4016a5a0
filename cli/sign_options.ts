import type { OptionSpec } from "./args.ts";
import { OUTPUT_OPTIONS, SIGNING_OPTIONS } from "./signing_options.ts";

const CONTENT = "What is signed";

/** Options of `sign`. */
export const SIGN_OPTIONS: readonly OptionSpec[] = [
  {
    name: "dsse",
    group: CONTENT,
    help: "FILE as the payload of a DSSE envelope, in place of a signature over the file itself",
  },
  {
    name: "payload-type",
    value: "TYPE",
    group: CONTENT,
    help: "Type of that payload, such as application/vnd.in-toto+json",
  },
  {
    name: "envelope",
    value: "FILE",
    group: CONTENT,
    help: "DSSE envelope to add a signature to; its payload and signatures stay as they are",
  },
  ...SIGNING_OPTIONS,
  ...OUTPUT_OPTIONS,
];
