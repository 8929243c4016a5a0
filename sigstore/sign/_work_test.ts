import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { generateSigner, type Signer } from "../../keys/mod.ts";
import { checkedContent } from "./_content.ts";
import { attempt, BLOB, ENVELOPE, reasons, setting } from "./_fixtures_test.ts";
import type { SigningContent, SigningStep } from "./options.ts";
import { signWithKey } from "./sign.ts";

/** A signer that counts what it signs. */
async function counting(): Promise<{ signer: Signer; signed: () => number }> {
  const { signer } = await generateSigner("Ed25519");
  let count = 0;
  const sign = (data: Uint8Array) => {
    count++;
    return signer.sign(data);
  };
  return { signer: { ...signer, sign }, signed: () => count };
}

async function outcomeOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "ok";
  } catch (error) {
    return error instanceof Error ? reasons(error) : "no error";
  }
}

describe("SigningWork", () => {
  it("signs nothing when it was stopped before", async () => {
    const { signer, signed } = await counting();
    const signal = AbortSignal.abort();
    equal(await outcomeOf(signWithKey(BLOB, signer, { signal })), "aborted");
    equal(signed(), 0);
  });

  it("returns nothing when it was stopped while it signed", async () => {
    const { signer, signed } = await counting();
    const controller = new AbortController();
    const steps: string[] = [];
    const onStep = ({ step }: SigningStep) => {
      steps.push(step);
      controller.abort();
    };
    const { signal } = controller;
    equal(await outcomeOf(signWithKey(BLOB, signer, { signal, onStep })), "aborted");
    equal(signed(), 1);
    deepEqual(steps, ["sign"]);
  });

  it("asks nobody after it was stopped between two steps", async () => {
    const { options, services } = await setting();
    const controller = new AbortController();
    const outcome = await attempt(BLOB, {
      ...options(),
      signal: controller.signal,
      onStep: ({ step }) => step === "sign" && controller.abort(),
    });
    equal(reasons(outcome), "aborted");
    deepEqual(services.requests, ["fulcio POST /api/v2/signingCert"]);
  });

  it("stops all of several services when the caller does", async () => {
    const { options, services } = await setting();
    const controller = new AbortController();
    let waiting = 0;
    const outcome = await attempt(BLOB, {
      ...options({ all: true }),
      signal: controller.signal,
      timeoutMs: 2000,
      retries: 0,
      fetch: (input, init) => {
        if (!input.includes("/tsa")) return services.fetch(input, init);
        if (++waiting === 2) controller.abort();
        return new Promise(() => {});
      },
    });
    equal(reasons(outcome), "aborted");
    equal(waiting, 2);
  });

  it("leaves nothing behind at a signal that lasts longer", async () => {
    const { options } = await setting();
    const { signal } = new AbortController();
    const listening = new Set<unknown>();
    const [add, remove] = [signal.addEventListener, signal.removeEventListener];
    let added = 0;
    Object.assign(signal, {
      addEventListener(...args: Parameters<typeof add>) {
        added++;
        listening.add(args[1]);
        add.apply(signal, args);
      },
      removeEventListener(...args: Parameters<typeof remove>) {
        listening.delete(args[1]);
        remove.apply(signal, args);
      },
    });
    equal(reasons(await attempt(BLOB, { ...options(), signal })), "ok");
    ok(added >= 3, "certificate, timestamp, log");
    equal(listening.size, 0);
  });

  it("gives a log the time that is for logs, and nobody else", async () => {
    const { options } = await setting({ faults: { rekor2: "slow" } });
    const outcome = await attempt(BLOB, {
      ...options(),
      timeoutMs: 60_000,
      logTimeoutMs: 30,
      retries: 0,
    });
    equal(reasons(outcome), "service-unavailable");
    ok(/rekor2.* did not answer within 30 ms$/.test(`${outcome}`), `${outcome}`);
  });
});

describe("checkedContent()", () => {
  const payload = new Uint8Array();

  it("takes a payload that verifiers read, and no longer one", () => {
    const most = new Uint8Array(16 << 20);
    const content = checkedContent({ payloadType: "text/x", payload: most });
    equal("payload" in content && content.payload.length, most.length);
    const more = new Uint8Array((16 << 20) + 1);
    throws(() => checkedContent({ payloadType: "text/x", payload: more }), {
      reason: "limit-exceeded",
    });
  });

  for (const payloadType of ["", "\ud800", 7, undefined, ["text/x"]]) {
    it(`refuses the type ${JSON.stringify(payloadType)}`, () => {
      throws(() => checkedContent({ payloadType, payload } as SigningContent), {
        name: "TypeError",
        message: "payloadType is not a well-formed string, or empty",
      });
    });
  }

  it("refuses what is no bytes", () => {
    for (const wrong of ["text", [1], undefined, new ArrayBuffer(1)]) {
      const content = { payloadType: "text/x", payload: wrong } as unknown as SigningContent;
      throws(() => checkedContent(content), { message: "payload is no Uint8Array" });
      const artifact = { artifact: wrong } as unknown as SigningContent;
      throws(() => checkedContent(artifact), { message: "artifact is no Uint8Array" });
    }
    ok("payload" in checkedContent(ENVELOPE));
  });
});
