import { ok, strictEqual as equal, throws } from "node:assert/strict";
import { test } from "node:test";
import { checkUrn, foldUrn, isWithin, urnFault, urnPrefixFault } from "./urn.ts";

test("urnFault() accepts the one spelling of a name", () => {
  const good = [
    "urn:acme:app",
    "urn:a-b:App:1.2.3-RC1+x",
    "urn:npm:@acme:app@1.0.0",
    "urn:uuid:6e8bc430-9c3a-11d9-9669-0800200c9a66",
    "urn:x1:a=b~c_d",
    `urn:acme:${"a".repeat(246)}`,
  ];
  for (const urn of good) equal(urnFault(urn), undefined, urn);
});

test("urnFault() refuses paths, statements, look-alikes and second spellings", () => {
  const bad = [
    ...[
      "",
      "urn",
      "urn:",
      "urn:acme",
      "urn:acme:",
      "URN:acme:app",
      "Urn:acme:app",
      " urn:acme:app",
    ],
    ...["urn:Acme:app", "urn:a:app", "urn:-a:app", "urn:a-:app", "urn:urn:app", "acme:app"],
    ...["urn:acme:app:", "urn:acme::app", "urn:acme:.", "urn:acme:..", "urn:acme:..:..:etc"],
    ...["urn:acme:../app", "urn:acme:a/b", "urn:acme:a\\b", "urn:acme:a%2fb", "urn:acme:%61pp"],
    ...["urn:acme:a?+r", "urn:acme:a?=q", "urn:acme:a#f", "urn:acme:a b", "urn:acme:a\n", "\0"],
    ...[
      "urn:acme:a'--",
      'urn:acme:a"',
      "urn:acme:a;drop",
      "urn:acme:*",
      "urn:acme:a(b)",
      "urn:acme:$a",
    ],
    ...["urn:acme:\u0430pp", "urn:acme:app\u0301", "urn:acme:\uff41pp", "urn:acme:app\u200b"],
    ...[
      "urn:acme:-rf",
      "urn:acme:.git",
      "urn:acme:=x",
      "urn:acme:+x",
      "urn:acme:\u017f",
      "urn:acme:\u212a",
    ],
    ...[`urn:acme:${"a".repeat(247)}`, `urn:${"a".repeat(33)}:x`, "urn:acme:a,b", "urn:acme:{a}"],
  ];
  for (const urn of bad) {
    ok(urnFault(urn) !== undefined, JSON.stringify(urn));
    throws(() => checkUrn(urn), { reason: "malformed-urn" });
  }
});

test("isWithin() ends with a whole part", () => {
  ok(isWithin("urn:acme:web", ""));
  ok(isWithin("urn:acme:web", "urn:acme"));
  ok(isWithin("urn:acme:web", "urn:acme:"));
  ok(isWithin("urn:acme:web", "urn:acme:web"));
  ok(isWithin("urn:acme:web:1", "urn:acme:web"));
  ok(!isWithin("urn:acme:website", "urn:acme:web"));
  ok(!isWithin("urn:acme-evil:web", "urn:acme"));
  ok(!isWithin("urn:acme:web", "urn:acme:web:"));
  ok(!isWithin("urn:acme:WEB", "urn:acme:web"));
});

test("urnPrefixFault() accepts a namespace and parts of a name", () => {
  for (const prefix of ["", "urn:acme", "urn:acme:", "urn:acme:a", "urn:acme:a:"]) {
    equal(urnPrefixFault(prefix), undefined, prefix);
  }
  for (const prefix of ["urn", "urn:", "acme", "urn:acme::", "urn:acme:*", "URN:acme", "urn:A"]) {
    ok(urnPrefixFault(prefix) !== undefined, prefix);
  }
});

test("foldUrn() makes look-alikes equal", () => {
  equal(foldUrn("urn:acme:App"), foldUrn("urn:acme:aPP"));
});
