import { deepStrictEqual as deepEqual } from "node:assert/strict";
import { describe, it } from "node:test";
import { holder } from "./_fixtures_test.ts";
import { distinctSigners, matchSigners } from "./signer_slots.ts";

const [a, b, c] = ["a", "b", "c"].map((name) => holder(name));
const slot = (name: string, ...fits: string[]) => ({
  name,
  matches: (signer: { name: string }) => fits.includes(signer.name),
});

describe("matchSigners()", () => {
  const pairs = (signers: typeof a[], ...slots: ReturnType<typeof slot>[]) =>
    matchSigners(signers, slots).map(({ signer, slot }) => `${signer.name} ${slot.name}`);

  it("lets nobody stand for a slot that is another's", () => {
    deepEqual(pairs([]), []);
    deepEqual(pairs([a]), []);
    deepEqual(pairs([c], slot("x", "a"), slot("y", "b")), []);
    deepEqual(pairs([c, a], slot("x", "a"), slot("y", "b")), ["a x"]);
    deepEqual(pairs([b, c], slot("x", "a"), slot("y", "a")), []);
  });

  it("counts a signer once, and a slot once", () => {
    deepEqual(pairs([a], slot("x", "a"), slot("y", "a")), ["a x"]);
    deepEqual(pairs([a, a], slot("x", "a"), slot("y", "a")), ["a x"]);
    deepEqual(pairs([a, { ...a, name: "b" }], slot("x", "a"), slot("y", "b")), ["a x"]);
    deepEqual(pairs([a, b], slot("x", "a", "b")), ["a x"]);
  });

  it("finds the most, and leaves a slot to the signer who needs it", () => {
    const slots = [slot("x", "a", "b"), slot("y", "a"), slot("z", "b", "c")];
    deepEqual(pairs([a, b], slots[0], slots[1]), ["b x", "a y"]);
    deepEqual(pairs([a, b, c], ...slots), ["b x", "a y", "c z"]);
    deepEqual(pairs([c, b, a], ...slots), ["b x", "a y", "c z"]);
  });
});

describe("distinctSigners()", () => {
  it("keeps the first of those that are one", () => {
    const other = { ...a, name: "other" };
    const names = (...signers: typeof a[]) => distinctSigners(signers).map(({ name }) => name);
    deepEqual(names(), []);
    deepEqual(names(a), ["a"]);
    deepEqual(names(a, other, b), ["a", "b"]);
    deepEqual(names(other, b, a), ["other", "b"]);
  });
});
