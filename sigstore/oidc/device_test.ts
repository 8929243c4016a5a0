import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { encodeBase64Url } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import { CLAIMS, NOW, scripted, TOKEN, tokenOf } from "./_tokens_test.ts";
import { deviceIdentityToken, type DevicePrompt, type DeviceTokenOptions } from "./device.ts";

const ISSUER = CLAIMS.iss;
const CONFIGURATION = {
  issuer: ISSUER,
  device_authorization_endpoint: `${ISSUER}/device/code`,
  token_endpoint: `${ISSUER}/token`,
  code_challenge_methods_supported: ["S256", "plain"],
};
const GRANT = {
  device_code: "device-secret-0123456789",
  user_code: "WDJB-MJHT",
  verification_uri: `${ISSUER}/device`,
  verification_uri_complete: `${ISSUER}/device?user_code=WDJB-MJHT`,
  expires_in: 60,
  interval: 7,
};
const PENDING = () => Response.json({ error: "authorization_pending" }, { status: 400 });
const GIVEN = () => Response.json({ access_token: "x", id_token: TOKEN, token_type: "bearer" });

/** Goes through the flow with these answers, with a clock that only waiting moves. */
async function flow(
  answers: {
    configuration?: unknown;
    grant?: unknown;
    tokens?: (Response | (() => Response))[];
    options?: Partial<DeviceTokenOptions>;
  },
) {
  const { configuration = CONFIGURATION, grant = GRANT, tokens = [GIVEN], options } = answers;
  const { fetch, asked } = scripted(
    Response.json(configuration),
    Response.json(grant),
    ...tokens,
  );
  const waits: number[] = [];
  const shown: DevicePrompt[] = [];
  let now = NOW.getTime();
  let reason = "none";
  let message = "";
  let token;
  try {
    token = await deviceIdentityToken(ISSUER, {
      fetch,
      show: (prompt) => shown.push(prompt),
      now: () => new Date(now),
      sleep: (ms) => {
        waits.push(ms / 1000);
        now += ms;
        return Promise.resolve();
      },
      retries: 0,
      ...options,
    });
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    const told = `${error.message} ${error.stack} ${error.cause}`;
    ok(!told.includes("device-secret") && !told.includes(TOKEN.slice(-12)), told);
    ({ reason, message } = error);
  }
  return { reason, message, token, asked, waits, shown };
}

const formOf = (body: string) => Object.fromEntries(new URLSearchParams(body));

describe("deviceIdentityToken()", () => {
  it("shows a code, waits, and gets a token that is bound to a secret", async () => {
    const { token, asked, waits, shown } = await flow({
      tokens: [PENDING, PENDING, GIVEN],
      options: { randomBytes: (length) => new Uint8Array(length).fill(7) },
    });
    equal(token?.token, TOKEN);
    deepEqual(shown, [{
      verificationUri: GRANT.verification_uri,
      verificationUriComplete: GRANT.verification_uri_complete,
      userCode: GRANT.user_code,
      expiresAt: new Date(NOW.getTime() + 60_000),
    }]);
    deepEqual(waits, [7, 7, 7]);
    deepEqual(asked.map(({ method, url }) => `${method} ${url}`), [
      `GET ${ISSUER}/.well-known/openid-configuration`,
      `POST ${ISSUER}/device/code`,
      `POST ${ISSUER}/token`,
      `POST ${ISSUER}/token`,
      `POST ${ISSUER}/token`,
    ]);
    const verifier = encodeBase64Url(new Uint8Array(32).fill(7));
    const challenge = encodeBase64Url(
      new Uint8Array(await crypto.subtle.digest("SHA-256", utf8(verifier))),
    );
    deepEqual(formOf(asked[1].body), {
      client_id: "sigstore",
      scope: "openid email",
      code_challenge: challenge,
      code_challenge_method: "S256",
    });
    deepEqual(formOf(asked[2].body), {
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      device_code: GRANT.device_code,
      client_id: "sigstore",
      code_verifier: verifier,
    });
    equal(asked[1].headers["content-type"], "application/x-www-form-urlencoded");
  });

  it("takes another secret each time", async () => {
    const first = await flow({});
    const second = await flow({});
    const verifierOf = ({ asked }: typeof first) => formOf(asked[2].body).code_verifier;
    ok(verifierOf(first).length >= 43 && verifierOf(first) !== verifierOf(second));
  });

  it("slows down when it is told to, and for good", async () => {
    const slow = () => Response.json({ error: "slow_down" }, { status: 400 });
    const { waits, token } = await flow({ tokens: [slow, PENDING, slow, GIVEN] });
    ok(token !== undefined);
    deepEqual(waits, [7, 12, 12, 17]);
  });

  it("waits at least a second and at most a minute, by default five", async () => {
    const wait = async (interval: unknown) =>
      (await flow({ grant: { ...GRANT, interval, expires_in: 600 } })).waits[0];
    equal(await wait(undefined), 5);
    equal(await wait(0.001), 1);
    equal(await wait(1e9), 60);
  });

  it("takes 401 for what others answer with 400", async () => {
    const pending = () => Response.json({ error: "authorization_pending" }, { status: 401 });
    ok((await flow({ tokens: [pending, GIVEN] })).token !== undefined);
  });

  it("ends when it is denied, expires, or is something else", async () => {
    const ends: [Response, string][] = [
      [Response.json({ error: "access_denied" }, { status: 400 }), "device-flow-failed"],
      [Response.json({ error: "expired_token" }, { status: 400 }), "device-flow-failed"],
      [Response.json({ error: "invalid_grant\u001b[31m" }, { status: 400 }), "device-flow-failed"],
      [Response.json({ error: 7 }, { status: 400 }), "malformed-response"],
      [Response.json({ id_token: TOKEN }, { status: 403 }), "malformed-response"],
      [Response.json({ access_token: "x" }), "malformed-response"],
      [new Response("<html>"), "malformed-response"],
      [new Response("no", { status: 404 }), "service-refused"],
      [new Response("no", { status: 503 }), "service-unavailable"],
    ];
    for (const [answer, reason] of ends) equal((await flow({ tokens: [answer] })).reason, reason);
  });

  it("says how it ended, in words of the issuer that are cut and clean", async () => {
    const words: [string, string][] = [
      ["access_denied", "it was denied"],
      ["expired_token", "the code expired"],
      ["invalid\u001b[2J", 'the issuer answered "invalid\ufffd[2J"'],
      ["x".repeat(65), `the issuer answered "${"x".repeat(64)}…"`],
    ];
    for (const [error, told] of words) {
      const { message } = await flow({ tokens: [Response.json({ error }, { status: 400 })] });
      equal(message, `Cannot identify by another device: ${told}`);
    }
  });

  it("stops asking when the code has expired", async () => {
    const tokens = Array.from({ length: 1000 }, () => PENDING);
    const { reason, waits } = await flow({ tokens });
    equal(reason, "device-flow-failed");
    equal(waits.length, Math.ceil(60 / 7));
    // Also with a clock that stands still.
    const still = await flow({ tokens, options: { now: () => NOW } });
    equal(still.reason, "device-flow-failed");
    equal(still.waits.length, Math.ceil(60 / 7));
    const forever = await flow({ tokens, grant: { ...GRANT, expires_in: 1e12, interval: 60 } });
    equal(forever.waits.length, 60);
  });

  it("asks no more at the moment at which the code expires", async () => {
    const tokens = Array.from({ length: 10 }, () => PENDING);
    // RFC 8628, 3.2: `expires_in` counts from the answer, however long the requests take.
    let now = NOW.getTime();
    const clocks: Partial<DeviceTokenOptions>[] = [
      { now: () => NOW },
      { now: () => new Date(now), sleep: () => Promise.resolve(void (now += 20_000)) },
    ];
    for (const [interval, options] of [[20, clocks[0]], [1, clocks[1]]] as const) {
      const { reason, asked } = await flow({ grant: { ...GRANT, interval }, tokens, options });
      equal(reason, "device-flow-failed");
      equal(asked.filter(({ url }) => url.endsWith("/token")).length, 3);
    }
  });

  it("refuses an issuer that calls itself otherwise", async () => {
    for (const issuer of ["https://evil.example", `${ISSUER}/`, undefined, 7]) {
      const { reason, asked } = await flow({ configuration: { ...CONFIGURATION, issuer } });
      equal(reason, "response-mismatch");
      equal(asked.length, 1);
    }
  });

  it("refuses a token of another issuer or for another client", async () => {
    const give = (
      claims: object,
    ) => [Response.json({ id_token: tokenOf({ ...CLAIMS, ...claims }) })];
    equal(
      (await flow({ tokens: give({ iss: "https://evil.example" }) })).reason,
      "response-mismatch",
    );
    equal((await flow({ tokens: give({ aud: "other" }) })).reason, "audience-mismatch");
    const options = { clientId: "acme-cli" };
    const { token, asked } = await flow({ tokens: give({ aud: "acme-cli" }), options });
    ok(token !== undefined);
    equal(formOf(asked[1].body).client_id, "acme-cli");
    equal(formOf(asked[2].body).client_id, "acme-cli");
  });

  it("refuses an issuer without this flow, or without PKCE", async () => {
    const lacks: [object, string][] = [
      [{ device_authorization_endpoint: undefined }, "device-flow-failed"],
      [{ code_challenge_methods_supported: ["plain"] }, "device-flow-failed"],
      [{ code_challenge_methods_supported: "S256" }, "device-flow-failed"],
      [{ token_endpoint: undefined }, "malformed-response"],
      [{ device_authorization_endpoint: "http://issuer.example/device" }, "service-refused"],
      [{ token_endpoint: "http://issuer.example/token" }, "service-refused"],
    ];
    for (const [change, reason] of lacks) {
      const { asked, ...flown } = await flow({ configuration: { ...CONFIGURATION, ...change } });
      equal(flown.reason, reason);
      ok(asked.length <= 2);
    }
    const silent = { ...CONFIGURATION, code_challenge_methods_supported: undefined };
    const { token, asked } = await flow({ configuration: silent });
    ok(token !== undefined, "an issuer need not say what it supports");
    equal(formOf(asked[1].body).code_challenge_method, "S256");
  });

  it("shows nothing that acts on a terminal or opens no page", async () => {
    const changes: object[] = [
      { user_code: "" },
      { user_code: "A\u001b[2J" },
      { user_code: "A\nOpen https://evil.example" },
      { user_code: "A".repeat(65) },
      // As a code reads that was cut.
      { user_code: `${"A".repeat(64)}…` },
      { verification_uri: "javascript:alert(1)" },
      { verification_uri: "file:///etc/passwd" },
      { verification_uri: "http://issuer.example/device" },
      { verification_uri: "https://issuer.example@evil.example/" },
      { verification_uri: "https://:issuer.example@evil.example/" },
      { verification_uri: "https://issuer.example:443@evil.example/" },
      // A host of this machine makes no page of what the browser would run or fetch otherwise.
      { verification_uri: "javascript://localhost/%0aalert(1)" },
      { verification_uri: "ftp://127.0.0.1/page" },
      { verification_uri: "issuer.example/device" },
      { verification_uri_complete: "data:text/html,x" },
      { verification_uri: `https://issuer.example/${"x".repeat(2048)}` },
      { device_code: "" },
      { device_code: "x".repeat(5000) },
      { expires_in: 0 },
      { expires_in: "60" },
      { interval: -1 },
    ];
    for (const change of changes) {
      const { reason, asked } = await flow({ grant: { ...GRANT, ...change } });
      equal(reason, "malformed-response", JSON.stringify(change));
      equal(asked.length, 2);
    }
  });

  it("shows the longest code, a page of this machine, and no page that is not given", async () => {
    const shownOf = async (change: object) => {
      const { shown, token } = await flow({ grant: { ...GRANT, ...change } });
      ok(token !== undefined);
      return shown[0];
    };
    equal((await shownOf({ user_code: "A".repeat(64) })).userCode, "A".repeat(64));
    for (const host of ["localhost:8080", "127.0.0.1", "[::1]:8080"]) {
      const page = `http://${host}/device`;
      equal((await shownOf({ verification_uri: page })).verificationUri, page);
    }
    // RFC 8628, 3.2: optional.
    for (const none of [undefined, ""]) {
      const prompt = await shownOf({ verification_uri_complete: none });
      ok(!("verificationUriComplete" in prompt));
    }
  });

  it("stops when the caller does", async () => {
    const controller = new AbortController();
    const { reason, asked } = await flow({
      options: {
        signal: controller.signal,
        sleep: () => Promise.resolve(controller.abort()),
      },
    });
    equal(reason, "aborted");
    equal(asked.length, 2);
  });

  it("refuses wrong arguments", async () => {
    const show = () => {};
    const unknown = { show, client: "x" } as DeviceTokenOptions;
    await rejects(deviceIdentityToken(ISSUER, unknown), TypeError);
    await rejects(deviceIdentityToken(ISSUER, {} as DeviceTokenOptions), TypeError);
    const none = { show, ...scripted() };
    await rejects(
      deviceIdentityToken("no address", { show, fetch: none.fetch }),
      { reason: "service-refused" },
    );
  });
});
