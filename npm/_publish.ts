import { CheckList } from "../internal/check_list.ts";
import { isObject, quote } from "../internal/json.ts";
import { parseTimestamp } from "../internal/timestamp.ts";
import type { Statement } from "../intoto/statement.ts";
import type { DigestedArtifact } from "../verify/artifact.ts";
import type { AttestationReport } from "../verify/report.ts";
import { checkSubject, extended, type Judged, type Named, verifyBundle } from "./_judged.ts";
import type { NpmAttestation } from "./answer.ts";
import { isValidAt, type NpmKey } from "./keys.ts";
import type { Settings } from "./package_options.ts";
import { describePackage, type NpmPackage } from "./purl.ts";

/** Verifies a publish attestation: a key of the registry, at a time of that key, for this package. */
export async function verifyPublish(
  { predicateType, bundle, source }: Named,
  artifact: DigestedArtifact,
  settings: Settings,
): Promise<Judged> {
  const keys = settings.keys.filter(({ usage }) =>
    usage === undefined || usage === "npm:attestations"
  );
  const hint = hintOf(bundle);
  // The hint only selects among keys that are all trusted; a foreign hint selects none.
  const named = keys.filter(({ keyid }) => keyid === hint);
  const { row, statement } = await verifyBundle(bundle, source, artifact, settings, {
    trust: { ...settings.trust, keys: named.map(({ key }) => key) },
    expect: { predicateType },
    // The log's time is what the key's period is compared with.
    thresholds: { log: 1, timestamp: 1 },
  });
  if (statement === undefined) return { row };
  const list = new CheckList();
  checkKeyPeriod(list, row, named);
  const found = checkSubject(list, statement, settings.expect);
  const registry = checkPublishPredicate(list, statement, found, settings.registry);
  return { row: extended(row, list), package: found, registry };
}

function hintOf({ verificationMaterial }: NpmAttestation["bundle"]): string | undefined {
  if (!isObject(verificationMaterial)) return undefined;
  const { publicKey } = verificationMaterial;
  return isObject(publicKey) && typeof publicKey.hint === "string" ? publicKey.hint : undefined;
}

function checkKeyPeriod(
  list: CheckList,
  { signers, timestamps }: AttestationReport,
  keys: readonly NpmKey[],
): void {
  const id = "envelope.key-period";
  const [signer] = signers;
  const fingerprint = keys.find(({ key }) => key.name === signer)?.key.fingerprint;
  const periods = keys.filter(({ key }) => key.fingerprint === fingerprint);
  const outside = timestamps.find(({ timestamp }) => {
    const time = parseTimestamp(timestamp);
    return time === undefined || !periods.some((key) => isValidAt(key, time));
  });
  if (timestamps.length > 0 && outside === undefined) {
    list.passed(id, "The registry's key was valid when it signed", { actual: signer });
    return;
  }
  list.refused(
    id,
    "key-not-valid",
    "Cannot accept publish attestation: the registry's key was not valid at the time of signing",
    { expected: periods.map(describePeriod).join(" or "), actual: outside?.timestamp ?? "no time" },
  );
}

function describePeriod({ validFrom, validUntil }: NpmKey): string {
  return `${validFrom?.toISOString() ?? "always"} to ${validUntil?.toISOString() ?? "now"}`;
}

function checkPublishPredicate(
  list: CheckList,
  { predicate }: Statement,
  found: NpmPackage | undefined,
  wanted: string | undefined,
): string | undefined {
  const id = "predicate.package";
  const { name, version, registry } = predicate ?? {};
  if (typeof name !== "string" || typeof version !== "string" || typeof registry !== "string") {
    list.refused(
      id,
      "malformed-predicate",
      "Cannot read publish predicate: name, version and registry are not all texts",
      { path: "/predicate" },
    );
    return undefined;
  }
  if (found !== undefined) {
    const facts = {
      path: "/predicate",
      expected: describePackage(found),
      actual: describePackage({ name, version }),
    };
    if (found.name === name && found.version === version) {
      list.passed(id, "The predicate names the same package as the subject", facts);
    } else {
      const message = "Cannot accept publish attestation: predicate and subject differ";
      list.refused(id, "package-mismatch", message, facts);
    }
  }
  const facts = { path: "/predicate/registry", expected: wanted, actual: registry };
  if (wanted === undefined) {
    list.passed("predicate.registry", "A trusted key signed for this registry", facts);
  } else if (registry.replace(/\/+$/, "") === wanted) {
    list.passed("predicate.registry", "The registry is the expected one", facts);
  } else {
    const message = `Cannot accept publish attestation: the registry is ${quote(registry)}`;
    list.refused("predicate.registry", "package-mismatch", message, facts);
  }
  return registry;
}
