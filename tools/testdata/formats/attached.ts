import type { Reason } from "../../../errors.ts";
import {
  cms,
  type CmsRecipe,
  jarFile,
  type JarRecipe,
  pe,
  type PeRecipe,
} from "../../../formats/attached/_signed_fixtures_test.ts";
import { authority } from "../../../formats/_notation_fixtures_test.ts";
import { utf8 } from "../../../internal/bytes.ts";
import { encodePem } from "../../../internal/pem.ts";
import type { Collection } from "../collection.ts";
import { ARTIFACT, type FormatCase, FormatCases } from "./format_cases.ts";

type Trusted = Pick<FormatCase, "keys" | "files" | "options" | "artifact">;

async function trusted(): Promise<Trusted> {
  const content = encodePem("CERTIFICATE", (await authority()).root);
  return {
    keys: [],
    files: { certificateAuthority: { name: "notation-ca.pem", content } },
    options: { certificateSubject: "CN=release" },
    artifact: null,
  };
}

/** One bit of a file, flipped. */
function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  changed[at < 0 ? bytes.length + at : at] ^= 1;
  return changed;
}

/** CMS, and files that carry their signature. */
export async function addAttached(collection: Collection): Promise<void> {
  const common = await trusted();
  const cases = (format: string, rule: string) => {
    const own = new FormatCases(collection, format, rule);
    return async (id: string, why: string, document: Uint8Array, reason?: Reason, more = {}) =>
      await own.add({
        id,
        why,
        document,
        ...common,
        ...more,
        ...(reason === undefined ? {} : { reason }),
      });
  };
  const message = utf8(ARTIFACT);
  const detached = { message: ARTIFACT };
  const signed = async (recipe: Partial<CmsRecipe> = {}) => await cms({ message, ...recipe });
  const addCms = cases("cms-signature", "RFC 5652");
  await addCms("detached", "over a file", await signed(), undefined, detached);
  await addCms("other-file", "over another file", await signed(), "message-digest-mismatch", {
    message: "other\n",
  });
  await addCms(
    "signature-altered",
    "a bit of the signature",
    flipped(await signed(), -1),
    "invalid-signature",
    detached,
  );
  const image = async (recipe: PeRecipe = {}) => await pe(recipe);
  const addPe = cases("authenticode", "Windows Authenticode Portable Executable Signature Format");
  const program = await image();
  await addPe("program", "a signed program", program);
  await addPe(
    "section-altered",
    "a bit of a section",
    flipped(program, 0x200),
    "content-digest-mismatch",
  );
  const archive = async (recipe: JarRecipe = {}) => await jarFile(recipe);
  await cases("jar", "Java SE, JAR File Specification")(
    "archive",
    "every entry is signed",
    await archive(),
  );
}
