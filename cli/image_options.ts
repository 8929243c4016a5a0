import type { OptionSpec, ParsedArgs } from "./args.ts";

const IMAGE = "Image: oci://REFERENCE, oci-layout:FOLDER";

/** Options of commands that look at the manifests of an image. */
export const PLATFORM_OPTIONS: readonly OptionSpec[] = [
  {
    name: "platform",
    value: "OS/ARCH",
    repeatable: true,
    group: IMAGE,
    help:
      "Platform that must be verified, with its variant if that counts, such as linux/arm/v7; " +
      "else each that the image has",
  },
  {
    name: "every-platform",
    group: IMAGE,
    help: "Each platform that the image has must be verified: the default, said aloud",
  },
  {
    name: "inherit-from-index",
    group: IMAGE,
    help: "Let an attestation of the index count for the platforms that it lists; else each " +
      "needs one of its own",
  },
  {
    name: "oci-repository",
    value: "HOST/NAME",
    group: IMAGE,
    help: "Repository that a layout is of, by which a policy selects; you vouch for it",
  },
  {
    name: "index-only",
    group: IMAGE,
    help: "Verify the index itself and none of the platforms in it, as where it is only passed on",
  },
];

/** Tells whether an option is there that only images have. */
export function hasImageOption(args: ParsedArgs): boolean {
  return PLATFORM_OPTIONS.some(({ name }) => args.has(name));
}
