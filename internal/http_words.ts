import type { Bytes } from "./bytes.ts";
import type { HttpRequest } from "./http.ts";
import { decodeUtf8, printable } from "./json.ts";

/** Start of an answer for a message: one line, without anything that the request held. */
export function cleaned(body: Bytes, init: HttpRequest): string {
  let text = init.words?.(body);
  try {
    text ??= decodeUtf8(body.subarray(0, 1024));
  } catch {
    text = new TextDecoder().decode(body.subarray(0, 1024));
  }
  return printable(withoutSecrets(text, init).replace(/\s+/g, " ").trim(), 200);
}

/** Shortest run of a request's characters that is not repeated in a message. */
const SECRET_LENGTH = 12;

/**
 * A text of the service or the runtime, with everything that looks like a token, and every
 * longer run that stands in the request as well, left out. A service that repeats what it
 * refuses would otherwise carry a token into a log.
 */
function withoutSecrets(text: string, { headers = {}, body = "" }: HttpRequest): string {
  const clean = text.replace(/eyJ[\w-]{4,}(\.[\w-]*)*/g, "…");
  const sent = [
    ...Object.values(headers),
    typeof body === "string" ? body.slice(0, 64 << 10) : "",
  ].join("\n");
  let result = "";
  for (let i = 0; i < clean.length;) {
    let end = i + SECRET_LENGTH;
    if (end > clean.length || !sent.includes(clean.slice(i, end))) {
      result += clean[i++];
      continue;
    }
    while (end < clean.length && sent.includes(clean.slice(i, end + 1))) end++;
    result += "…";
    i = end;
  }
  return result;
}

/** The runtime's words for a failed connection; they may quote a header that it refused. */
export function describe(cause: unknown, init: HttpRequest): string {
  const errors = [cause, cause instanceof Error ? cause.cause : undefined];
  const texts = errors.flatMap((one) => one instanceof Error ? [one.message] : []);
  const text = texts.join(": ").replace(/\(?https?:\/\/\S+/g, "").replace(/\s+/g, " ").trim();
  return text === "" ? "the connection failed" : printable(withoutSecrets(text, init), 160);
}

/** An address for messages: without its query, which may hold what is secret. */
export function place({ origin, pathname }: URL): string {
  return printable(`${origin}${pathname}`, 200);
}
