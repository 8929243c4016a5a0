/** Media types of manifests and of what hangs on images. */

/** Index of images, by OCI and by Docker. */
export const INDEX_TYPES: readonly string[] = [
  "application/vnd.oci.image.index.v1+json",
  "application/vnd.docker.distribution.manifest.list.v2+json",
];
/** Manifest of one image or artifact, by OCI and by Docker. */
export const IMAGE_TYPES: readonly string[] = [
  "application/vnd.oci.image.manifest.v1+json",
  "application/vnd.docker.distribution.manifest.v2+json",
];
/** Index, as it is written. */
export const INDEX_TYPE: string = INDEX_TYPES[0];
/** Manifest, as it is written. */
export const IMAGE_TYPE: string = IMAGE_TYPES[0];
/** Config of an artifact that has none: the blob `{}`. */
export const EMPTY_TYPE = "application/vnd.oci.empty.v1+json";
/** Sigstore bundle, as it is written. */
export const BUNDLE_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json";
