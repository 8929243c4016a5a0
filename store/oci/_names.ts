import { AttestationError } from "../../errors.ts";
import { quote } from "../../internal/json.ts";
import { isOciDigest, isOciTag } from "../../internal/oci_name.ts";

/** Refuses what is no digest before it gets into an address or a path. */
export function checkOciDigest(digest: string): void {
  if (isOciDigest(digest)) return;
  throw new AttestationError(
    "invalid-digest",
    `Cannot use digest ${quote(digest)}: wanted sha256: or sha512: and lowercase hex`,
  );
}

/** Refuses what is no tag before it gets into an address or an index. */
export function checkOciTag(tag: string): void {
  if (isOciTag(tag)) return;
  throw new AttestationError(
    "malformed-image-reference",
    `Cannot use tag ${quote(tag)}: wanted up to 128 letters, digits and . _ -`,
  );
}
