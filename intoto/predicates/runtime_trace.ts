import type { JsonObject } from "../../internal/json.ts";
import type { ResourceDescriptor } from "../resource_descriptor.ts";
import { defineChecked, type PredicateKind } from "./kind.ts";

/** What a monitor saw of a process. Its log is passed through as the monitor wrote it. */
export interface RuntimeTrace {
  /** The monitor. */
  monitor: {
    /** URI of the kind of monitor. */
    type: string;
    /** Its configuration. */
    configSource?: ResourceDescriptor | Record<string, never> | null;
    /** What it was told to trace. */
    tracePolicy?: JsonObject | null;
  };
  /** The process that was watched. */
  monitoredProcess: {
    /** URI of the host. */
    hostID: string;
    /** URI of the kind of process. */
    type: string;
    /** The run. */
    event: string;
  };
  /** Events; at least one of the lists is there. */
  monitorLog: {
    /** Processes. */
    process?: JsonObject[] | null;
    /** Connections. */
    network?: JsonObject[] | null;
    /** Files. */
    fileAccess?: ResourceDescriptor[] | null;
  };
  /** When it was. */
  metadata?: {
    /** RFC 3339 with `Z`. */
    buildStartedOn?: string | null;
    /** RFC 3339 with `Z`. */
    buildFinishedOn?: string | null;
  } | null;
}

/**
 * Runtime trace v0.1: the frame is checked, the events are passed through.
 *
 * Source: in-toto attestation, spec/predicates/runtime-trace.md, v0.1.
 *
 * @example
 * ```ts
 * import { runtimeTracePredicate } from "@x/attest/predicates";
 * import assert from "node:assert/strict";
 *
 * const trace = runtimeTracePredicate.parse({
 *   monitor: { type: "https://example.com/monitor/v1" },
 *   monitoredProcess: { hostID: "https://ci.example.com", type: "https://example.com/b", event: "1" },
 *   monitorLog: { network: [] },
 * });
 * assert.deepEqual(trace.monitorLog.network, []);
 * ```
 */
export const runtimeTracePredicate: PredicateKind<RuntimeTrace> = defineChecked<RuntimeTrace>({
  name: "runtime-trace",
  predicateTypes: ["https://in-toto.io/attestation/runtime-trace/v0.1"],
  check(trace) {
    const monitor = trace.object("monitor", "required");
    monitor?.text("type", "required");
    monitor?.resource("configSource");
    monitor?.object("tracePolicy");
    const watched = trace.object("monitoredProcess", "required");
    for (const name of ["hostID", "type", "event"]) watched?.text(name, "required");
    const log = trace.object("monitorLog", "required");
    if (log !== undefined && !["process", "network", "fileAccess"].some((name) => log.has(name))) {
      log.problem("missing-predicate-field", "process", "it has no list of events");
    }
    log?.objects("process");
    log?.objects("network");
    log?.objects("fileAccess");
    const metadata = trace.object("metadata");
    const started = metadata?.timestamp("buildStartedOn");
    const finished = metadata?.timestamp("buildFinishedOn");
    if (started !== undefined && finished !== undefined && finished < started) {
      metadata?.contradiction("buildFinishedOn", "it finished before it started");
    }
  },
});
