import type { OptionSpec } from "./args.ts";
import { POLICY_FILE_OPTIONS } from "./policy_options.ts";

const WORK = "Work";
const OUTPUT = "Output";

/** Options of `reverify`. */
export const REVERIFY_OPTIONS: readonly OptionSpec[] = [
  {
    name: "db",
    value: "DB",
    group: WORK,
    help: "The database of a registry: a file of SQLite, or postgres://…; a password is taken " +
      "from PGPASSWORD",
  },
  {
    name: "policy",
    value: "FILE",
    group: "Policy",
    help: "Policy that judges: as it is now",
  },
  ...POLICY_FILE_OPTIONS,
  {
    name: "now",
    value: "TIME",
    group: WORK,
    help: "Moment of the judgement, RFC 3339 in UTC; default now. It is taken back to the last " +
      "one that makes a difference for this policy",
  },
  {
    name: "segment",
    value: "N",
    group: WORK,
    help: "Attestations of one piece of work, 1 to 10000; default 10000. Every worker must say " +
      "the same",
  },
  {
    name: "lease",
    value: "SECONDS",
    group: WORK,
    help: "After this the work of a worker that has gone is taken over; default 60",
  },
  {
    name: "worker",
    group: WORK,
    help: "PostgreSQL only: take segments from the queue until none is left, and write nothing; " +
      "another process plans and sums up",
  },
  {
    name: "output",
    value: "DIR",
    group: OUTPUT,
    help: "Folder for summary.json and changed.jsonl; with SQLite also for the verdict files",
  },
  {
    name: "format",
    value: "FORMAT",
    choices: ["text", "json"],
    group: OUTPUT,
    help: "text (default), or json: summary.json",
  },
];
