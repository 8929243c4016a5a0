import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { parseAuthChallenges } from "./challenge.ts";

function read(header: string): [string, Record<string, string>][] | string {
  try {
    return parseAuthChallenges(header).map(({ scheme, parameters }) => [
      scheme,
      Object.fromEntries(parameters),
    ]);
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

describe("parseAuthChallenges()", () => {
  const accepted: Record<string, [string, Record<string, string>][]> = {
    "": [],
    " , ,": [],
    'Basic realm="r"': [["basic", { realm: "r" }]],
    "BASIC REALM=r": [["basic", { realm: "r" }]],
    Negotiate: [["negotiate", {}]],
    "Negotiate YWJj==": [["negotiate", {}]],
    'Bearer realm="https://a.example/t",service="s",scope="repository:a:pull,push"': [
      ["bearer", {
        realm: "https://a.example/t",
        service: "s",
        scope: "repository:a:pull,push",
      }],
    ],
    'Bearer scope = "a b" , realm="x"': [["bearer", { scope: "a b", realm: "x" }]],
    'Negotiate, Basic realm="a", , Bearer realm="b",error="insufficient_scope"': [
      ["negotiate", {}],
      ["basic", { realm: "a" }],
      ["bearer", { realm: "b", error: "insufficient_scope" }],
    ],
    'Basic realm="a \\"b\\", Bearer realm=c"': [["basic", { realm: 'a "b", Bearer realm=c' }]],
  };
  for (const [header, challenges] of Object.entries(accepted)) {
    it(`reads ${JSON.stringify(header)}`, () => deepEqual(read(header), challenges));
  }

  const refused = [
    'Bearer realm="a',
    "Bearer a=b, realm=",
    'Bearer realm="a",realm="b"',
    'Bearer realm="a" service="b"',
    "Bearer realm=a;b",
    "=a",
    '"Bearer"',
    'Bearer realm="a\u0000b"',
    'Bearer realm="a\u007fb"',
    "x".repeat(9000),
  ];
  for (const header of refused) {
    it(`refuses ${JSON.stringify(header.slice(0, 40))}`, () =>
      equal(read(header), "registry-auth-refused"));
  }
});
