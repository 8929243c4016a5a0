import { quote } from "../internal/json.ts";
import { verifyHelmChart } from "../store/helm.ts";
import type { VerifyOptions } from "../verify/options.ts";
import type { VerificationReport } from "../verify/report.ts";
import { usageError } from "./args.ts";
import type { Runtime } from "./runtime.ts";

/**
 * Verifies a chart of a Helm repository that is reached over HTTP.
 *
 * @param operand `helm:ADDRESS/NAME@VERSION`.
 */
export async function verifyChart(
  operand: string,
  { fetch, sleep }: Runtime,
  verify: VerifyOptions,
): Promise<VerificationReport> {
  return await verifyHelmChart(chartOf(operand), {
    verify,
    http: {
      ...(fetch === undefined ? {} : { fetch }),
      ...(sleep === undefined ? {} : { sleep }),
    },
  });
}

function chartOf(operand: string): { repository: string; name: string; version: string } {
  const [, repository, name, version] = /^helm:(https?:\/\/.+)\/([^/@]+)@([^/@]+)$/.exec(operand) ??
    [];
  if (repository === undefined) {
    throw usageError(
      `${quote(operand)} is no chart: wanted helm:https://HOST/REPOSITORY/NAME@VERSION`,
    );
  }
  return { repository, name, version };
}
