import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { decodeBase64 } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { decodePem } from "../../internal/pem.ts";
import { type Certificate, parseCertificate } from "../../sigstore/certificate.ts";
import { findPaths, refusalAt } from "../../sigstore/chain.ts";
import { parseTimestampResponse, verifyTimestamp } from "../../sigstore/timestamp.ts";
import { list, load, options, ran, readBytes } from "./corpus.ts";

/* Third-party vectors: C2SP/x509-limbo, digitorus/timestamp and sigstore/timestamp-authority. */

interface LimboCase {
  id: string;
  features: string[];
  trusted_certs: string[];
  untrusted_intermediates: string[];
  peer_certificate: string;
  validation_time: string | null;
  expected_result: "SUCCESS" | "FAILURE";
  max_chain_depth: number | null;
}

/** What a path of certificates says nothing about: other layers, or no layer here. */
const SKIPPED: readonly (readonly [RegExp, string])[] = [
  [/^crl::/, "revocation lists: certificates live for minutes and are logged"],
  [/::(san|cn)::|wrong-san/, "names of servers: an identity is compared by the identity policy"],
  [/::nc::/, "name constraints: refused whatever they say, see the test of its own"],
  [/^pathlen::max-chain-depth/, "a depth that the caller chooses"],
  [
    /^webpki::eku::|^rfc5280::eku::/,
    "server purposes: the leaf's purpose is checked by the profile",
  ],
  [
    /ca-as-leaf|ee-basicconstraints-ca|ku-keycertsign$/,
    "the leaf's own use is checked by the profile",
  ],
];

const MISSING = "key ids only order the search; the signature decides";
const ANCHOR = "who issued an anchor does not matter";
const BITS = "RSA of 2048 to 8192 bits, not only of whole octets";

/** Where this package decides otherwise than the origin, which calls all of them undetermined. */
const OTHERWISE: Readonly<Record<string, string>> = {
  "pathlen::self-issued-certs-pathlen": "self-issued certificates count for the path length",
  "rfc5280::aki::critical-aki": "a key id that is marked critical is read all the same",
  "rfc5280::aki::cross-signed-root-missing-aki": MISSING,
  "rfc5280::aki::intermediate-missing-aki": MISSING,
  "rfc5280::aki::leaf-missing-aki": MISSING,
  "rfc5280::ski::intermediate-missing-ski": MISSING,
  "rfc5280::ski::root-missing-ski": MISSING,
  "rfc5280::root-non-critical-basic-constraints": "what is said counts, critical or not",
  "rfc5280::serial::zero": "a serial number is a name in timestamps, 0 is as good as 1",
  "rfc5280::validity::notafter-fractional": "the end is a moment, not a second",
  "webpki::aki::root-with-aki-all-fields": ANCHOR,
  "webpki::aki::root-with-aki-authoritycertissuer": ANCHOR,
  "webpki::aki::root-with-aki-authoritycertserialnumber": ANCHOR,
  "webpki::aki::root-with-aki-missing-keyidentifier": ANCHOR,
  "webpki::aki::root-with-aki-ski-mismatch": ANCHOR,
  "webpki::forbidden-rsa-key-not-divisible-by-8-in-leaf": BITS,
  "webpki::forbidden-rsa-not-divisible-by-8-in-root": BITS,
  "webpki::malformed-aia": "where issuers might be fetched is not read: nothing is fetched",
};

interface Outcome {
  accepted: boolean;
  reason: string;
}

async function outcomeOf(one: LimboCase): Promise<Outcome> {
  try {
    const read = (pem: string) => parseCertificate(decodePem(pem)[0].der);
    const tolerant = (pems: string[]) =>
      pems.flatMap((pem): Certificate[] => {
        try {
          return [read(pem)];
        } catch {
          return []; // One that cannot be read is not there.
        }
      });
    const leaf = read(one.peer_certificate);
    const authorities = tolerant(one.trusted_certs).map((anchor) => ({
      uri: "",
      operator: "",
      chain: [anchor],
      validFor: { start: new Date(0) },
    }));
    const paths = await findPaths(leaf, tolerant(one.untrusted_intermediates), authorities);
    const time = new Date(one.validation_time ?? "2026-11-22T00:00:00Z");
    const refusals = paths.map((path) => refusalAt(path, time, "certificate-not-valid"));
    if (refusals.includes(undefined)) return { accepted: true, reason: "accepted" };
    return { accepted: false, reason: refusals[0]!.reason };
  } catch (error) {
    if (isAttestationError(error)) return { accepted: false, reason: error.reason };
    throw error;
  }
}

function limbo(): LimboCase[] {
  return list("x509-limbo").filter((name) => name.endsWith(".json") && name !== "limbo-schema.json")
    .flatMap((name) => load<{ testcases: LimboCase[] }>(`x509-limbo/${name}`).testcases);
}

describe("findPaths() on x509-limbo", options, () => {
  it("decides what is about paths", async () => {
    const skipped = new Map<string, number>();
    const reasons = new Map<string, number>();
    const wrong: string[] = [];
    let run = 0;
    for (const one of limbo()) {
      const why = SKIPPED.find(([pattern]) => pattern.test(one.id))?.[1];
      if (why !== undefined) {
        skipped.set(why, (skipped.get(why) ?? 0) + 1);
        continue;
      }
      run++;
      const { accepted, reason } = await outcomeOf(one);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      const expected = one.expected_result === "SUCCESS";
      if ((accepted !== expected) !== Object.hasOwn(OTHERWISE, one.id)) {
        wrong.push(`${one.id}: ${one.expected_result}, here ${reason}`);
      }
    }
    console.log(`x509-limbo: ${run} run`, Object.fromEntries(reasons));
    console.log("x509-limbo skipped:", Object.fromEntries(skipped));
    ran("x509-limbo", run, Object.keys(OTHERWISE).length);
    deepEqual(wrong, []);
  });

  it("refuses name constraints of issuers, whatever they say", async () => {
    const accepted: string[] = [];
    for (const one of limbo().filter(({ id }) => /::nc::/.test(id))) {
      const { accepted: taken } = await outcomeOf(one);
      if (taken && one.expected_result === "FAILURE") accepted.push(one.id);
    }
    deepEqual(accepted, []);
  });
});

describe("verifyTimestamp() on third-party tokens", options, () => {
  it("reads digitorus/timestamp's responses", () => {
    const { cases } = load<{ cases: { name: string; response?: string; result?: string }[] }>(
      "rfc3161-digitorus/cases.json",
    );
    const found: [string, string][] = [];
    for (const { name, response } of cases) {
      if (response === undefined) continue;
      try {
        parseTimestampResponse(decodeBase64(response));
        found.push([name, "ok"]);
      } catch (error) {
        if (!isAttestationError(error)) throw error;
        found.push([name, error.reason]);
      }
    }
    console.log("digitorus:", JSON.stringify(found));
    ok(found.length > 0);
    ran("rfc3161-digitorus", found.length);
  });

  it("refuses the token with injected certificates", async () => {
    const der = readBytes("rfc3161-tsa/response-injected-certs.tsr");
    ran("rfc3161-tsa", 1);
    const token = parseTimestampResponse(der);
    const anchors = token.certificates.flatMap((raw): Certificate[] => {
      try {
        return [parseCertificate(raw)];
      } catch {
        return [];
      }
    });
    ok(anchors.length > 0);
    for (const anchor of anchors) {
      const authority = {
        uri: "",
        operator: "",
        chain: [anchor],
        validFor: { start: new Date(0) },
      };
      let reason = "ok";
      try {
        await verifyTimestamp(der, utf8("hello"), [authority]);
      } catch (error) {
        if (!isAttestationError(error)) throw error;
        reason = error.reason;
      }
      // Only the certificate that signed is good, where it is pinned itself; neither the
      // spoofed one nor a self-signed one of its name leads to it.
      const isSigner = new TextDecoder().decode(anchor.issuer).includes("Intermediate");
      equal(reason, isSigner ? "ok" : "untrusted-timestamp-authority");
    }
  });
});
