import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { fault, MemoryRegistry, type RegistryBehaviour } from "../../tests/fixtures/registry.ts";
import type { RegistryCredentials } from "./credentials.ts";
import { createRepository, type RepositoryOptions } from "./repository.ts";
import type { OciTarget } from "./source.ts";

const PASSWORD = "s3cret-pass:word";
const USER = { username: "ci", password: PASSWORD };

interface Setup {
  registry: MemoryRegistry;
  target: OciTarget;
  /** Hosts that credentials were looked up for. */
  hosts: string[];
}

function setup(
  behaviour: RegistryBehaviour,
  credentials?: RegistryCredentials,
  options: RepositoryOptions = {},
): Setup {
  const registry = new MemoryRegistry(behaviour);
  registry.image("app", "1.0");
  const hosts: string[] = [];
  const target = createRepository(registry.reference, {
    fetch: registry.fetch,
    sleep: () => Promise.resolve(),
    credentials: (host) => {
      hosts.push(host);
      return Promise.resolve(credentials);
    },
    ...options,
  });
  return { registry, target, hosts };
}

async function refusal(work: Promise<unknown>): Promise<{ reason: string; message: string }> {
  try {
    await work;
    return { reason: "accepted", message: "" };
  } catch (error) {
    if (isAttestationError(error)) return error;
    throw error;
  }
}

/** Nothing that is secret goes to another origin, or into a message. */
function keepsSecrets({ asked, tokens, host }: MemoryRegistry, message = ""): void {
  const secrets = [PASSWORD, btoa(`ci:${PASSWORD}`), ...tokens];
  for (const { url, headers } of asked) {
    const sent = JSON.stringify([...headers]) + url;
    const isOwn = new URL(url).origin === `https://${host}`;
    if (!isOwn) equal(headers.get("authorization"), null, url);
    for (const secret of secrets) ok(isOwn || !sent.includes(secret), url);
    ok(!url.includes(PASSWORD), url);
  }
  for (const secret of secrets) ok(!message.includes(secret), message);
}

describe("createRepository() and authentication", () => {
  it("sends credentials only when they are asked for", async () => {
    const { registry, target, hosts } = setup({}, USER);
    await target.resolve("1.0");
    deepEqual(hosts, []);
    equal(registry.asked[0].headers.get("authorization"), null);
  });

  it("answers Basic, once", async () => {
    const { registry, target, hosts } = setup({ user: `ci:${PASSWORD}` }, USER);
    await target.resolve("1.0");
    await target.tag("2.0");
    deepEqual(hosts, ["registry.example"]);
    deepEqual(registry.log, ["GET manifests/1.0", "GET manifests/1.0", "GET manifests/2.0"]);
    keepsSecrets(registry);
  });

  it("gets a token for what is needed, keeps it, and gets another one to push", async () => {
    const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer: true }, USER);
    await target.resolve("1.0");
    await target.tags();
    await target.hasBlob(registry.blob("x"));
    await target.tag("2.0");
    const scopes = registry.asked.filter(({ path }) => path.startsWith("/token"))
      .map(({ url }) => new URL(url).searchParams.get("scope"));
    deepEqual(scopes, ["repository:acme/app:pull", "repository:acme/app:pull,push"]);
    keepsSecrets(registry);
  });

  it("gets one token for several requests at once", async () => {
    const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer: true }, USER);
    await Promise.all(["1.0", "a", "b", "c"].map((tag) => target.tag(tag)));
    equal(registry.tokens.length, 1);
  });

  it("gets a token anew when it ends, by its clock and by the registry's", async () => {
    let now = Date.parse("2026-01-01T00:00:00Z");
    const options = { now: () => new Date(now) };
    const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer: true }, USER, options);
    await target.tag("1.0");
    now += 200_000;
    await target.tag("1.0");
    equal(registry.log.filter((line) => line.includes("/token")).length, 1);
    now += 100_000;
    await target.tag("1.0");
    equal(registry.log.filter((line) => line.includes("/token")).length, 2);
    registry.tokens.length = 0;
    await target.tag("1.0");
    equal(registry.log.filter((line) => line.includes("/token")).length, 3);
  });

  it("buys tokens with an identity token, and sends a ready-made one as it is", async () => {
    const identityToken = "identity-token-of-ci";
    const { registry, target } = setup({ user: identityToken, bearer: true }, { identityToken });
    await target.resolve("1.0");
    const { method, url } = registry.asked.find(({ path }) => path.startsWith("/token"))!;
    equal(method, "POST");
    ok(!url.includes(identityToken));
    const made = setup({ user: "x", bearer: true }, { token: "ready" });
    made.registry.tokens.push("ready");
    await made.target.resolve("1.0");
    deepEqual(made.registry.log, ["GET manifests/1.0", "GET manifests/1.0"]);
  });

  it("says that credentials are wanted, or are not accepted", async () => {
    for (const bearer of [false, true]) {
      const none = setup({ user: `ci:${PASSWORD}`, bearer });
      equal((await refusal(none.target.resolve("1.0"))).reason, "registry-access-denied");
      const wrong = setup({ user: "ci:other", bearer }, USER);
      const { reason, message } = await refusal(wrong.target.resolve("1.0"));
      equal(reason, "registry-access-denied");
      keepsSecrets(wrong.registry, message);
    }
  });

  it("ends a registry that answers 401 for ever", async () => {
    const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer: true }, USER);
    registry.lie = (asked, honest) =>
      asked.path.startsWith("/token") ? undefined : honest().then(() =>
        fault(401, "UNAUTHORIZED", {
          "www-authenticate": `Bearer realm="https://registry.example/token"`,
        })
      );
    equal((await refusal(target.resolve("1.0"))).reason, "registry-access-denied");
    ok(registry.asked.length <= 6, registry.log.join());
  });

  const realms = {
    "plain HTTP": "http://registry.example/token",
    "plain HTTP elsewhere": "http://tokens.example/",
    "a service on this machine": "http://127.0.0.1:8080/token",
    "a password": "https://a:b@tokens.example/",
    "no address": "tokens.example",
    "a file": "file:///etc/passwd",
  };
  for (const [name, realm] of Object.entries(realms)) {
    it(`sends nothing to a token service by ${name}`, async () => {
      const { registry, target } = setup({}, USER);
      registry.lie = () =>
        fault(401, "UNAUTHORIZED", { "www-authenticate": `Bearer realm="${realm}",service="s"` });
      const { reason, message } = await refusal(target.resolve("1.0"));
      equal(reason, "registry-auth-refused");
      equal(registry.asked.length, 1);
      keepsSecrets(registry, message);
    });
  }

  it("refuses a way to authenticate that it does not know, and a header that is none", async () => {
    for (const header of ["Negotiate", "Digest realm=x", "", "Bearer realm=", `Bearer "`]) {
      const { registry, target } = setup({}, USER);
      registry.lie = () => fault(401, "UNAUTHORIZED", { "www-authenticate": header });
      equal((await refusal(target.resolve("1.0"))).reason, "registry-auth-refused", header);
      equal(registry.asked.length, 1);
    }
  });

  it("asks for no scope but its own, whatever the registry names", async () => {
    const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer: true }, USER);
    registry.lie = async (asked, honest) => {
      const answer = await honest();
      if (answer.status !== 401 || asked.path.startsWith("/token")) return answer;
      const challenge = 'Bearer realm="https://registry.example/token?kind=a",service="test",' +
        'scope="repository:other/secret:pull,push,delete"';
      return fault(401, "UNAUTHORIZED", { "www-authenticate": challenge });
    };
    await target.resolve("1.0");
    const { url } = registry.asked.find(({ path }) => path.startsWith("/token"))!;
    deepEqual(new URL(url).searchParams.getAll("scope"), ["repository:acme/app:pull"]);
    equal(new URL(url).searchParams.get("kind"), "a");
  });

  it("takes no token that is none", async () => {
    for (const reply of [{}, { token: "" }, { token: 1 }, { token: "a\nb: c" }, { token: "a b" }]) {
      const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer: true }, USER);
      registry.lie = ({ path }) => path.startsWith("/token") ? Response.json(reply) : undefined;
      equal((await refusal(target.resolve("1.0"))).reason, "malformed-response");
    }
  });

  it("follows no redirect of the token service", async () => {
    const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer: true }, USER);
    registry.lie = ({ path }) =>
      path.startsWith("/token")
        ? new Response(null, { status: 307, headers: { location: "https://evil.example/" } })
        : undefined;
    const { reason, message } = await refusal(target.resolve("1.0"));
    equal(reason, "service-refused");
    keepsSecrets(registry, message);
    ok(registry.asked.every(({ url }) => !url.includes("evil")));
  });

  for (const bearer of [false, true]) {
    it(`carries no credentials to another origin (${bearer ? "token" : "Basic"})`, async () => {
      const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer }, USER);
      const blob = registry.blob("stored elsewhere");
      registry.others.set("https://cdn.example", () => new Response("stored elsewhere"));
      registry.lie = async ({ path }, honest) => {
        const answer = await honest();
        if (!path.startsWith("blobs/") || answer.status !== 200) return answer;
        return new Response(null, { status: 307, headers: { location: "https://cdn.example/b" } });
      };
      equal((await target.blob(blob)).length, 16);
      equal(await new Response(await target.blobStream(blob)).text(), "stored elsewhere");
      keepsSecrets(registry);
      ok(registry.asked.some(({ url }) => url.startsWith("https://cdn.example")));
    });

    it(`answers no challenge of another origin (${bearer ? "token" : "Basic"})`, async () => {
      const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer }, USER);
      const blob = registry.blob("stored elsewhere");
      const challenge = 'Basic realm="a", Bearer realm="https://cdn.example/token"';
      registry.others.set(
        "https://cdn.example",
        () => fault(401, "UNAUTHORIZED", { "www-authenticate": challenge }),
      );
      registry.lie = async ({ path }, honest) => {
        const answer = await honest();
        if (!path.startsWith("blobs/") || answer.status !== 200) return answer;
        return new Response(null, { status: 302, headers: { location: "https://cdn.example/b" } });
      };
      const { reason, message } = await refusal(target.blob(blob));
      equal(reason, "registry-access-denied");
      keepsSecrets(registry, message);
    });
  }

  it("keeps what a registry repeats out of its messages", async () => {
    const { registry, target } = setup({ user: `ci:${PASSWORD}`, bearer: true }, USER);
    registry.lie = ({ headers }) =>
      headers.get("authorization") === null
        ? undefined
        : new Response(`no: ${headers.get("authorization")}`, { status: 403 });
    const { reason, message } = await refusal(target.resolve("1.0"));
    equal(reason, "registry-access-denied");
    keepsSecrets(registry, message);
  });
});
