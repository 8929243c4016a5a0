import type { OptionSpec } from "./args.ts";

const CHAIN = "Supply chain, by an in-toto layout";

/** Options of `verify` that make files what the last step of a supply chain has to have made. */
export const LAYOUT_OPTIONS: readonly OptionSpec[] = [
  {
    name: "layout",
    value: "FILE",
    group: CHAIN,
    help: "Layout that --key signed: what is given has to be products of its last step",
  },
  {
    name: "links",
    value: "FOLDER",
    group: CHAIN,
    help: "Folder with the links of its steps; default: that of the layout",
  },
];
