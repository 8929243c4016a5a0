import { AttestationError } from "../../errors.ts";
import { decodeUtf8, quote } from "../../internal/json.ts";
import type { CompiledPolicy } from "../../policy/compiled.ts";
import { judgeManifest } from "../../server/judge.ts";
import type { Judge } from "../../store/reverify/mod.ts";

/** Decides as the registry does when something is put: by the card and all its attestations. */
export function registryJudge(policy: CompiledPolicy, now: Date): Judge {
  return async ({ name, key }, { attestations, artifact }) => {
    if (artifact === undefined) {
      throw new AttestationError("content-mismatch", `Cannot judge ${quote(key)}: it has no card`);
    }
    const { report } = await judgeManifest({
      urn: name,
      card: decodeUtf8(artifact),
      provenance: attestations.map(({ content }) => content),
    }, { policy, now, maxAttestations: Math.max(1, attestations.length) });
    return { ok: report.ok, reason: report.errorReason };
  };
}
