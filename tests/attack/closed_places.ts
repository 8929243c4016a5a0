/** Places where a fault may do without a refusal, and why; pure. */

import type { Probe } from "./fail_closed_probe.ts";

interface HarmlessFault {
  site: RegExp;
  /** Of these scenarios alone. */
  scenario?: RegExp;
  why: string;
}

/** A fault there leaves the verdict as it is. */
export const WITHOUT_EFFECT: readonly HarmlessFault[] = [
  {
    scenario: /^two of two keys$/,
    site: / keys\/ecdsa_signature\.ts:/,
    why: "One key is tried on the other's signature, where it cannot accept anyway",
  },
  {
    scenario: /^command line$/,
    site:
      / (slsa\/(provenance(_v\w+)?|_shape)|internal\/problem|errors)\.ts:|cli\/provenance_facts\.ts:/,
    why: "Facts of provenance that are printed beside the verdict: without them a line is missing",
  },
];

/** A fault there leaves a promise that nobody waits for yet. */
export const UNHANDLED: readonly HarmlessFault[] = [
  {
    site: /^enter sigstore\/_attempt\.ts:\d+:\d+ /,
    why: "settle() makes an object of the outcome of a check, which may be awaited late",
  },
];

/** What a probe found that no list explains, one line each. */
export function unexplained(probe: Probe): string[] {
  const { scenario, accepted, unhandled, hangs, unreached } = probe;
  const known = (places: readonly HarmlessFault[], site: string) =>
    places.some((one) => one.site.test(site) && (one.scenario?.test(scenario) ?? true));
  return [
    ...accepted.filter(({ site }) => !known(WITHOUT_EFFECT, site))
      .map(({ site, hit, thrown }) =>
        `${scenario}: accepted with a fault at ${site} (${hit}, ${thrown})`
      ),
    ...unhandled.filter((site) => !known(UNHANDLED, site))
      .map((site) => `${scenario}: unhandled rejection after ${site}`),
    ...hangs.map((site) => `${scenario}: no end after ${site}`),
    ...unreached.map((site) => `${scenario}: not reached again: ${site}`),
  ];
}
