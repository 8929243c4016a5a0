import { strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import type { Json } from "../../internal/json.ts";
import type { IdentityToken } from "../../sigstore/oidc/token.ts";
import { tokenOf } from "./_environments_test.ts";
import { FactReader } from "./facts.ts";

function readerOf(claims: Record<string, Json>): FactReader {
  const token: IdentityToken = { ...tokenOf("https://issuer.example", {}), claims };
  return new FactReader({}, token);
}

describe("FactReader.claim()", () => {
  const told = (value: Json) => readerOf({ a: value }).claim("a")[1];

  it("reads texts, whole numbers and truth values as text", () => {
    equal(told("x"), "x");
    equal(told(7), "7");
    equal(told(0), "0");
    equal(told(true), "true");
    equal(told(false), "false");
  });

  it("takes null, nothing and a member of the prototype for untold", () => {
    equal(told(null), undefined);
    equal(told(""), undefined);
    equal(readerOf({}).claim("a")[1], undefined);
    equal(readerOf({}).claim("constructor")[1], undefined);
    equal(new FactReader({ a: "x" }).claim("a")[1], undefined);
  });

  it("refuses every other value: it would be taken for untold", () => {
    for (const value of [["x"], {}, 1.5, 2 ** 53]) {
      throws(() => told(value), { reason: "malformed-build-fact", path: "/a" });
    }
  });

  it("takes 1024 characters", () => {
    const longest = "x".repeat(1024);
    equal(told(longest), longest);
    throws(() => told(`${longest}x`), { reason: "malformed-build-fact" });
    equal(new FactReader({ A: longest }).variable("A")[1], longest);
  });
});

describe("FactReader.finish()", () => {
  it("says where each missing fact could have been told, as far as there is a token", () => {
    const ask = (reader: FactReader) => {
      reader.need("run", [reader.claim("run_id"), reader.variable("RUN_ID")]);
      reader.need("ref", [reader.variable("REF"), ["the given ref", undefined]]);
      // Depends on another one that is missing, which is enough to say.
      reader.need("page", [["the platform", null]]);
      reader.need("path", [["the given path", undefined]]);
      return () => reader.finish();
    };
    const message = (run: string) =>
      `Cannot create provenance: it is not known: run (${run}), ref (REF), path`;
    throws(ask(new FactReader({})), { path: "/run", message: message("RUN_ID") });
    throws(ask(readerOf({})), { path: "/run", message: message("the token's run_id or RUN_ID") });
  });
});
