import { deepStrictEqual as deepEqual, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { utf8 } from "../../internal/bytes.ts";
import { fault, MemoryRegistry } from "../../tests/fixtures/registry.ts";
import { attestation, digestOf, entriesOf, refused, testStore } from "../_contract_test.ts";
import { attachAttestation } from "./attach.ts";
import { createLayout, createMemoryFiles } from "./layout.ts";
import { createRepository } from "./repository.ts";
import { createOciStore, type OciStoreOptions } from "./store.ts";
import type { OciTarget } from "./source.ts";

const sleep = () => Promise.resolve();

function client(registry: MemoryRegistry): OciTarget {
  return createRepository(registry.reference, { fetch: registry.fetch, sleep });
}

for (const referrers of ["api", "none"] as const) {
  testStore(
    `createOciStore() of a registry (referrers: ${referrers})`,
    () => createOciStore(client(new MemoryRegistry({ referrers }))),
  );
}
testStore("createOciStore() of a layout", () => {
  return createOciStore(createLayout(createMemoryFiles("memory")));
});

describe("createOciStore()", () => {
  it("finds and lists what other tools attached to an image", async () => {
    const registry = new MemoryRegistry();
    const image = registry.image("app", "1.0");
    const target = client(registry);
    const hex = image.digest.slice("sha256:".length);
    const content = attestation([{ sha256: hex }]);
    await attachAttestation(target, image, { content });
    const store = createOciStore(target);
    equal((await store.find({ sha256: hex }))?.length, 1);
    equal((await entriesOf(store)).length, 1);
    // As a store it hangs on the image as well, where all find it.
    await store.put(attestation([{ sha256: hex }], "two"));
    equal((await target.referrers(image.digest)).manifests.length, 2);
    equal((await entriesOf(store)).length, 2);
  });

  it("says that it could not look, and never that there is nothing", async () => {
    const registry = new MemoryRegistry();
    registry.lie = () => fault(503, "UNAVAILABLE");
    const store = createOciStore(client(registry));
    await refused("store-unavailable", () => store.find(digestOf("app")));
    await refused("store-unavailable", () => store.put(attestation([digestOf("app")])));
    await refused("store-unavailable", () => entriesOf(store));
  });

  it("notes what is corrupt or about something else, and finds the rest", async () => {
    const registry = new MemoryRegistry();
    const target = client(registry);
    const store = createOciStore(target);
    const [good, bad] = ["good", "bad"].map((note) => attestation([digestOf("app")], note));
    await store.put(good);
    const { id } = await store.put(bad);
    registry.blobs.set(id, utf8("changed"));
    const other = registry.referrer({ ...registry.image("x"), size: 1 }, "{}");
    registry.lie = async (asked, honest) => {
      const answer = await honest();
      if (!asked.path.startsWith("referrers/")) return answer;
      const index = await answer.json();
      return Response.json({ ...index, manifests: [...index.manifests, other] });
    };
    const notes: string[] = [];
    const found = await store.find(digestOf("app"), { onNote: ({ reason }) => notes.push(reason) });
    equal(found?.length, 1);
    deepEqual(notes.sort(), ["content-mismatch", "referrer-mismatch"]);
  });

  it("leaves nothing that is listed when a put breaks off, and goes on with the next", async () => {
    const registry = new MemoryRegistry();
    const target = client(registry);
    const content = attestation([digestOf("app"), digestOf("lib")]);
    for (let allowed = 0;; allowed++) {
      let writes = 0;
      registry.lie = ({ method }) =>
        method !== "GET" && method !== "HEAD" && writes++ >= allowed ? fault(400, "NO") : undefined;
      const store = createOciStore(target);
      const isPut = await store.put(content).then(() => true, () => false);
      registry.lie = undefined;
      equal((await entriesOf(store)).length, isPut ? 1 : 0, `${allowed}`);
      if (isPut) break;
    }
    equal((await createOciStore(target).find(digestOf("lib")))?.length, 1);
  });

  it("bounds bytes and subjects, and refuses wrong options", async () => {
    const target = client(new MemoryRegistry());
    const content = attestation([digestOf("a"), digestOf("b")]);
    await refused("limit-exceeded", () => createOciStore(target, { maxSubjects: 1 }).put(content));
    await refused("limit-exceeded", () => createOciStore(target, { maxBytes: 9 }).put(content));
    throws(() => createOciStore(target, { a: 1 } as OciStoreOptions), TypeError);
  });
});

it("createOciStore() is called as its caller wants", () => {
  const layout = createLayout(createMemoryFiles("memory"));
  equal(createOciStore(layout, { name: "ours" }).name, "ours");
});
