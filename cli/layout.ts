import { AttestationError } from "../errors.ts";
import { quote } from "../internal/json.ts";
import { createLayout, type OciLayout } from "../store/oci/layout.ts";
import { fileAccess, folderFiles } from "../store/oci/layout_folder.ts";
import { createTarFiles } from "../store/oci/tar.ts";
import type { OciDescriptor } from "../store/oci/source.ts";
import { access, type Runtime } from "./runtime.ts";

/** A layout on disk, and what is meant in it. */
export interface OpenedLayout {
  /** The layout. */
  source: OciLayout;
  /** Tag or digest. */
  reference: string;
  /** How it is called in reports. */
  label: string;
}

/** Path, and after it `:TAG` or `@DIGEST`; a colon before the last part belongs to the path. */
const FORM = /^(.+?)(?:@((?:sha256|sha512):[0-9a-f]+)|:([A-Za-z0-9_][A-Za-z0-9._-]{0,127}))?$/;

const REF_NAME = "org.opencontainers.image.ref.name";
const COSIGN = "dev.cosignproject.cosign/";

/**
 * Opens a layout, a folder or a tar file: `PATH`, `PATH:TAG` or `PATH@DIGEST`.
 *
 * @throws {AttestationError} `unreadable-file`, `malformed-image-layout`, `image-not-found`, and
 * `usage` if it has several images and none is named.
 */
export async function openLayout(operand: string, runtime: Runtime): Promise<OpenedLayout> {
  const [, path = operand, digest, tag] = FORM.exec(operand) ?? [];
  const source = await layoutAt(path, runtime);
  const reference = digest ?? tag ?? await onlyImage(source, path);
  return { source, reference, label: `oci-layout:${path}` };
}

/** A layout in a folder or tar file. */
export async function layoutAt(path: string, runtime: Runtime): Promise<OciLayout> {
  const info = await access("read", path, () => runtime.stat(path));
  if (info === undefined) {
    throw new AttestationError("unreadable-file", `Cannot read ${quote(path)}: it does not exist`);
  }
  return createLayout(
    info.kind === "directory"
      ? folderFiles(path, runtime.disk)
      : createTarFiles(await fileAccess(path, runtime.disk)),
  );
}

/** The image of a layout that has one; attestations beside it are none. */
async function onlyImage(source: OciLayout, path: string): Promise<string> {
  const entries = (await source.entries()).filter(isImage);
  const digests = [...new Set(entries.map(({ digest }) => digest))];
  if (digests.length === 1) return digests[0];
  if (digests.length === 0) {
    throw new AttestationError("image-not-found", `Cannot read ${quote(path)}: it has no image`);
  }
  const names = entries.slice(0, 8).map(({ digest, annotations }) => {
    const tag = annotations?.[REF_NAME];
    return tag === undefined ? `@${digest}` : `:${tag}`;
  });
  throw new AttestationError(
    "usage",
    `Cannot tell which image of ${quote(path)} is meant: it has ${digests.length}; add one of ` +
      names.map(quote).join(", "),
  );
}

function isImage({ artifactType, annotations = {} }: OciDescriptor): boolean {
  const { kind } = annotations;
  if (kind?.startsWith(COSIGN)) return kind === `${COSIGN}image` || kind === `${COSIGN}imageIndex`;
  // Referrers are listed with their type, cosign's tags by their names.
  return artifactType === undefined && !/^sha(256|512)-/.test(annotations[REF_NAME] ?? "");
}
