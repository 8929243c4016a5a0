/** The registry of targets: one for each exported function that reads what others wrote. */

import { CLI_TARGETS } from "./cli_targets.ts";
import { ATTACHED_TARGETS } from "./attached_targets.ts";
import { COSE_TARGETS } from "./cose_targets.ts";
import { FORMAT_TARGETS } from "./format_targets.ts";
import { OPENPGP_TARGETS } from "./openpgp_targets.ts";
import { IMAGE_TARGETS } from "./image_targets.ts";
import { KEY_TARGETS } from "./key_targets.ts";
import { LAYOUT_TARGETS } from "./layout_targets.ts";
import { OCI_TARGETS } from "./oci_targets.ts";
import { PARSE_TARGETS } from "./parse_targets.ts";
import { POLICY_TARGETS } from "./policy_targets.ts";
import { STORE_TARGETS } from "./store_targets.ts";
import type { Target } from "./target.ts";
import { VERIFY_TARGETS } from "./verify_targets.ts";

/** Every target, parsers first. */
export const TARGETS: readonly Target[] = [
  ...PARSE_TARGETS,
  ...KEY_TARGETS,
  ...IMAGE_TARGETS,
  ...OCI_TARGETS,
  ...POLICY_TARGETS,
  ...STORE_TARGETS,
  ...VERIFY_TARGETS,
  ...ATTACHED_TARGETS,
  ...FORMAT_TARGETS,
  ...LAYOUT_TARGETS,
  ...OPENPGP_TARGETS,
  ...COSE_TARGETS,
  ...CLI_TARGETS,
];
