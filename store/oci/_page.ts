import { AttestationError } from "../../errors.ts";
import type { HttpAnswer } from "../../internal/http.ts";

/** Refuses the page of a proxy, a portal or a login in place of an answer. */
export function refusePage(action: string, { headers }: Pick<HttpAnswer, "headers">): void {
  const [type] = (headers.get("content-type") ?? "").toLowerCase().split(";");
  if (type.trim() !== "text/html" && type.trim() !== "application/xhtml+xml") return;
  throw new AttestationError(
    "malformed-response",
    `Cannot ${action}: it answered with a page of HTML, as a proxy or a login does`,
  );
}
