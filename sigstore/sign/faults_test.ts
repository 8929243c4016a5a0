import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Bytes } from "../../internal/bytes.ts";
import { type Fault, REQUEST_TOKEN, type ServiceName } from "../../tools/pki/services.ts";
import { ambientIdentityToken } from "../oidc/mod.ts";
import { attempt, BLOB, ENVELOPE, everyText, reasons, setting } from "./_fixtures_test.ts";
import type { SigningContent } from "./options.ts";

/** Services, with the version of the log in whose configuration they are. */
const SERVICES: readonly (readonly [ServiceName, 1 | 2])[] = [
  ["fulcio", 2],
  ["tsa", 2],
  ["rekor2", 2],
  ["rekor1", 1],
];

/** What each fault of any service leads to. */
const EVERYWHERE: Readonly<Record<string, string>> = {
  "down": "service-unavailable",
  "slow": "service-unavailable",
  "400-echo": "service-refused",
  "403": "service-refused",
  "429": "service-unavailable",
  "500": "service-unavailable",
  "500-once": "ok",
  "malformed": "malformed-response",
  "truncated": "malformed-response",
  "oversized": "limit-exceeded",
  "redirect": "service-refused",
};

/** What the faults of one service lead to: the reason, and the start of its causes. */
const ONLY: Readonly<Partial<Record<ServiceName, Readonly<Record<string, string>>>>> = {
  fulcio: {
    "409": "service-refused",
    "other-key": "response-mismatch",
    "other-subject": "response-mismatch",
    "other-issuer": "response-mismatch",
    "expired": "response-mismatch",
    "no-sct": "response-mismatch < response-mismatch",
    "other-sct": "response-mismatch < response-mismatch",
    "other-ca": "response-mismatch < untrusted-certificate",
    "detached-sct": "response-mismatch",
  },
  tsa: {
    "409": "service-refused",
    "rejected": "service-refused < timestamp-rejected",
    "wrong-nonce": "response-mismatch",
    "no-nonce": "response-mismatch",
    "wrong-imprint": "response-mismatch < timestamp-imprint-mismatch",
    "other-authority": "response-mismatch < untrusted-timestamp-authority",
  },
  rekor2: {
    "409": "service-refused",
    "lost-answer": "ok",
    "other-entry": "response-mismatch < log-digest-mismatch",
    "other-checkpoint-key": "response-mismatch < invalid-checkpoint-signature",
    "other-log": "response-mismatch",
  },
  rekor1: {
    "409": "ok",
    "lost-answer": "ok",
    "409-other": "response-mismatch < log-digest-mismatch",
    "409-elsewhere": "response-mismatch",
    "other-entry": "response-mismatch < log-digest-mismatch",
    "other-checkpoint-key": "response-mismatch < invalid-checkpoint-signature",
    "other-log": "response-mismatch",
  },
};

/** One try with a fault; what was sent to the certificate authority is kept. */
async function tryWith(
  service: ServiceName,
  rekor: 1 | 2,
  fault: Fault,
  content: SigningContent,
) {
  const { options, services, token } = await setting({ faults: { [service]: fault } });
  const sent: string[] = [];
  const waited: number[] = [];
  const outcome = await attempt(content, {
    ...options({ rekor }),
    // The services before the slow one must have answered by then, on a busy machine too.
    timeoutMs: fault === "slow" ? 1000 : 20_000,
    logTimeoutMs: fault === "slow" ? 1000 : 20_000,
    retries: fault === "slow" ? 0 : 1,
    sleep: (ms) => {
      waited.push(ms);
      return Promise.resolve();
    },
    fetch: (input, init) => {
      if (typeof init?.body === "string") sent.push(init.body);
      return services.fetch(input, init);
    },
  });
  return { outcome, services, token, sent, waited };
}

/** Proof of possession, key and all, as they were sent. */
function secretsOf(token: string, sent: string[]): string[] {
  const proof = sent.map((body) => JSON.parse(body).publicKeyRequest?.proofOfPossession)
    .find((one) => typeof one === "string");
  ok(proof !== undefined);
  const [header, claims, signature] = token.split(".");
  return [token, header, claims, signature, proof, "PRIVATE KEY"];
}

for (const [service, rekor] of SERVICES) {
  describe(`signKeyless() when ${service} fails`, () => {
    const faults = { ...EVERYWHERE, ...ONLY[service] };
    for (const [name, expected] of Object.entries(faults)) {
      const fault = name as Fault;
      for (const [what, content] of [["blob", BLOB], ["envelope", ENVELOPE]] as const) {
        if (fault === "slow" && what === "envelope") continue;
        it(`${fault}, ${what}: ${expected}`, async () => {
          const { outcome, token, sent, services } = await tryWith(service, rekor, fault, content);
          ok(`${reasons(outcome)} <`.startsWith(`${expected} <`), reasons(outcome));
          if (!(outcome instanceof Error)) return;
          const text = everyText(outcome) + JSON.stringify(outcome);
          for (const secret of secretsOf(token, sent)) {
            ok(!text.includes(secret), `${outcome.message} tells ${secret}`);
          }
          // Nobody is asked after the one who failed.
          const order = ["fulcio", "tsa", "rekor1", "rekor2"];
          const last = services.requests.at(-1)?.split(" ")[0] ?? "";
          equal(order.indexOf(last), order.indexOf(service));
        });
      }
    }

    it("waits as long as the service asks", async () => {
      const { waited } = await tryWith(service, rekor, "429", BLOB);
      deepEqual(waited, [7000]);
    });

    it("asks again once after a failure that may pass, and not after others", async () => {
      const count = async (fault: Fault) => {
        const { services } = await tryWith(service, rekor, fault, BLOB);
        return services.requests.filter((one) => one.startsWith(`${service} `)).length;
      };
      equal(await count("500"), 2);
      equal(await count("500-once"), 2);
      equal(await count("down"), 2);
      equal(await count("403"), 1);
      equal(await count("redirect"), 1);
    });
  });
}

describe("signKeyless() and bytes changed on the way", () => {
  const spoil = async (rekor: 1 | 2, path: string, change: (body: Bytes) => Bytes) => {
    const { options, services } = await setting();
    return await attempt(ENVELOPE, {
      ...options({ rekor }),
      retries: 0,
      fetch: async (input, init) => {
        const answer = await services.fetch(input, init);
        if (!input.endsWith(path)) return answer;
        const body = change(new Uint8Array(await answer.arrayBuffer()));
        return new Response(body, { status: answer.status });
      },
    });
  };
  const paths = [
    [2, "/api/v2/signingCert"],
    [2, "/api/v1/timestamp"],
    [2, "/api/v2/log/entries"],
    [1, "/api/v1/log/entries"],
  ] as const;
  for (const [rekor, path] of paths) {
    it(`returns nothing that does not verify, whichever bit of ${path} is flipped`, async () => {
      for (let i = 0; i < 24; i++) {
        const outcome = await spoil(rekor, path, (body) => {
          const at = Math.floor(body.length * (i + 0.5) / 24);
          const changed = body.slice();
          changed[at] ^= 1 << (i % 7);
          return changed;
        });
        const [reason] = reasons(outcome).split(" < ");
        // What is not read, such as the issuer's certificates, may change.
        const known = ["ok", "malformed-response", "response-mismatch", "service-refused"];
        ok(known.includes(reason), reasons(outcome));
      }
    });
  }

  const hollow = ["{}", "[]", "null", '""', "", "0", '{"a":{}}', '{"a":{"body":"e30="}}'];
  for (const [rekor, path] of paths) {
    it(`reads no answer of another form from ${path}`, async () => {
      for (const text of hollow) {
        const outcome = await spoil(rekor, path, () => new TextEncoder().encode(text));
        equal(reasons(outcome).split(" < ")[0], "malformed-response", text);
      }
    });
  }
});

describe("ambientIdentityToken() when the issuer fails", () => {
  for (const [name, expected] of Object.entries(EVERYWHERE)) {
    it(`${name}: ${expected}`, async () => {
      const { services } = await setting({ faults: { oidc: name as Fault } });
      const environment = {
        GITHUB_ACTIONS: "true",
        ACTIONS_ID_TOKEN_REQUEST_URL: `${services.urls.oidc}/token`,
        ACTIONS_ID_TOKEN_REQUEST_TOKEN: REQUEST_TOKEN,
      };
      let outcome = "ok";
      try {
        await ambientIdentityToken(environment, {
          fetch: services.fetch,
          timeoutMs: name === "slow" ? 1000 : 20_000,
          retries: 1,
          sleep: () => Promise.resolve(),
        });
      } catch (error) {
        ok(error instanceof Error);
        outcome = reasons(error);
        ok(!everyText(error).includes(REQUEST_TOKEN));
      }
      equal(outcome.split(" < ")[0], expected);
    });
  }
});
