import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { isObject, type JsonObject } from "../../internal/json.ts";
import { generateSigner, type KeyAlgorithm, type Signer } from "../../keys/mod.ts";
import { createServices } from "../../tools/pki/services.ts";
import { parseIdentityToken } from "../oidc/mod.ts";
import { parseTrustedRoot } from "../trusted_root.ts";
import { verifySigstoreBundle } from "../verify.ts";
import { attempt, BLOB, ENVELOPE, reasons, setting, signedArtifact } from "./_fixtures_test.ts";
import type { SignedBundle, SigningStep } from "./options.ts";
import { signKeyless, signWithKey } from "./sign.ts";
import { parseSigningConfig } from "./signing_config.ts";

const WORKFLOW = "https://github.com/acme/app/.github/workflows/release.yml@refs/heads/main";

function member(json: unknown, ...path: (string | number)[]): unknown {
  return path.reduce((value: unknown, name) => {
    if (Array.isArray(value)) return value[Number(name)];
    return isObject(value) ? value[name] : undefined;
  }, json);
}

const material = (made: SignedBundle) => member(made.bundle, "verificationMaterial");

describe("signKeyless()", () => {
  for (const rekor of [1, 2] as const) {
    for (const [name, content] of [["a blob", BLOB], ["an envelope", ENVELOPE]] as const) {
      for (const alg of ["ES256", "ES384"] as const) {
        it(`signs ${name} with ${alg} and logs it in Rekor v${rekor}`, async () => {
          const { options, root, services } = await setting();
          const made = await signKeyless(content, { ...options({ rekor }), alg });
          equal(made.identity?.subjectAlternativeName, WORKFLOW);
          equal(made.identity?.issuer, services.urls.oidc);
          equal(JSON.stringify(made.bundle), made.text);
          ok(!made.text.includes("\n"));
          deepEqual(made.logEntries.length, 1);
          equal(made.logEntries[0].url, services.urls[rekor === 1 ? "rekor1" : "rekor2"]);
          const result = await verifySigstoreBundle(made.text, {
            trustedRoots: [root],
            identity: { issuer: services.urls.oidc, subjectAlternativeName: WORKFLOW },
            thresholds: { timestampAuthority: 1, integratedTime: rekor === 1 ? 1 : 0 },
          }, await signedArtifact());
          equal(result.errorReason, null);
        });
      }
    }
  }

  it("asks in the order sign, timestamp, log", async () => {
    const { options, services } = await setting();
    const steps: SigningStep[] = [];
    await signKeyless(ENVELOPE, { ...options(), onStep: (step) => steps.push(step) });
    deepEqual(services.requests, [
      "fulcio POST /api/v2/signingCert",
      "tsa POST /api/v1/timestamp",
      "rekor2 POST /api/v2/log/entries",
    ]);
    deepEqual(steps, [
      { step: "certificate", url: services.urls.fulcio },
      { step: "sign" },
      { step: "timestamp", url: services.urls.tsa },
      { step: "log", url: services.urls.rekor2 },
      { step: "verify" },
    ]);
  });

  it("shows that it holds the key by a certificate request as well", async () => {
    for (const alg of ["ES256", "ES384"] as const) {
      const { options } = await setting();
      const proofOfPossession = "certificate-request";
      const made = await signKeyless(BLOB, { ...options(), alg, proofOfPossession });
      equal(made.identity?.subjectAlternativeName, WORKFLOW);
    }
  });

  it("signs for an e-mail address", async () => {
    const { options } = await setting({ claims: { email: "dev@example.com" } });
    for (const proofOfPossession of ["subject", "certificate-request"] as const) {
      const made = await signKeyless(BLOB, { ...options(), proofOfPossession });
      equal(made.identity?.subjectAlternativeName, "dev@example.com");
      equal(made.identity?.sanType, "email");
    }
  });

  it("signs for a subject that is a URI", async () => {
    const sub = "spiffe://example.org/ci";
    const { options } = await setting({ claims: { sub, job_workflow_ref: null } });
    equal((await signKeyless(BLOB, options())).identity?.subjectAlternativeName, sub);
  });

  it("writes the leaf only, and every number, also 0", async () => {
    const { options } = await setting();
    const made = await signKeyless(ENVELOPE, options());
    deepEqual(Object.keys(member(material(made), "certificate") as JsonObject), ["rawBytes"]);
    equal(member(material(made), "x509CertificateChain"), undefined);
    equal(member(made.bundle, "mediaType"), "application/vnd.dev.sigstore.bundle.v0.3+json");
    const entry = member(material(made), "tlogEntries", 0);
    equal(member(entry, "logIndex"), "0");
    equal(member(entry, "inclusionProof", "logIndex"), "0");
    deepEqual(member(entry, "inclusionProof", "hashes"), []);
    equal(member(entry, "inclusionProof", "treeSize"), "1");
    equal(made.logEntries[0].logIndex, "0");
    equal(member(made.bundle, "dsseEnvelope", "signatures", 0, "keyid"), undefined);
  });

  it("turns the hex of Rekor v1 into base64", async () => {
    const { options } = await setting();
    await signKeyless(BLOB, options({ rekor: 1 }));
    const made = await signKeyless(BLOB, options({ rekor: 1 }));
    const entry = member(material(made), "tlogEntries", 0);
    for (const path of [["logId", "keyId"], ["inclusionProof", "rootHash"]]) {
      equal(atob(String(member(entry, ...path))).length, 32);
    }
    equal(member(entry, "logIndex"), "4163432");
    equal(member(entry, "inclusionProof", "logIndex"), "1");
  });

  it("keeps the payload's bytes, and those at the time of the call", async () => {
    const { options } = await setting();
    const payload = new TextEncoder().encode('{ "a" :1 }');
    const work = signKeyless({ payloadType: "text/x", payload }, options());
    payload.fill(0);
    const made = await work;
    equal(atob(String(member(made.bundle, "dsseEnvelope", "payload"))), '{ "a" :1 }');
  });

  it("makes another key for each signature", async () => {
    const { options } = await setting();
    const certificates = await Promise.all([1, 2].map(async () => {
      const made = await signKeyless(BLOB, options());
      return member(material(made), "certificate", "rawBytes");
    }));
    ok(certificates[0] !== certificates[1]);
  });

  it("uses several logs and authorities at once when the selector says so", async () => {
    const { options, services } = await setting();
    const made = await signKeyless(ENVELOPE, options({ all: true }));
    equal(made.logEntries.length, 2);
    equal(made.timestamps.length, 4);
    equal(services.requests.length, 5);
  });

  it("fails when one of several fails, with that one's reason", async () => {
    for (const name of ["tsa-second", "rekor1-second"] as const) {
      const { options } = await setting({ faults: { [name]: "403" } });
      equal(reasons(await attempt(ENVELOPE, options({ all: true }))), "service-refused");
    }
  });

  it("stops the others when one of several fails", async () => {
    const { options, services } = await setting({ faults: { "tsa": "slow", "tsa-second": "403" } });
    const outcome = await attempt(ENVELOPE, { ...options({ all: true }), timeoutMs: 1 << 30 });
    equal(reasons(outcome), "service-refused");
    equal(services.requests.filter((one) => one.startsWith("rekor")).length, 0);
  });

  it("takes the time of a log of version 1 when there is no authority", async () => {
    const { options } = await setting();
    const made = await signKeyless(BLOB, options({ rekor: 1, timestamps: false }));
    deepEqual(made.timestamps.map(({ type }) => type), ["transparency-log"]);
    equal(member(material(made), "timestampVerificationData"), undefined);
  });

  it("needs no log when the instance has none", async () => {
    const { options } = await setting();
    const made = await signKeyless(BLOB, options({ rekor: "none" }));
    deepEqual(made.logEntries, []);
  });

  it("refuses a configuration under which nobody vouches for the time, and asks nobody", async () => {
    for (const rekor of [2, "none"] as const) {
      const { options, services } = await setting();
      const outcome = await attempt(BLOB, options({ rekor, timestamps: false }));
      equal(reasons(outcome), "unsatisfied-signing-config");
      deepEqual(services.requests, []);
    }
  });

  it("refuses a configuration without an authority for now", async () => {
    const { options, services } = await setting();
    const outcome = await attempt(BLOB, {
      ...options(),
      signingConfig: { ...options().signingConfig, caUrls: [] },
    });
    equal(reasons(outcome), "unsatisfied-signing-config");
    deepEqual(services.requests, []);
  });

  it("takes a parsed token, and refuses one that has expired since", async () => {
    const { options, token, services } = await setting();
    const identityToken = parseIdentityToken(token);
    ok((await signKeyless(BLOB, { ...options(), identityToken })).identity);
    const before = services.requests.length;
    const later = new Date(identityToken.expiresAt.getTime() + 3_600_000);
    for (const given of [identityToken, token]) {
      const outcome = await attempt(BLOB, {
        ...options(),
        identityToken: given,
        now: () => later,
      });
      equal(reasons(outcome), "identity-token-expired");
    }
    equal(services.requests.length, before);
  });

  it("takes a parsed token for the audience that it was parsed for", async () => {
    const { options, token, services } = await setting({ claims: { aud: "elsewhere" } });
    const identityToken = parseIdentityToken(token, { audience: "elsewhere" });
    // The throw-away authority wants another one, and says so.
    equal(reasons(await attempt(BLOB, { ...options(), identityToken })), "service-refused");
    deepEqual(services.requests, ["fulcio POST /api/v2/signingCert"]);
  });

  it("refuses a token for somebody else before anybody sees it", async () => {
    const { options, services } = await setting({ claims: { aud: "elsewhere" } });
    equal(reasons(await attempt(BLOB, options())), "audience-mismatch");
    deepEqual(services.requests, []);
  });

  it("accepts the issuer that a broker asked", async () => {
    const { options, services } = await setting({ claims: { email: "dev@example.com" } });
    services.faults.fulcio = "other-issuer";
    equal(reasons(await attempt(BLOB, options())), "response-mismatch");
    const federated = await services.token({
      email: "dev@example.com",
      federated_claims: { connector_id: "https://other.example" },
    });
    const made = await signKeyless(BLOB, { ...options(), identityToken: federated });
    equal(made.identity?.issuer, "https://other.example");
  });

  it("returns nothing when the trusted root is of another instance", async () => {
    const { options } = await setting();
    const root = parseTrustedRoot({
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    });
    const outcome = await attempt(BLOB, { ...options(), trustedRoots: [root] });
    equal(reasons(outcome), "response-mismatch < untrusted-certificate");
  });

  it("returns nothing when the trusted root has given the authority up", async () => {
    const { options, services } = await setting();
    const { trustedRoot } = services;
    const given = trustedRoot.certificateAuthorities as JsonObject[];
    const validFor = { start: "2025-01-01T00:00:00Z", end: "2025-02-01T00:00:00Z" };
    const certificateAuthorities = given.map((authority) => ({ ...authority, validFor }));
    const root = parseTrustedRoot({ ...trustedRoot, certificateAuthorities });
    const outcome = await attempt(BLOB, { ...options(), trustedRoots: [root] });
    equal(reasons(outcome), "response-mismatch < certificate-not-valid");
  });

  it("returns nothing when the evidence needs two roots", async () => {
    const { options, services } = await setting();
    const { certificateAuthorities, ctlogs, tlogs, timestampAuthorities } = services.trustedRoot;
    const base = { mediaType: services.trustedRoot.mediaType };
    const split = [
      parseTrustedRoot({ ...base, certificateAuthorities, ctlogs }),
      parseTrustedRoot({ ...base, tlogs, timestampAuthorities }),
    ];
    const outcome = await attempt(BLOB, { ...options(), trustedRoots: split });
    equal(reasons(outcome).split(" < ")[0], "produced-invalid");
    ok(reasons(outcome).split(" < ").length === 2);
  });

  it("finds the right one among several roots", async () => {
    const { options, root } = await setting();
    const empty = parseTrustedRoot({
      mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
    });
    ok((await signKeyless(BLOB, { ...options(), trustedRoots: [empty, root] })).identity);
  });

  it("stops when the caller does", async () => {
    const controller = new AbortController();
    const { options, services } = await setting();
    const outcome = await attempt(BLOB, {
      ...options(),
      signal: controller.signal,
      onStep: ({ step }) => step === "timestamp" && controller.abort(),
    });
    equal(reasons(outcome), "aborted");
    equal(services.requests.filter((one) => one.startsWith("rekor")).length, 0);
    equal(
      reasons(await attempt(BLOB, { ...options(), signal: AbortSignal.abort() })),
      "aborted",
    );
  });

  it("draws its nonce from the source that is given", async () => {
    const { options } = await setting();
    const asked: number[] = [];
    for (const fill of [0, 0x80, 0xff]) {
      const randomBytes = (length: number) => {
        asked.push(length);
        return new Uint8Array(length).fill(fill);
      };
      ok((await signKeyless(BLOB, { ...options(), randomBytes })).identity);
    }
    deepEqual(asked, [16, 16, 16]);
  });

  it("refuses a payload that verifiers would not read", async () => {
    const { options, services } = await setting();
    const payload = new Uint8Array((16 << 20) + 1);
    const outcome = await attempt({ payloadType: "text/x", payload }, options());
    equal(reasons(outcome), "limit-exceeded");
    deepEqual(services.requests, []);
  });

  it("refuses wrong arguments", async () => {
    const { options, root, services } = await setting();
    const noRoots = "trustedRoots is empty: what the services answer could not be verified";
    const noToken = "identityToken is neither text nor a parsed token";
    const wrong: [object, string][] = [
      [{ algorithm: "ES256" }, 'Unknown option "algorithm" of signKeyless()'],
      [{ alg: "RS256" }, "alg must be ES256 or ES384: other keys are not made for one signature"],
      [
        { proofOfPossession: "none" },
        'proofOfPossession must be "subject" or "certificate-request"',
      ],
      ...[[], undefined, root, new Set([root]), { length: 1, 0: root }]
        .map((trustedRoots): [object, string] => [{ trustedRoots }, noRoots]),
      ...[1, {}, null, undefined, ["a.b.c"], { token: 1 }]
        .map((identityToken): [object, string] => [{ identityToken }, noToken]),
    ];
    for (const [changes, message] of wrong) {
      await rejects(signKeyless(BLOB, { ...options(), ...changes }), {
        name: "TypeError",
        message,
      });
    }
    for (const content of [{ artifact: "text" }, { payload: "text", payloadType: "text/x" }]) {
      await rejects(signKeyless(content as never, options()), TypeError);
    }
    deepEqual(services.requests, []);
  });
});

describe("signWithKey()", () => {
  const algorithms: KeyAlgorithm[] = ["ES256", "ES384", "RS256", "Ed25519"];
  for (const alg of algorithms) {
    it(`signs with ${alg} and asks nobody`, async () => {
      const { signer, trustedKey } = await generateSigner(alg);
      for (const content of [BLOB, ENVELOPE]) {
        const fetch = () => Promise.reject(new Error("asked"));
        const made = await signWithKey(content, signer, { fetch });
        const result = await verifySigstoreBundle(
          made.text,
          { trustedRoots: [], keys: [trustedKey] },
          await signedArtifact(),
        );
        equal(result.errorReason, null);
        deepEqual(made.logEntries, []);
        equal(made.identity, undefined);
      }
    });
  }

  it("logs and stamps what the log takes", async () => {
    const { services, root } = await setting();
    for (const rekor of [1, 2] as const) {
      for (const alg of ["ES256", "RS256"] as const) {
        const { signer, trustedKey } = await generateSigner(alg);
        for (const content of [BLOB, ENVELOPE]) {
          if (alg === "RS256" && rekor === 2) continue; // The throw-away log knows 2048 bits.
          const signingConfig = parseSigningConfig(services.signingConfig({ rekor }));
          const { text, logEntries, timestamps } = await signWithKey(content, signer, {
            signingConfig,
            trustedRoots: [root],
            fetch: services.fetch,
          });
          equal(logEntries.length, 1);
          equal(timestamps.length, rekor === 1 ? 2 : 1);
          const result = await verifySigstoreBundle(text, {
            trustedRoots: [root],
            keys: [trustedKey],
            thresholds: { log: 1, timestampAuthority: 1 },
          }, await signedArtifact());
          equal(result.errorReason, null);
        }
      }
    }
  });

  it("logs an Ed25519 envelope in version 1, and nothing else of Ed25519", async () => {
    const { services, root } = await setting();
    const { signer } = await generateSigner("Ed25519");
    const sign = async (content: typeof BLOB, rekor: 1 | 2): Promise<string> => {
      const signingConfig = parseSigningConfig(services.signingConfig({ rekor }));
      const options = { signingConfig, trustedRoots: [root], fetch: services.fetch };
      try {
        await signWithKey(content, signer, options);
        return "ok";
      } catch (error) {
        return isAttestationError(error) ? error.reason : String(error);
      }
    };
    equal(await sign(ENVELOPE, 1), "ok");
    const asked = services.requests.length;
    equal(await sign(BLOB, 1), "unsupported-algorithm");
    equal(await sign(ENVELOPE, 2), "unsupported-algorithm");
    equal(await sign(BLOB, 2), "unsupported-algorithm");
    equal(services.requests.length, asked);
  });

  it("takes the entry that is there when a signature is the same again", async () => {
    const { services, root } = await setting();
    const { signer } = await generateSigner("Ed25519");
    const signingConfig = parseSigningConfig(services.signingConfig({ rekor: 1 }));
    const options = { signingConfig, trustedRoots: [root], fetch: services.fetch };
    const first = await signWithKey(ENVELOPE, signer, options);
    const again = await signWithKey(ENVELOPE, signer, options);
    deepEqual(again.logEntries, first.logEntries);
    ok(services.requests.at(-1)?.startsWith("rekor1 GET /api/v1/log/entries/"));
  });

  it("writes the hint, and a keyid only if it is the same", async () => {
    const named = (await generateSigner("Ed25519", { keyid: "ci" })).signer;
    const nameless = (await generateSigner("Ed25519")).signer;
    const hints = async (signer: Signer, keyHint?: string) => {
      const made = await signWithKey(ENVELOPE, signer, keyHint === undefined ? {} : { keyHint });
      return [
        member(material(made), "publicKey", "hint"),
        member(made.bundle, "dsseEnvelope", "signatures", 0, "keyid"),
      ];
    };
    deepEqual(await hints(named), ["ci", "ci"]);
    deepEqual(await hints(named, "other"), ["other", undefined]);
    deepEqual(await hints(nameless, "other"), ["other", undefined]);
    const [hint] = await hints(nameless);
    equal(atob(String(hint)).length, 32);
  });

  it("returns nothing when the signer signs something else", async () => {
    const { signer } = await generateSigner("ES256");
    const wrong: Signer[] = [
      { ...signer, sign: () => signer.sign(new Uint8Array(1)) },
      { ...signer, sign: () => Promise.resolve(new Uint8Array(64)) },
    ];
    for (const one of wrong) {
      await rejects(signWithKey(ENVELOPE, one), (error) => {
        ok(isAttestationError(error));
        equal(error.reason, "produced-invalid");
        ok(isAttestationError(error.cause));
        equal(error.cause.reason, "invalid-signature");
        return true;
      });
    }
  });

  it("refuses services without roots, and wrong options", async () => {
    const { signer } = await generateSigner("ES256");
    const services = await createServices();
    const signingConfig = parseSigningConfig(services.signingConfig());
    await rejects(signWithKey(BLOB, signer, { signingConfig, fetch: services.fetch }), TypeError);
    for (const keyHint of ["", 7, null, ["ci"]] as string[]) {
      await rejects(signWithKey(BLOB, signer, { keyHint }), {
        name: "TypeError",
        message: "keyHint is not a string, or empty",
      });
    }
    await rejects(signWithKey(BLOB, signer, { hint: "a" } as never), TypeError);
    deepEqual(services.requests, []);
  });
});
