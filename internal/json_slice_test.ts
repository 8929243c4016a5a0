import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { test } from "node:test";
import { elementSlices, memberSlice } from "./json_slice.ts";

const cut = (text: string, { start, end }: { start: number; end: number }) =>
  text.slice(start, end);

test("memberSlice() gives the very text of a value", () => {
  const values = [
    ...["1", "-1.5e+3", "true", "null", '""', '"a\\"b\\\\"', "{}", "[]", '{"a":[1,{"b":"]}"}]}'],
    ...['[ "}" , {"x" : "\\\\"} ]', '"\\u0022"', '{"value":2}'],
  ];
  for (const value of values) {
    for (const space of ["", " ", "\n\t\r "]) {
      const text =
        `${space}{${space}"value\\\\":0,"a":{"value":1},"value"${space}:${space}${value}${space},"z":[]}`;
      JSON.parse(text);
      equal(cut(text, memberSlice(text, "value")!), value);
      equal(cut(text, memberSlice(text, "z")!), "[]");
      equal(memberSlice(text, "b"), undefined);
    }
  }
  equal(memberSlice("{}", "a"), undefined);
  equal(memberSlice(" { } ", "a"), undefined);
});

test("memberSlice() finds a name that is written with escapes", () => {
  equal(cut('{"\\u0061":1}', memberSlice('{"\\u0061":1}', "a")!), "1");
});

test("elementSlices() gives the very text of each element", () => {
  for (const space of ["", " ", "\n"]) {
    const elements = ["1", '"],["', "[]", '{"a":[1]}', "null"];
    const text = `{"list":[${space}${elements.join(`${space},${space}`)}${space}]}`;
    const slices = elementSlices(text, memberSlice(text, "list")!);
    deepEqual(slices.map((slice) => cut(text, slice)), elements);
  }
  deepEqual(elementSlices("[]", { start: 0, end: 2 }), []);
  deepEqual(elementSlices("[ ]", { start: 0, end: 3 }), []);
});
