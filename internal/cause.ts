/** What something that was thrown says of itself: not all of it is an `Error`. */
export function causeText(cause: unknown): string {
  if (cause instanceof Error) return cause.message || cause.name;
  return typeof cause === "string" ? cause : `what was thrown is no error (${typeof cause})`;
}
