import { CheckList } from "../internal/check_list.ts";
import { HASHES } from "../internal/hasher.ts";
import { mapWindow } from "../internal/window.ts";
import { matchSubject, matchSubjects } from "../intoto/match.ts";
import { type Context, verifyEnvelopeLayer } from "./_envelope_layer.ts";
import { about, finish, type Row } from "./_finding.ts";
import { checkOptions, ownByPolicy, ownOptions, sigstoreTrust } from "./_settings.ts";
import { predicateLayer } from "./_predicate_layer.ts";
import { messageLayer, statementLayer } from "./_statement_layer.ts";
import { describeDigest, digestArtifact, type DigestedArtifact } from "./artifact.ts";
import { assembleReport } from "./assemble.ts";
import { loadAttestations, type LoadedAttestation, tooMany } from "./load.ts";
import type { ArtifactInput, AttestationInput, VerifyOptions } from "./options.ts";
import { predicateJudge } from "./predicate.ts";
import type { VerificationReport } from "./report.ts";

/**
 * Verifies attestations about artifacts, layer by layer: who signed (envelope), about what
 * (Statement), and what kind of thing is said (predicate type).
 *
 * Makes no request. Each artifact needs one attestation that passes every check; fields of
 * several attestations are never mixed. An attestation that is unreadable, of somebody
 * else or about something else is reported in its place and makes no other one fail.
 *
 * @param attestations One or several: Sigstore bundles, DSSE envelopes, JSON Lines of them,
 * or the answer of npm's or GitHub's attestations API; text, bytes or parsed.
 * @param artifacts What they should be about: bytes, a stream, a Blob, or digests.
 * @param options Whom to believe and what to expect.
 * @returns A report with every check, passed or failed; `ok` only if every artifact is.
 * @throws {TypeError} If an option is unknown or not of its form.
 * @throws The reason of `options.signal`, when it is aborted.
 *
 * @example An artifact and an envelope that is signed with a key
 * ```ts
 * import { verify } from "@x/attest";
 * import { createEnvelope } from "@x/attest/dsse";
 * import { createStatement, encodeStatement } from "@x/attest/intoto";
 * import { generateSigner } from "@x/attest/keys";
 * import assert from "node:assert/strict";
 *
 * const sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
 * const statement = createStatement({
 *   subject: [{ name: "abc.txt", digest: { sha256 } }],
 *   predicateType: "https://example.com/checked/v1",
 *   predicate: {},
 * });
 * const { signer, trustedKey } = await generateSigner("Ed25519", { name: "ci" });
 * const envelope = await createEnvelope(
 *   "application/vnd.in-toto+json",
 *   encodeStatement(statement),
 *   signer,
 * );
 * const artifact = new TextEncoder().encode("abc");
 * const report = await verify(envelope, artifact, { trust: { keys: [trustedKey] } });
 * assert.equal(report.verificationResult, "PASSED");
 * ```
 */
export async function verify(
  attestations: AttestationInput | readonly AttestationInput[],
  artifacts: ArtifactInput | readonly ArtifactInput[] | undefined,
  options: VerifyOptions = {},
): Promise<VerificationReport> {
  const own = options.policy === undefined ? ownOptions(options) : await ownByPolicy(options);
  const settings = await checkOptions(own);
  const { signal, onProgress } = own;
  signal?.throwIfAborted();

  const inputs: readonly AttestationInput[] = Array.isArray(attestations)
    ? attestations
    : [attestations as AttestationInput];
  const loaded: LoadedAttestation[] = [];
  for (const [i, input] of inputs.entries()) {
    const room = settings.limits.maxAttestations - loaded.length;
    if (room < 1) {
      const source = `attestation ${i + 1}`;
      loaded.push({ source, format: "unknown", error: tooMany() });
      break;
    }
    const limits = { ...settings.limits, maxAttestations: room };
    for (const one of await loadAttestations(input, i, limits)) loaded.push(one);
  }

  const wanted: readonly ArtifactInput[] = artifacts === undefined
    ? []
    : Array.isArray(artifacts)
    ? artifacts
    : [artifacts as ArtifactInput];
  const algorithms = neededAlgorithms(loaded);
  let bytes = 0;
  const digested = await mapWindow(wanted, 4, (input, i) => {
    signal?.throwIfAborted();
    return digestArtifact(input, i, {
      algorithms,
      signal,
      onBytes: (count) => {
        bytes += count;
        onProgress?.({ phase: "digest", done: bytes });
      },
    });
  });

  // A summary may be of a revision or an image: the digest that it must have stands for it.
  const stated = own.expect?.vsa?.digest;
  if (digested.length === 0 && stated === undefined && own.unsafelyVerifyWithoutArtifact !== true) {
    return assembleReport([], "artifact-required");
  }
  const trust = await sigstoreTrust(own, loaded);
  const judge = await predicateJudge(own.expect ?? {}, own.now ?? new Date());
  let done = 0;
  const rows: Row[] = await mapWindow(loaded, own.concurrency ?? 64, async (one) => {
    signal?.throwIfAborted();
    const row = await verifyOne(one, digested, { ...settings, trust, judge, options: own });
    onProgress?.({ phase: "verify", done: ++done, total: loaded.length });
    return row;
  });
  signal?.throwIfAborted();

  if (digested.length === 0) {
    const name = stated === undefined ? "(no artifact)" : describeDigest(stated);
    return assembleReport([about({ name, digest: stated ?? {} }, rows, 0)]);
  }
  const reports = digested.map((artifact, i) => about(artifact, rows, i));
  if (own.policy === undefined && own.evidence !== true) return assembleReport(reports);
  const { addEvidence, judgeReports } = await import("./policy.ts");
  const found = digested.map((artifact, i) => ({
    artifact,
    rows: loaded.map((one, j) => ({ one, finding: rows[j][i] })),
  }));
  const told = addEvidence(reports, found);
  return own.policy === undefined
    ? assembleReport(told)
    : judgeReports(own.policy, told, own.now ?? new Date());
}

/** SHA-256, and what subjects and signatures state besides; a stream is read only once. */
function neededAlgorithms(loaded: readonly LoadedAttestation[]): string[] {
  const needed = new Set(["sha256"]);
  for (const one of loaded) {
    if ("image" in one) {
      needed.add(one.image.algorithm);
      continue;
    }
    if ("foreign" in one) {
      for (const algorithm of one.algorithms) needed.add(algorithm);
    } else if ("bundle" in one && one.bundle.content.kind === "message") {
      const { digest } = one.bundle.content;
      if (digest !== undefined) needed.add(digest.algorithm);
      const { signer } = one.bundle;
      const curve = signer.kind === "certificate" ? signer.leaf.publicKey.curve : undefined;
      if (curve === "P-384") needed.add("sha384");
      if (curve === "P-521") needed.add("sha512");
    }
    const stated = "error" in one ? undefined : one.unverifiedStatement;
    if (stated === undefined || "error" in stated) continue;
    for (const { digest } of stated.value.subject) {
      for (const algorithm of Object.keys(digest ?? {})) {
        if (HASHES.has(algorithm)) needed.add(algorithm);
      }
    }
  }
  return [...needed];
}

async function verifyOne(
  one: LoadedAttestation,
  artifacts: readonly DigestedArtifact[],
  context: Context,
): Promise<Row> {
  const subjects: (DigestedArtifact | undefined)[] = artifacts.length === 0
    ? [undefined]
    : [...artifacts];
  try {
    if ("foreign" in one) {
      // Loaded on use, with all of the other formats.
      const { foreignRow } = await import("./foreign.ts");
      return await foreignRow(one, subjects, context);
    }
    if ("image" in one) {
      const { imageLayer, signedPayload } = await import("./cosign.ts");
      const layer = await verifyEnvelopeLayer(one, context, signedPayload(one.image));
      const { predicateTypes } = context;
      return subjects.map((artifact) => {
        const checks = imageLayer(one.image, artifact, predicateTypes);
        return finish(one, layer, checks, predicateLayer(one, layer, context));
      });
    }
    if ("bundle" in one && one.bundle.content.kind === "message") {
      return await Promise.all(
        subjects.map(async (artifact) => {
          const layer = await verifyEnvelopeLayer(one, context, artifact);
          return finish(one, layer, messageLayer(context), predicateLayer(one, layer, context));
        }),
      );
    }
    const envelope = await verifyEnvelopeLayer(one, context, undefined);
    if ("error" in one) return subjects.map(() => finish(one, envelope, []));
    const predicate = predicateLayer(one, envelope, context);
    const mode = context.options.expect?.subjects ?? "any";
    const shared = mode === "any" || artifacts.length === 0
      ? undefined
      : statementLayer(one, context, (statement) =>
        matchSubjects(
          statement,
          artifacts.map(({ digest }) => digest),
          { mode },
        ));
    return subjects.map((artifact) =>
      finish(
        one,
        envelope,
        shared ?? statementLayer(
          one,
          context,
          artifact === undefined
            ? undefined
            : (statement) => matchSubject(statement, artifact.digest),
        ),
        predicate,
      )
    );
  } catch (error) {
    const list = new CheckList();
    list.failed("envelope.signature", error);
    const nobody = { list, signers: [], keys: [], timestamps: [], logs: 0 };
    return subjects.map(() => finish(one, nobody, []));
  }
}
