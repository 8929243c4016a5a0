import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { decodeBase64, encodeBase64 } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { isObject, type JsonObject } from "../../internal/json.ts";
import { generateSigner } from "../../keys/mod.ts";
import { attempt, ENVELOPE, reasons, setting } from "./_fixtures_test.ts";
import { signWithKey } from "./sign.ts";
import { parseSigningConfig } from "./signing_config.ts";

const ENTRIES = "/api/v1/log/entries";

/** Signs while the log holds the entry already, and says where by another `location`. */
async function conflicting(locate: (base: string, id: string) => string | undefined) {
  const { options, services } = await setting({ faults: { rekor1: "409" } });
  const asked: string[] = [];
  const outcome = await attempt(ENVELOPE, {
    ...options({ rekor: 1 }),
    retries: 0,
    fetch: async (input, init) => {
      if (init?.method === "GET") asked.push(input);
      const answer = await services.fetch(input, init);
      if (answer.status !== 409) return answer;
      const id = answer.headers.get("location")?.split("/").at(-1) ?? "";
      const location = locate(services.urls.rekor1, id);
      const headers = location === undefined ? undefined : { location };
      return Response.json({}, { status: 409, headers });
    },
  });
  return { reason: reasons(outcome), asked, base: services.urls.rekor1 };
}

describe("logInRekorV1() when the entry is there already", () => {
  const own: Record<string, (base: string, id: string) => string> = {
    "its whole address": (base, id) => `${base}${ENTRIES}/${id}`,
    "a path below the log's own": (base, id) => `${new URL(base).pathname}${ENTRIES}/${id}`,
    // The log does not know of a proxy before it.
    "a path below the root": (_, id) => `${ENTRIES}/${id}`,
  };
  for (const [what, locate] of Object.entries(own)) {
    it(`gets it from its own address for ${what}`, async () => {
      let entry = "";
      const { reason, asked, base } = await conflicting((at, id) => locate(at, entry = id));
      equal(reason, "ok");
      deepEqual(asked, [`${base}${ENTRIES}/${entry}`]);
    });
  }

  const other: Record<string, (base: string, id: string) => string | undefined> = {
    "no address": () => undefined,
    "an empty one": () => "",
    "one of another host": (_, id) => `https://evil.example${ENTRIES}/${id}`,
    "one of another port": (base, id) => `${new URL(base).origin}:8443${ENTRIES}/${id}`,
    "one without TLS": (base, id) => `${base.replace("https:", "http:")}${ENTRIES}/${id}`,
    "another path": (base, id) => `${base}/api/v1/log/proof/${id}`,
    "a query": (base, id) => `${base}${ENTRIES}/${id}?logIndex=/${id}`,
    "what is no identifier of an entry": (base) => `${base}${ENTRIES}/retrieve`,
    "the folder above": (base) => `${base}${ENTRIES}/..`,
    "a shorter identifier": (base, id) => `${base}${ENTRIES}/${id.slice(1)}`,
    "no URL": (_, id) => `http://[/${id}`,
  };
  for (const [what, locate] of Object.entries(other)) {
    it(`asks nobody for ${what}`, async () => {
      const { reason, asked } = await conflicting(locate);
      equal(reason, "response-mismatch");
      deepEqual(asked, []);
    });
  }
});

describe("logInRekorV1() and answers that are not of their form", () => {
  type Logged = JsonObject & { verification: { inclusionProof: JsonObject } };
  const changes: Record<string, [(entry: Logged) => void, string]> = {
    "hashes that are an object": [
      ({ verification }) => void (verification.inclusionProof.hashes = {}),
      "malformed-response < malformed-response",
    ],
    "hashes that are a text": [
      ({ verification }) => void (verification.inclusionProof.hashes = "00"),
      "malformed-response < malformed-response",
    ],
    "a hash that is a number": [
      ({ verification }) => void (verification.inclusionProof.hashes = [7]),
      "malformed-response",
    ],
    "a checkpoint that is none": [
      ({ verification }) => void (verification.inclusionProof.checkpoint = "rekor\n1\n"),
      "malformed-response < malformed-checkpoint",
    ],
    "a body without its members": [
      (entry) => {
        const body = JSON.parse(new TextDecoder().decode(decodeBase64(String(entry.body))));
        entry.body = encodeBase64(utf8(JSON.stringify({ ...body, spec: {} })));
      },
      "malformed-response < malformed-log-entry",
    ],
  };
  for (const [what, [change, wanted]] of Object.entries(changes)) {
    it(`refuses ${what}`, async () => {
      const { options, services } = await setting();
      const outcome = await attempt(ENVELOPE, {
        ...options({ rekor: 1 }),
        fetch: async (input, init) => {
          const answer = await services.fetch(input, init);
          if (!input.endsWith(ENTRIES)) return answer;
          const json = await answer.json();
          ok(isObject(json));
          for (const entry of Object.values(json)) change(entry as Logged);
          return Response.json(json, { status: 201 });
        },
      });
      ok(`${reasons(outcome)} <`.startsWith(`${wanted} <`), reasons(outcome));
    });
  }
});

describe("checkKeyForV1()", () => {
  it("refuses RSA-PSS, over an envelope too, before anybody is asked", async () => {
    const { services, root } = await setting();
    const signingConfig = parseSigningConfig(services.signingConfig({ rekor: 1 }));
    const { signer } = await generateSigner("PS256");
    const options = { signingConfig, trustedRoots: [root], fetch: services.fetch };
    await rejects(signWithKey(ENVELOPE, signer, options), {
      reason: "unsupported-algorithm",
      message: /a log of version 1 takes no signature of RSA-PSS by .* over an envelope$/,
    });
    deepEqual(services.requests, []);
  });
});
