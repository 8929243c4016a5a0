import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import type { JsonObject } from "../../internal/json.ts";
import {
  parseSigningConfig,
  parseTrustConfig,
  type SelectedServices,
  selectServices,
} from "./signing_config.ts";

const MEDIA_TYPE = "application/vnd.dev.sigstore.signingconfig.v0.2+json";
const ROOT = { mediaType: "application/vnd.dev.sigstore.trustedroot+json;version=0.1" };
const NOW = new Date("2025-06-01T00:00:00Z");

function service(name: string, more: JsonObject = {}): JsonObject {
  return {
    url: `https://${name}.example`,
    majorApiVersion: 1,
    validFor: { start: "2025-01-01T00:00:00Z" },
    operator: name,
    ...more,
  };
}

function config(members: JsonObject = {}): JsonObject {
  return { mediaType: MEDIA_TYPE, ...members };
}

/** An address of so many characters. */
function addressOf(length: number): string {
  return "https://ca.example/".padEnd(length, "x");
}

function reasonOf(work: () => unknown): string {
  try {
    work();
    return "ok";
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

describe("parseSigningConfig()", () => {
  it("reads services and selectors", () => {
    const text = JSON.stringify(config({
      caUrls: [service("ca")],
      oidcUrls: [service("oidc")],
      rekorTlogUrls: [service("log", { majorApiVersion: 2 })],
      rekorTlogConfig: { selector: "EXACT", count: 1 },
      tsaUrls: [
        service("tsa", {
          validFor: { start: "2025-01-01T00:00:00Z", end: "2026-01-01T00:00:00Z" },
        }),
      ],
      tsaConfig: { selector: "ALL" },
      unknown: [],
    }));
    for (const source of [text, new TextEncoder().encode(text), JSON.parse(text)]) {
      const read = parseSigningConfig(source);
      equal(read.caUrls[0].url, "https://ca.example");
      equal(read.rekorTlogUrls[0].majorApiVersion, 2);
      deepEqual(read.rekorTlogConfig, { selector: "EXACT", count: 1 });
      deepEqual(read.tsaConfig, { selector: "ALL" });
      deepEqual(read.tsaUrls[0].validFor.end, new Date("2026-01-01T00:00:00Z"));
    }
  });

  const malformed: Record<string, unknown> = {
    "another media type": { mediaType: "application/json" },
    "version 0.1": { mediaType: "application/vnd.dev.sigstore.signingconfig.v0.1+json" },
    "a trusted root": ROOT,
    "no media type": {},
    "an array": [],
    "services that are no array": config({ caUrls: {} }),
    "a service that is no object": config({ caUrls: ["https://ca.example"] }),
    "a service without an address": config({ caUrls: [service("ca", { url: "" })] }),
    "an address that is no URL": config({ tsaUrls: [service("tsa", { url: "tsa.example" })] }),
    "an address of a file": config({ caUrls: [service("ca", { url: "file:///etc/passwd" })] }),
    "an address with a password": config({ caUrls: [service("ca", { url: "https://a:b@c.d" })] }),
    "an address with a password alone": config({
      caUrls: [service("ca", { url: "https://:b@c.d" })],
    }),
    "an address with a fragment": config({
      caUrls: [service("ca", { url: "https://ca.example/#path" })],
    }),
    "an address that is too long": config({ caUrls: [service("ca", { url: addressOf(2049) })] }),
    "EXACT with 0": config({ tsaConfig: { selector: "EXACT", count: 0 } }),
    "EXACT with more than are read": config({ tsaConfig: { selector: "EXACT", count: 65 } }),
    "a validity without a start": config({ caUrls: [service("ca", { validFor: {} })] }),
    "no validity": config({ caUrls: [service("ca", { validFor: null })] }),
    "a start that is no time": config({
      caUrls: [service("ca", { validFor: { start: "yesterday" } })],
    }),
    "a negative version": config({ caUrls: [service("ca", { majorApiVersion: -1 })] }),
    "an operator that is no text": config({ caUrls: [service("ca", { operator: 1 })] }),
    "an unknown selector": config({ tsaConfig: { selector: "SOME" } }),
    "EXACT without a count": config({ tsaConfig: { selector: "EXACT" } }),
    "EXACT with a huge count": config({ tsaConfig: { selector: "EXACT", count: 1e9 } }),
  };
  for (const [name, source] of Object.entries(malformed)) {
    it(`refuses ${name}`, () => {
      equal(reasonOf(() => parseSigningConfig(source as object)), "malformed-signing-config");
    });
  }

  it("refuses an address with what a terminal would act on, which URL() takes", () => {
    for (
      const url of [
        "https://ca.example/\x1b[31m",
        "https://ca.\nexample",
        "https://ca.example/\u202e",
      ]
    ) {
      ok(URL.canParse(url));
      equal(
        reasonOf(() => parseSigningConfig(config({ caUrls: [service("ca", { url })] }))),
        "malformed-signing-config",
      );
    }
  });

  it("takes as much as it accepts", () => {
    const many = Array.from({ length: 64 }, (_, i) => service(`ca${i}`));
    const most = config({
      caUrls: many,
      oidcUrls: [service("oidc", { url: addressOf(2048) })],
      tsaConfig: { selector: "EXACT", count: 64 },
    });
    const { caUrls, tsaConfig } = parseSigningConfig(most);
    equal(caUrls.length, 64);
    deepEqual(tsaConfig, { selector: "EXACT", count: 64 });
  });

  it("takes a selector that says nothing for none", () => {
    const members = { rekorTlogConfig: {}, tsaConfig: { selector: "SERVICE_SELECTOR_UNDEFINED" } };
    const read = parseSigningConfig(config(members));
    ok(!("rekorTlogConfig" in read) && !("tsaConfig" in read));
  });

  it("bounds what it reads", () => {
    const many = Array.from({ length: 65 }, (_, i) => service(`ca${i}`));
    equal(reasonOf(() => parseSigningConfig(config({ caUrls: many }))), "limit-exceeded");
    equal(reasonOf(() => parseSigningConfig(" ".repeat((1 << 20) + 1))), "limit-exceeded");
  });

  it("reads JSON strictly", () => {
    equal(reasonOf(() => parseSigningConfig(`{"a":1,"a":1}`)), "duplicate-json-key");
    equal(reasonOf(() => parseSigningConfig("<html>")), "malformed-json");
  });
});

describe("parseTrustConfig()", () => {
  const both = (changes: JsonObject = {}): JsonObject => ({
    mediaType: "application/vnd.dev.sigstore.clienttrustconfig.v0.1+json",
    trustedRoot: ROOT,
    signingConfig: config({ caUrls: [service("ca")] }),
    ...changes,
  });

  it("reads both parts", () => {
    const { trustedRoot, signingConfig } = parseTrustConfig(JSON.stringify(both()));
    deepEqual(trustedRoot.logs, []);
    equal(signingConfig.caUrls.length, 1);
  });

  const refused: Record<string, [JsonObject, string]> = {
    "another media type": [{ mediaType: MEDIA_TYPE }, "malformed-signing-config"],
    "no root": [{ trustedRoot: null }, "malformed-signing-config"],
    "a root of another kind": [{ trustedRoot: {} }, "malformed-trusted-root"],
    "no configuration": [{ signingConfig: null }, "malformed-signing-config"],
    "a configuration of another kind": [{ signingConfig: ROOT }, "malformed-signing-config"],
  };
  for (const [name, [changes, reason]] of Object.entries(refused)) {
    it(`refuses ${name}`, () => equal(reasonOf(() => parseTrustConfig(both(changes))), reason));
  }

  it("says which of the two documents was wanted", () => {
    const root = { mediaType: "text/html" };
    throws(() => parseSigningConfig(root), /is not a signing configuration of version 0\.2/);
    throws(() => parseTrustConfig(root), /is not a client trust configuration of version 0\.1/);
  });
});

describe("selectServices()", () => {
  const select = (members: JsonObject, now = NOW): SelectedServices =>
    selectServices(parseSigningConfig(config(members)), now);
  const logs = (services: JsonObject[], rekorTlogConfig: JsonObject | null, now = NOW): string => {
    try {
      const { logs: found } = select({ rekorTlogUrls: services, rekorTlogConfig }, now);
      return found.map(({ url }) => url.replace(/https:\/\/(.*)\.example/, "$1")).join(" ");
    } catch (error) {
      if (isAttestationError(error)) return error.reason;
      throw error;
    }
  };
  const ANY = { selector: "ANY" }, ALL = { selector: "ALL" };
  const exact = (count: number) => ({ selector: "EXACT", count });
  const v2 = (name: string, more: JsonObject = {}) =>
    service(name, { majorApiVersion: 2, ...more });
  const from = (start: string, end?: string): JsonObject => ({
    validFor: end === undefined ? { start } : { start, end },
  });

  it("takes the highest version that is known", () => {
    equal(logs([service("a"), v2("b")], ANY), "b");
    equal(logs([service("a"), service("b", { majorApiVersion: 3 })], ANY), "a");
    equal(logs([service("a", { majorApiVersion: 9 })], ANY), "unsatisfied-signing-config");
  });

  it("mixes no versions to reach a number", () => {
    equal(logs([service("a"), v2("b")], exact(2)), "unsatisfied-signing-config");
    equal(logs([service("a"), v2("b")], ALL), "b");
  });

  it("takes services that are valid now, ends included", () => {
    const old = v2("old", from("2024-01-01T00:00:00Z", "2025-05-31T23:59:59Z"));
    const future = v2("future", from("2025-06-01T00:00:01Z"));
    equal(logs([old, future], ANY), "unsatisfied-signing-config");
    equal(logs([old, future, service("now")], ANY), "now");
    equal(logs([old], ANY, new Date("2025-05-31T23:59:59Z")), "old");
    equal(logs([future], ANY, new Date("2025-06-01T00:00:01Z")), "future");
  });

  it("prefers the newest", () => {
    const older = v2("older", { ...from("2025-01-01T00:00:00Z"), operator: "o" });
    const newer = v2("newer", { ...from("2025-03-01T00:00:00Z"), operator: "o" });
    equal(logs([older, newer], ANY), "newer");
    equal(logs([older, newer], ALL), "newer");
  });

  it("takes one service of each operator", () => {
    const twins = [v2("a", { operator: "o" }), v2("b", { operator: "o" }), v2("c")];
    equal(logs(twins, ALL), "a c");
    equal(logs(twins, exact(2)), "a c");
    equal(logs(twins, exact(3)), "unsatisfied-signing-config");
    equal(logs(twins, ANY), "a");
    const unnamed = [v2("a", { operator: "" }), v2("b", { operator: "" })];
    equal(logs(unnamed, exact(2)), "unsatisfied-signing-config");
  });

  it("needs to be told how many", () => {
    equal(logs([v2("a")], null), "unsatisfied-signing-config");
    equal(
      logs([v2("a")], { selector: "SERVICE_SELECTOR_UNDEFINED" }),
      "unsatisfied-signing-config",
    );
  });

  it("uses no kind that is not listed, unless a number is asked for", () => {
    equal(logs([], null), "");
    equal(logs([], ANY), "");
    equal(logs([], exact(1)), "unsatisfied-signing-config");
  });

  it("picks one authority and one issuer, or none", () => {
    const { ca, oidc, timestampAuthorities } = select({
      caUrls: [service("ca"), service("newer", from("2025-02-01T00:00:00Z"))],
      oidcUrls: [service("gone", from("2024-01-01T00:00:00Z", "2024-02-01T00:00:00Z"))],
      tsaUrls: [service("tsa"), service("tsa2")],
      tsaConfig: ALL,
    });
    equal(ca?.operator, "newer");
    equal(oidc, undefined);
    equal(timestampAuthorities.length, 2);
    equal(select({ oidcUrls: [service("issuer")] }).oidc?.operator, "issuer");
  });

  it("says what is missing", () => {
    throws(
      () => select({ tsaUrls: [service("a")], tsaConfig: exact(2) }),
      (error) => {
        ok(isAttestationError(error));
        ok(/timestamp authorities.*: 1, needed: 2/.test(error.message), error.message);
        return true;
      },
    );
  });
});
