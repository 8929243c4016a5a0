import type { JsonObject } from "../../internal/json.ts";
import {
  CODE_SIGNING,
  createAuthority,
  issueTimestampCertificate,
  TIME_STAMPING,
} from "../pki/ca.ts";
import {
  END,
  type Instance,
  instanceRoot,
  SIGNED,
  START,
  trustedCa,
  trustedRekor,
  trustedRekor2,
  trustedTsa,
} from "../pki/instance.ts";
import { trustedRoot, type TrustedRootParts } from "../pki/trusted_root.ts";
import type { TimestampAuthority } from "../pki/tsa.ts";
import { type Collection, edited } from "./collection.ts";

/** A second before anything is signed. */
const BEFORE = new Date(SIGNED.getTime() - 1000);

/** Writes the trusted roots that cases name. */
export async function addRoots(collection: Collection, instance: Instance): Promise<void> {
  const full = instanceRoot(instance);
  // What the other roots do not need is left out of them, for their size.
  const base = {
    ...full,
    tlogs: [full.tlogs[0], full.tlogs[2]],
    timestampAuthorities: [full.timestampAuthorities[0]],
  };
  const add = (name: string, changes: Partial<TrustedRootParts>, edit = (it: JsonObject) => it) =>
    collection.json(
      `sigstore-bundle/roots/${name}.json`,
      edit(trustedRoot({ ...base, ...changes })),
    );
  const { authority, tsaAuthority, tsa } = instance;
  const ca = trustedCa(authority);
  const stamper = trustedTsa(tsa, tsaAuthority);
  const log = trustedRekor(instance.rekor);
  const ctLog = base.ctlogs[0];

  add("main", full);
  add("v0.2", { mediaType: "application/vnd.dev.sigstore.trustedroot.v0.2+json" });
  add("private", { tlogs: [], ctlogs: [] });
  add("media-type", { mediaType: "application/json" });
  add("empty-chain", { certificateAuthorities: [{ ...ca, chain: [] }] });
  add("two-sct-logs", {
    ctlogs: [ctLog, {
      key: instance.otherCtLog,
      baseUrl: "https://ctlog.second.example/2025",
      validFor: { start: START },
    }],
  });
  add("other-ct-log", { ctlogs: [{ ...ctLog, key: instance.otherCtLog }] });
  add("other-instance", {
    tlogs: [trustedRekor(instance.otherRekor), trustedRekor2(instance.otherRekor2)],
    ctlogs: [{ ...ctLog, key: instance.otherCtLog }],
    certificateAuthorities: [trustedCa(instance.otherAuthority)],
    timestampAuthorities: [trustedTsa(instance.otherTsa, instance.otherTsaAuthority)],
  });
  add("ca-ends-as-signed", {
    certificateAuthorities: [{ ...ca, validFor: { start: START, end: SIGNED } }],
  });
  add("ca-ended", { certificateAuthorities: [{ ...ca, validFor: { start: START, end: BEFORE } }] });
  add("log-ends-as-signed", { tlogs: [{ ...log, validFor: { start: START, end: SIGNED } }] });
  add("log-ended", { tlogs: [{ ...log, validFor: { start: START, end: BEFORE } }] });
  add("log-without-start", {}, (it) => edited(it, "/tlogs/0/publicKey/validFor", {}));
  add("ct-log-ended", {
    ctlogs: [{ ...ctLog, validFor: { start: START, end: new Date("2025-02-01T00:00:00Z") } }],
  });
  add("tsa-ends-as-signed", {
    timestampAuthorities: [{ ...stamper, validFor: { start: START, end: SIGNED } }],
  });
  add("tsa-ended", {
    timestampAuthorities: [{ ...stamper, validFor: { start: START, end: BEFORE } }],
  });
  add(
    "unknown-key-kind",
    {},
    (it) => edited(it, "/tlogs/1/publicKey/keyDetails", "PKIX_POST_QUANTUM_OF_SOME_DAY"),
  );

  const keys = { rootKey: authority.rootKey, intermediateKey: authority.intermediateKey };
  const period = { notBefore: START, notAfter: END };
  const organization = authority.organization;
  const expired = await createAuthority({
    organization,
    ...keys,
    ...period,
    intermediateNotAfter: BEFORE,
  });
  add("intermediate-expired", { certificateAuthorities: [trustedCa(expired)] });
  const noCa = await createAuthority({
    organization,
    ...keys,
    ...period,
    intermediateIsNoCa: true,
  });
  const messages = await createAuthority({
    organization,
    ...keys,
    ...period,
    intermediateSignsMessages: true,
  });
  add("intermediate-signs-messages", { certificateAuthorities: [trustedCa(messages)] });
  add("intermediate-no-ca", { certificateAuthorities: [trustedCa(noCa)] });
  const bound = await createAuthority({ organization, ...keys, ...period, purpose: TIME_STAMPING });
  add("intermediate-other-purpose", { certificateAuthorities: [trustedCa(bound)] });

  for (const [name, by] of Object.entries(await unfitTsas(instance))) {
    add(name, { timestampAuthorities: [trustedTsa(by, tsaAuthority)] });
  }
}

/** Authorities that the root of the same name trusts and that must not stamp. */
export async function unfitTsas(
  { tsa, tsaAuthority }: Instance,
): Promise<
  Record<
    "tsa-certificate-expired" | "tsa-other-purpose" | "tsa-purpose-not-critical",
    TimestampAuthority
  >
> {
  const issue = async (options: {
    notAfter: Date;
    purposes?: string[];
    criticalPurposes?: boolean;
    serial: number;
  }) => ({
    key: tsa.key,
    certificate: await issueTimestampCertificate(tsaAuthority, {
      key: tsa.key,
      name: "throw-away tsa",
      notBefore: START,
      ...options,
    }),
  });
  return {
    "tsa-certificate-expired": await issue({ notAfter: BEFORE, serial: 202 }),
    "tsa-purpose-not-critical": await issue({
      notAfter: END,
      criticalPurposes: false,
      serial: 204,
    }),
    "tsa-other-purpose": await issue({ notAfter: END, purposes: [CODE_SIGNING], serial: 203 }),
  };
}
