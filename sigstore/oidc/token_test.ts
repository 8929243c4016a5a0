import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError, type Reason } from "../../errors.ts";
import { encodeBase64Url } from "../../internal/base64.ts";
import { CLAIMS, NOW, part, TOKEN, tokenOf } from "./_tokens_test.ts";
import { type IdentityTokenOptions, parseIdentityToken } from "./token.ts";

const [HEADER, BODY, SIGNATURE] = TOKEN.split(".");
const SECONDS = NOW.getTime() / 1000;
const MAX_CLAIM = 2048;

/** JSON in base64url, whose length needs padding, with it. */
function padded(json: string): string {
  const text = part(json.length % 3 === 0 ? `${json} ` : json);
  return text.padEnd(Math.ceil(text.length / 4) * 4, "=");
}

function refusal(token: string, options: IdentityTokenOptions = {}): Reason | "none" {
  try {
    parseIdentityToken(token, { now: NOW, ...options });
  } catch (error) {
    if (!isAttestationError(error)) throw error;
    for (const secret of token.split(".")) {
      const leaks = secret.length > 8 && `${error.message} ${error.stack} ${error.cause}`
        .includes(secret);
      ok(!leaks, `the message has a part of the token: ${error.message}`);
    }
    return error.reason;
  }
  return "none";
}

describe("parseIdentityToken()", () => {
  it("reads the claims", () => {
    const token = parseIdentityToken(TOKEN, { now: NOW });
    equal(token.issuer, CLAIMS.iss);
    equal(token.subject, CLAIMS.sub);
    deepEqual(token.audience, ["sigstore"]);
    equal(token.expiresAt.getTime(), CLAIMS.exp * 1000);
    deepEqual(token.claims, { ...CLAIMS });
    equal(token.email, undefined);
    ok(!("email" in token));
  });

  it("keeps the token where nothing prints it by accident", () => {
    const token = parseIdentityToken(TOKEN, { now: NOW });
    equal(token.token, TOKEN);
    ok(!Object.keys(token).includes("token"));
    ok(!JSON.stringify(token).includes(SIGNATURE));
    ok(!("token" in { ...token }));
  });

  it("takes a list of audiences, and fractions of seconds", () => {
    const claims = { ...CLAIMS, aud: ["other", "sigstore"], exp: SECONDS + 0.5 };
    const token = parseIdentityToken(tokenOf(claims), { now: NOW });
    deepEqual(token.audience, ["other", "sigstore"]);
    equal(token.expiresAt.getTime(), NOW.getTime() + 500);
  });

  it("has an address unless it is not verified", () => {
    const email = "dev@acme.example";
    const read = (more: object) =>
      parseIdentityToken(tokenOf({ ...CLAIMS, email, ...more }), { now: NOW }).email;
    equal(read({}), email);
    equal(read({ email_verified: true }), email);
    equal(read({ email_verified: false }), undefined);
    equal(read({ email_verified: "false" }), undefined);
    for (const bad of [1, "", "nobody", "a@b@c", "a\u202e@b", [email]]) {
      equal(refusal(tokenOf({ ...CLAIMS, email: bad })), "malformed-identity-token");
    }
  });

  const shapes: Record<string, string> = {
    "nothing": "",
    "two parts": `${HEADER}.${BODY}`,
    "four parts": `${TOKEN}.${SIGNATURE}`,
    "five parts (encrypted)": `${HEADER}.${BODY}.${SIGNATURE}.${BODY}.${SIGNATURE}`,
    "an empty signature": `${HEADER}.${BODY}.`,
    "an empty header": `.${BODY}.${SIGNATURE}`,
    "padding": `${HEADER}.${padded(JSON.stringify(CLAIMS))}.${SIGNATURE}`,
    "white space around it": ` ${TOKEN}`,
    "a line break": `${TOKEN}\n`,
    "quotation marks": `"${TOKEN}"`,
    "a scheme": `Bearer ${TOKEN}`,
    "standard base64": `${HEADER}.${BODY}.${SIGNATURE.slice(0, -1)}+`,
    "unused bits": `${HEADER}.${BODY}.${SIGNATURE.slice(0, -1)}x`,
    "JSON in place of it": JSON.stringify({ value: TOKEN }),
    "no UTF-8": `${HEADER}.${encodeBase64Url(new Uint8Array([0x7b, 0xff, 0x7d]))}.${SIGNATURE}`,
    "claims that are no JSON": `${HEADER}.${part("{iss}")}.${SIGNATURE}`,
    "claims that are a list": `${HEADER}.${part("[]")}.${SIGNATURE}`,
    "a header that is a text": `${part('"alg"')}.${BODY}.${SIGNATURE}`,
    "an audience twice": `${HEADER}.${
      part(JSON.stringify(CLAIMS).replace("{", '{"aud":"other",'))
    }.${SIGNATURE}`,
    "an algorithm twice": `${part('{"alg":"none","alg":"RS256"}')}.${BODY}.${SIGNATURE}`,
    "no algorithm": tokenOf(CLAIMS, { typ: "JWT" }),
    "an algorithm that is a number": tokenOf(CLAIMS, { alg: 1 }),
    "an algorithm without a name": tokenOf(CLAIMS, { alg: "" }),
    "no signature": tokenOf(CLAIMS, { alg: "none" }),
    "no signature, in other letters": tokenOf(CLAIMS, { alg: "nOnE" }),
    "critical extensions": tokenOf(CLAIMS, { alg: "RS256", crit: ["b64"], b64: false }),
    "deep claims": tokenOf({ ...CLAIMS, deep: JSON.parse("[".repeat(20) + "]".repeat(20)) }),
    "more than 16 KiB": tokenOf({ ...CLAIMS, more: "x".repeat(16 << 10) }),
  };
  for (const [what, token] of Object.entries(shapes)) {
    it(`refuses ${what}`, () => equal(refusal(token), "malformed-identity-token"));
  }

  const claims: Record<string, object> = {
    "no issuer": { iss: undefined },
    "an empty issuer": { iss: "" },
    "no subject": { sub: undefined },
    "a subject that is a number": { sub: 7 },
    "a subject with a line break": { sub: "repo:acme/app\nX=1" },
    "a subject that hides": { sub: "repo:acme\u200b/app" },
    "no audience": { aud: undefined },
    "an empty list of audiences": { aud: [] },
    "an audience that is an object": { aud: { sigstore: true } },
    "an audience with a line break": { aud: ["sigstore", "a\nb"] },
    "an empty audience beside another": { aud: ["sigstore", ""] },
    "a subject that is too long": { sub: "x".repeat(MAX_CLAIM + 1) },
    "a time of issue before all time": { iat: -1 },
    "an end at its issue": { iat: SECONDS + 30, exp: SECONDS + 30 },
    "an end at its start": { nbf: SECONDS + 30, exp: SECONDS + 30 },
    "an end before its start": { nbf: SECONDS + 30, exp: SECONDS + 20 },
    "too many audiences": { aud: Array.from({ length: 65 }, () => "sigstore") },
    "no end": { exp: undefined },
    "an end as text": { exp: String(CLAIMS.exp) },
    "an end beyond all time": { exp: 1e300 },
    "no time of issue": { iat: undefined },
    "a time of issue in the future": { iat: SECONDS + 61, exp: SECONDS + 300 },
    "a start in the future": { nbf: SECONDS + 61 },
    "an end before its issue": { iat: SECONDS + 30, exp: SECONDS + 20 },
  };
  for (const [what, change] of Object.entries(claims)) {
    it(`refuses ${what}`, () =>
      equal(refusal(tokenOf({ ...CLAIMS, ...change })), "malformed-identity-token"));
  }

  it("takes what is as large as is accepted", () => {
    const from = { nbf: undefined };
    const most = [
      { aud: Array.from({ length: 64 }, () => "sigstore") },
      { sub: "x".repeat(MAX_CLAIM) },
      { ...from, iat: 0 },
      { exp: 8_640_000_000_000 },
    ];
    for (const change of most) equal(refusal(tokenOf({ ...CLAIMS, ...change })), "none");
    const start = `${HEADER}.${BODY}.`;
    const rest = (16 << 10) - start.length;
    ok(rest % 4 !== 1, "base64 can have this length");
    equal(refusal(start + "A".repeat(rest)), "none");
  });

  it("says that a part is no strict JSON, and why", () => {
    throws(() => parseIdentityToken(shapes["claims that are no JSON"], { now: NOW }), {
      message: "Cannot use identity token: its claims is not strict JSON (malformed-json)",
    });
  });

  it("lets clocks differ by a minute", () => {
    equal(
      refusal(tokenOf({ ...CLAIMS, exp: SECONDS - 59, iat: SECONDS - 600, nbf: undefined })),
      "none",
    );
    equal(
      refusal(tokenOf({ ...CLAIMS, exp: SECONDS - 60, iat: SECONDS - 600, nbf: undefined })),
      "identity-token-expired",
    );
    equal(refusal(tokenOf({ ...CLAIMS, iat: SECONDS + 60, nbf: SECONDS + 60 })), "none");
  });

  it("refuses a token for somebody else", () => {
    equal(refusal(tokenOf({ ...CLAIMS, aud: "sigstore2" })), "audience-mismatch");
    equal(refusal(tokenOf({ ...CLAIMS, aud: ["a", "b"] })), "audience-mismatch");
    equal(refusal(TOKEN, { audience: "other" }), "audience-mismatch");
    equal(refusal(tokenOf({ ...CLAIMS, aud: "other" }), { audience: "other" }), "none");
  });

  it("refuses wrong arguments", () => {
    for (const now of [new Date(NaN), 7, null, "2026-03-04", { getTime: () => 1 }]) {
      throws(() => parseIdentityToken(TOKEN, { now: now as Date }), {
        name: "TypeError",
        message: "Cannot read identity token: now is no valid Date",
      });
    }
    throws(() => parseIdentityToken(TOKEN, { audiences: "x" } as IdentityTokenOptions), TypeError);
    for (const token of [7, null, undefined, [TOKEN]]) {
      throws(() => parseIdentityToken(token as unknown as string), {
        name: "TypeError",
        message: "Cannot read identity token: it is no text",
      });
    }
  });
});
