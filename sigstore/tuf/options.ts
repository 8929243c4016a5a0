import type { Bytes } from "../../internal/bytes.ts";
import { HTTP_OPTIONS, type HttpOptions } from "../../internal/http.ts";
import type { TufCache } from "./cache.ts";

/** Where a TUF repository is, and where to start to believe it. */
export interface TufRepositoryOptions extends Omit<HttpOptions, "maxBytes"> {
  /** `root.json` that is trusted; it comes by another way than the repository. */
  root: Uint8Array | string;
  /** Folder of the metadata: `https:`, or `http:` to a loopback address. */
  baseUrl: string;
  /** Folder of the targets. Default: `targets` in `baseUrl`. */
  targetsUrl?: string;
  /** What is kept between two refreshes. Default: nothing. */
  cache?: TufCache;
  /** When the refresh takes place. Default: now. */
  now?: Date;
}

/** Options of {@linkcode refreshTargets}. Unknown names are refused. */
export interface RefreshTargetsOptions extends TufRepositoryOptions {
  /** Targets to get, by their names in the repository. Default: none. */
  targets?: readonly string[];
  /** Targets to get if the repository has them. Default: none. */
  optionalTargets?: readonly string[];
}

/** Versions of the metadata that was accepted. */
export interface TufVersions {
  /** Of `root.json`. */
  readonly root: number;
  /** Of `timestamp.json`. */
  readonly timestamp: number;
  /** Of `snapshot.json`. */
  readonly snapshot: number;
  /** Of `targets.json`. */
  readonly targets: number;
}

/** What {@linkcode refreshTargets} got, all of it verified. */
export interface TufTargets {
  /** Content by name. */
  readonly targets: ReadonlyMap<string, Bytes>;
  /** Versions of the four top-level roles. */
  readonly versions: TufVersions;
  /** First moment at which one of the four is no longer valid. */
  readonly expires: Date;
}

/** Names of the options that go to each request. */
export const HTTP = HTTP_OPTIONS.filter((name) => name !== "maxBytes");

/** Names of the members of {@linkcode TufRepositoryOptions}. */
export const REPOSITORY_OPTIONS: readonly string[] = [
  ...HTTP,
  "root",
  "baseUrl",
  "targetsUrl",
  "cache",
  "now",
];
