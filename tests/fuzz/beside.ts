import type { DetachedMessage, FormatResult } from "../../formats/mod.ts";

/** Asks for a document by itself, and with a file beside it if it is a signature of another file. */
export async function withFile(
  content: Uint8Array,
  verify: (beside: { detached?: DetachedMessage }) => Promise<FormatResult>,
): Promise<FormatResult> {
  const alone = await verify({});
  return alone.errorReason === "artifact-required"
    ? await verify({ detached: { content, digest: {} } })
    : alone;
}
