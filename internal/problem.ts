import { AttestationError, type Problem, type Reason } from "../errors.ts";
import { printable } from "./json.ts";

/**
 * Told about each problem of a shape. A parser's throws at the first one, a validator's
 * lists them, so that each rule is written once.
 */
export type Report = (reason: Reason, path: string, message: string) => void;

/** Throws the problem. */
export function refuse(reason: Reason, path: string, message: string): never {
  throw new AttestationError(reason, message, { path });
}

/** Appends each problem to a list. */
export function listTo(problems: Problem[]): Report {
  return (reason, path, message) => void problems.push({ reason, path, message });
}

/** JSON Pointer of a member whose name is of unknown origin: short, and without controls. */
export function pointer(path: string, name: string): string {
  return `${path}/${printable(name, 64).replaceAll("~", "~0").replaceAll("/", "~1")}`;
}
