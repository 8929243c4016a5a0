import { ok, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isCryptoKey } from "./_source.ts";

describe("isCryptoKey()", () => {
  it("takes nothing for one where the runtime has no such class", async () => {
    const { publicKey } = await crypto.subtle.generateKey(
      { name: "ECDSA", namedCurve: "P-256" },
      true,
      ["sign", "verify"],
    );
    ok(isCryptoKey(publicKey));
    const own = Object.getOwnPropertyDescriptor(globalThis, "CryptoKey");
    try {
      Object.defineProperty(globalThis, "CryptoKey", { configurable: true, value: undefined });
      equal(isCryptoKey({ kty: "OKP" }), false);
    } finally {
      // In workerd the class is not the global object's own.
      if (own === undefined) Reflect.deleteProperty(globalThis, "CryptoKey");
      else Object.defineProperty(globalThis, "CryptoKey", own);
    }
    ok(isCryptoKey(publicKey));
  });
});
