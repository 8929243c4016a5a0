/** A version of Semantic Versioning, or the start of one: `1`, `1.2`. */
export interface Version {
  /** One to three numbers, as text without leading zeros: they have no upper bound. */
  core: readonly string[];
  /** Identifiers after `-`, only after three numbers. */
  prerelease: readonly string[];
  /** Identifiers after `+`; they have no meaning. */
  build: readonly string[];
}

const NUMBER = "(0|[1-9][0-9]*)";
const PRERELEASE = "(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)";
const VERSION = new RegExp(
  `^${NUMBER}(?:\\.${NUMBER}(?:\\.${NUMBER}` +
    `(?:-(${PRERELEASE}(?:\\.${PRERELEASE})*))?` +
    "(?:\\+([0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*))?)?)?$",
);
const MAX_LENGTH = 256;

/**
 * Reads a version without a leading `v`; undefined if it is none. One and two numbers are
 * accepted beyond the letter, without anything after them.
 *
 * Source: Semantic Versioning 2.0.0, 2, 9 and 10.
 */
export function parseVersion(text: string): Version | undefined {
  if (text.length > MAX_LENGTH) return undefined;
  const match = VERSION.exec(text);
  if (match === null) return undefined;
  const [, major, minor, patch, prerelease, build] = match;
  return {
    core: [major, minor, patch].filter((number) => number !== undefined),
    prerelease: prerelease?.split(".") ?? [],
    build: build?.split(".") ?? [],
  };
}

/**
 * Tells whether a version is one of those that `wanted` stands for: `1` for each 1.x.y,
 * `1.2` for each 1.2.x, `1.2.3` for itself; the pre-release has to be the same where the
 * patch is asked for. Numbers that `version` lacks are 0. Build metadata has no meaning.
 */
export function isVersionOf(version: Version, wanted: Version): boolean {
  for (let i = 0; i < wanted.core.length; i++) {
    if ((version.core[i] ?? "0") !== wanted.core[i]) return false;
  }
  if (wanted.core.length < 3) return true;
  return version.prerelease.join(".") === wanted.prerelease.join(".");
}
