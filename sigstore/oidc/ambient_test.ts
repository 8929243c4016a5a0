import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { CLAIMS, NOW, scripted, TOKEN, tokenOf } from "./_tokens_test.ts";
import { ambientIdentityToken, type AmbientTokenOptions, type Environment } from "./ambient.ts";

const GITHUB = {
  GITHUB_ACTIONS: "true",
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://pipelines.example/token?api-version=2.0",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "request-secret-0123456789",
};
const BUILDKITE = {
  BUILDKITE: "true",
  BUILDKITE_AGENT_ACCESS_TOKEN: "agent-secret-0123456789",
  BUILDKITE_JOB_ID: "0190046e-e199-453b-a302-a21a4d649d31",
};
const CIRCLE = { CIRCLECI: "true" };
const CLOUD_BUILD = {
  PROJECT_ID: "acme-builds",
  BUILD_ID: "1a2b3c4d-0000-4000-8000-123456789abc",
};

const ask = (environment: Environment, options: AmbientTokenOptions = {}) =>
  ambientIdentityToken(environment, { now: NOW, sleep: () => Promise.resolve(), ...options });

async function refusal(environment: Environment, options: AmbientTokenOptions = {}) {
  try {
    await ask(environment, options);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    const told = `${error.message} ${error.stack} ${error.cause}`;
    for (const secret of ["request-secret", "agent-secret", TOKEN.slice(-12)]) {
      ok(!told.includes(secret), told);
    }
    return { reason: error.reason, message: error.message };
  }
  return { reason: "none", message: "" };
}

describe("ambientIdentityToken()", () => {
  it("finds nothing outside of a build, and asks nobody", async () => {
    const { fetch, asked } = scripted();
    equal(await ask({ PATH: "/bin", CI: "true" }, { fetch }), undefined);
    equal(await ask({ SIGSTORE_ID_TOKEN: "" }, { fetch }), undefined);
    equal(asked.length, 0);
  });

  it("takes SIGSTORE_ID_TOKEN first, wherever it is", async () => {
    const { fetch, asked } = scripted();
    for (const environment of [{}, GITHUB, { GITLAB_CI: "true" }]) {
      const token = await ask({ ...environment, SIGSTORE_ID_TOKEN: `${TOKEN}\n` }, { fetch });
      equal(token?.token, TOKEN);
    }
    equal(asked.length, 0);
    const { reason } = await refusal({ SIGSTORE_ID_TOKEN: "nonsense" });
    equal(reason, "malformed-identity-token");
  });

  it("asks GitHub Actions for the audience", async () => {
    const { fetch, asked } = scripted(Response.json({ count: 1, value: TOKEN }));
    equal((await ask(GITHUB, { fetch }))?.subject, CLAIMS.sub);
    equal(asked[0].url, "https://pipelines.example/token?api-version=2.0&audience=sigstore");
    equal(asked[0].method, "GET");
    equal(asked[0].headers.authorization, "bearer request-secret-0123456789");
  });

  it("says how a job of GitHub Actions gets a token", async () => {
    for (
      const withheld of [
        { ACTIONS_ID_TOKEN_REQUEST_URL: undefined },
        { ACTIONS_ID_TOKEN_REQUEST_TOKEN: "" },
      ]
    ) {
      const { reason, message } = await refusal({ ...GITHUB, ...withheld });
      equal(reason, "missing-identity-token");
      ok(message.includes("permissions: id-token: write"), message);
    }
  });

  it("says how a job of GitLab CI gets a token", async () => {
    const { reason, message } = await refusal({ GITLAB_CI: "true", CI_JOB_JWT: TOKEN });
    equal(reason, "missing-identity-token");
    ok(message.includes("id_tokens"), message);
  });

  it("asks the agent's API of Buildkite", async () => {
    const { fetch, asked } = scripted(
      Response.json({ token: TOKEN }),
      Response.json({ token: TOKEN }),
    );
    equal((await ask(BUILDKITE, { fetch }))?.token, TOKEN);
    deepEqual(asked[0], {
      url: "https://agent.buildkite.com/v3/jobs/0190046e-e199-453b-a302-a21a4d649d31/oidc/tokens",
      method: "POST",
      headers: {
        accept: "application/json",
        "accept-encoding": "identity",
        authorization: "Token agent-secret-0123456789",
        "content-type": "application/json",
      },
      body: '{"audience":"sigstore"}',
    });
    const own = { BUILDKITE_AGENT_ENDPOINT: "https://agent.example/v3/", BUILDKITE_JOB_ID: "../a" };
    await ask({ ...BUILDKITE, ...own }, { fetch });
    equal(asked[1].url, "https://agent.example/v3/jobs/..%2Fa/oidc/tokens");
    for (const withheld of ["BUILDKITE_AGENT_ACCESS_TOKEN", "BUILDKITE_JOB_ID"]) {
      for (const nothing of ["", undefined]) {
        const environment = { ...BUILDKITE, [withheld]: nothing };
        const { reason, message } = await refusal(environment, { fetch });
        equal(reason, "missing-identity-token");
        ok(message.includes(withheld), message);
      }
    }
    equal(asked.length, 2);
  });

  it("runs CircleCI's program, whose token alone has a chosen audience", async () => {
    const fixed = { CIRCLE_OIDC_TOKEN_V2: tokenOf({ ...CLAIMS, aud: "some-organization" }) };
    const ran: string[][] = [];
    const run = (command: string, args: readonly string[]) => {
      ran.push([command, ...args]);
      return Promise.resolve(`${TOKEN}\n`);
    };
    equal((await ask({ ...CIRCLE, ...fixed }, { run }))?.token, TOKEN);
    deepEqual(ran, [["circleci", "run", "oidc", "get", "--claims", '{"aud":"sigstore"}']]);

    const audience = "some-organization";
    equal((await ask({ ...CIRCLE, ...fixed }, { run, audience }))?.audience[0], audience);
    equal(ran.length, 1);
    equal((await refusal({ ...CIRCLE, ...fixed })).reason, "missing-identity-token");
    const failing = () => Promise.reject(new Error("not found"));
    equal((await refusal(CIRCLE, { run: failing })).reason, "missing-identity-token");
    const bad = { CIRCLE_OIDC_TOKEN_V2: "nonsense" };
    equal((await refusal({ ...CIRCLE, ...bad }, { run })).reason, "malformed-identity-token");
  });

  it("asks the metadata server of Google Cloud Build, without TLS only there", async () => {
    const { fetch, asked } = scripted(new Response(TOKEN), new Response(TOKEN));
    equal((await ask(CLOUD_BUILD, { fetch }))?.token, TOKEN);
    equal(
      asked[0].url,
      "http://metadata.google.internal/computeMetadata/v1/instance/service-accounts/default/" +
        "identity?audience=sigstore&format=full",
    );
    equal(asked[0].headers["metadata-flavor"], "Google");
    await ask({ ...CLOUD_BUILD, GCE_METADATA_HOST: "127.0.0.1:8080" }, { fetch });
    ok(asked[1].url.startsWith("http://127.0.0.1:8080/computeMetadata/"));
    for (const host of ["evil.example", "metadata.google.internal.evil.example", "a@b.example"]) {
      const { reason } = await refusal({ ...CLOUD_BUILD, GCE_METADATA_HOST: host }, { fetch });
      equal(reason, "service-refused");
    }
    equal(asked.length, 2);
    const { PROJECT_ID, BUILD_ID } = CLOUD_BUILD;
    // Other builds have a number or an id too: nobody of that name is asked without TLS there.
    const elsewhere = [{ PROJECT_ID, BUILD_ID: "17" }, { PROJECT_ID }, { BUILD_ID }, {
      PROJECT_ID: "",
      BUILD_ID,
    }];
    for (const environment of elsewhere) equal(await ask(environment, { fetch }), undefined);
    equal(asked.length, 2);
  });

  it("sends no credential without TLS, to a redirect, or in a message", async () => {
    const { fetch, asked } = scripted();
    const plain = { ...GITHUB, ACTIONS_ID_TOKEN_REQUEST_URL: "http://pipelines.example/token" };
    equal((await refusal(plain, { fetch })).reason, "service-refused");
    equal(asked.length, 0);
    const bad = { ...GITHUB, ACTIONS_ID_TOKEN_REQUEST_URL: "no address" };
    equal((await refusal(bad, { fetch })).reason, "missing-identity-token");

    const away = new Response(null, { status: 302, headers: { location: "https://evil.example" } });
    const redirect = scripted(away);
    equal((await refusal(GITHUB, { fetch: redirect.fetch })).reason, "service-refused");
    equal(redirect.asked.length, 1);

    const echo = scripted(new Response("bad token request-secret-0123456789", { status: 403 }));
    equal((await refusal(GITHUB, { fetch: echo.fetch })).reason, "service-refused");
    equal((await refusal(GITHUB, { fetch, retries: 0 })).reason, "service-unavailable");
  });

  it("refuses answers that hold no token", async () => {
    const answers: [Response, string][] = [
      [new Response("<html>"), "malformed-response"],
      [Response.json({ token: TOKEN }), "malformed-response"],
      [Response.json({ value: 7 }), "malformed-response"],
      [Response.json({ value: "" }), "malformed-identity-token"],
      [Response.json({ value: TOKEN, more: "x".repeat(70_000) }), "limit-exceeded"],
      [Response.json({ value: tokenOf({ ...CLAIMS, aud: "other" }) }), "audience-mismatch"],
      [
        Response.json({ value: tokenOf({ ...CLAIMS, exp: 5, iat: 1, nbf: 1 }) }),
        "identity-token-expired",
      ],
    ];
    for (const [answer, reason] of answers) {
      const { fetch } = scripted(answer);
      equal((await refusal(GITHUB, { fetch, retries: 0 })).reason, reason);
    }
  });

  it("refuses unknown options", async () => {
    await rejects(ask({}, { audiences: "x" } as AmbientTokenOptions), TypeError);
  });
});
