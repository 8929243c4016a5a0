import { encodeBase64Url } from "../../internal/base64.ts";
import { utf8 } from "../../internal/bytes.ts";
import type { Fetch } from "../../internal/http.ts";

/** When all of these tokens are used. */
export const NOW = new Date("2026-03-04T05:06:07Z");

const SECONDS = NOW.getTime() / 1000;

/** Claims of a token that is good at {@linkcode NOW}. */
export const CLAIMS = {
  iss: "https://issuer.example",
  sub: "repo:acme/app:ref:refs/heads/main",
  aud: "sigstore",
  iat: SECONDS - 10,
  nbf: SECONDS - 10,
  exp: SECONDS + 290,
};

/** One part of a token: JSON, or the text as it is. */
export function part(value: unknown): string {
  return encodeBase64Url(utf8(typeof value === "string" ? value : JSON.stringify(value)));
}

/** A token with these claims, which nobody signed. */
export function tokenOf(claims: object, header: unknown = { alg: "RS256", typ: "JWT" }): string {
  return `${part(header)}.${part(claims)}.${part("a signature")}`;
}

/** A token for a job. */
export const TOKEN = tokenOf(CLAIMS);

/** What was asked of a {@linkcode scripted} service. */
export interface Asked {
  url: string;
  method: string;
  headers: Record<string, string>;
  body: string;
}

/** A `fetch` that gives these answers in order, and what it was asked. */
export function scripted(...answers: (Response | (() => Response))[]): {
  fetch: Fetch;
  asked: Asked[];
} {
  const asked: Asked[] = [];
  return {
    asked,
    fetch: (url, init = {}) => {
      const headers = Object.fromEntries(new Headers(init.headers));
      const body = typeof init.body === "string" ? init.body : "";
      asked.push({ url, method: init.method ?? "GET", headers, body });
      const answer = answers.shift();
      if (answer === undefined) return Promise.reject(new Error("nobody answers"));
      return Promise.resolve(typeof answer === "function" ? answer() : answer);
    },
  };
}
