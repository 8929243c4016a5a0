import { deepStrictEqual as deepEqual, ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { dockerCredentials, type DockerCredentialsOptions } from "./credentials.ts";

const auth = btoa("ci:pass:word");
const FOUND = { username: "ci", password: "pass:word" };

async function lookup(
  config: unknown,
  host: string,
  options: DockerCredentialsOptions = {},
): Promise<unknown> {
  try {
    return await dockerCredentials(JSON.stringify(config), options)(host);
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    ok(!/pass[: ]word/.test(error.message), error.message);
    return error.reason;
  }
}

describe("dockerCredentials()", () => {
  it("matches a host whole, port included", async () => {
    const config = { auths: { "registry.example:5000": { auth } } };
    deepEqual(await lookup(config, "registry.example:5000"), FOUND);
    for (
      const host of [
        "registry.example",
        "registry.example:50",
        "registry.example:50001",
        "evil-registry.example:5000",
        "registry.example:5000.evil.example",
        "a.registry.example:5000",
        "",
      ]
    ) {
      equal(await lookup(config, host), undefined, host);
    }
  });

  it("reads hosts that are written as addresses, and the default registry's names", async () => {
    for (const key of ["https://registry.example", "https://registry.example/v2/"]) {
      deepEqual(await lookup({ auths: { [key]: { auth } } }, "registry.example"), FOUND);
    }
    const path = { auths: { "https://registry.example/other": { auth } } };
    equal(await lookup(path, "registry.example"), undefined);
    for (const key of ["https://index.docker.io/v1/", "docker.io", "registry-1.docker.io"]) {
      deepEqual(await lookup({ auths: { [key]: { auth } } }, "docker.io"), FOUND);
      equal(await lookup({ auths: { [key]: { auth } } }, "docker.io.evil.example"), undefined);
    }
  });

  it("reads each form of an entry", async () => {
    const of = (entry: unknown) => lookup({ auths: { a: entry } }, "a");
    deepEqual(await of({ identitytoken: "t", auth }), { identityToken: "t" });
    deepEqual(await of({ registrytoken: "t" }), { token: "t" });
    deepEqual(await of({ username: "u", password: "" }), { username: "u", password: "" });
    deepEqual(await of({ auth: btoa("u:") }), { username: "u", password: "" });
    for (const entry of [{}, { auth: "" }, null, "x", []]) equal(await of(entry), undefined);
    for (const wrong of ["!", btoa("pass"), btoa(":pass")]) {
      equal(await of({ auth: wrong }), "registry-access-denied");
    }
  });

  it("asks the helper of the host, or the one of all hosts", async () => {
    const asked: [string, string][] = [];
    const helper = (name: string, server: string) => {
      asked.push([name, server]);
      return Promise.resolve(JSON.stringify({ Username: "u", Secret: "s" }));
    };
    const config = { credHelpers: { "registry.example": "own" }, credsStore: "desktop" };
    const found = { username: "u", password: "s" };
    deepEqual(await lookup(config, "registry.example", { helper }), found);
    deepEqual(await lookup(config, "other.example", { helper }), found);
    deepEqual(await lookup(config, "docker.io", { helper }), found);
    deepEqual(asked, [
      ["own", "registry.example"],
      ["desktop", "other.example"],
      ["desktop", "https://index.docker.io/v1/"],
    ]);
  });

  it("reads what a helper answers: an identity token, nothing, or no JSON", async () => {
    const config = { credsStore: "x", auths: { a: { auth } } };
    const answering = (answer: string | undefined) =>
      lookup(config, "a", { helper: () => Promise.resolve(answer) });
    const token = JSON.stringify({ Username: "<token>", Secret: "t" });
    deepEqual(await answering(token), { identityToken: "t" });
    deepEqual(await answering(undefined), FOUND);
    deepEqual(await answering("{}"), FOUND);
    equal(await answering("pass word"), "registry-access-denied");
  });

  it("runs no helper whose name leads elsewhere, and says so when none is run", async () => {
    const helper = () => Promise.reject(new Error("it was run"));
    for (const name of ["../evil", "a/b", "a b", "-a", "a;b", "", "a".repeat(65)]) {
      const found = await lookup({ credHelpers: { a: name } }, "a", { helper });
      equal(found, name === "" ? undefined : "registry-access-denied", name);
    }
    equal(await lookup({ credsStore: "desktop" }, "a"), "registry-access-denied");
  });

  it("refuses a configuration that is no JSON object", () => {
    for (const text of ["", "[]", "null", '{"auths":{},"auths":{}}']) {
      let reason = "accepted";
      try {
        dockerCredentials(text);
      } catch (error) {
        if (isAttestationError(error)) reason = error.reason;
      }
      ok(["empty-input", "malformed-json", "duplicate-json-key"].includes(reason), reason);
    }
  });
});
