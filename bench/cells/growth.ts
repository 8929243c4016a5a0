/**
 * What one size of one thing costs. Arguments: series, size. Prints one line of JSON: CPU
 * milliseconds of the least of some rounds, items, and the largest resident set in MiB.
 */

import process from "node:process";
import { createEnvelope, verifyEnvelopes } from "../../dsse/mod.ts";
import { parseStatement, readJsonLines } from "../../intoto/mod.ts";
import { generateSigner } from "../../keys/mod.ts";
import { compilePolicy, definePolicy } from "../../policy/mod.ts";
import { verify, type VerifyOptions } from "../../verify/mod.ts";
import { cpuNs, peakMiB, runtimeName } from "../measure.ts";

const IN_TOTO = "application/vnd.in-toto+json";
const { signer, trustedKey, publicKey } = await generateSigner("Ed25519", { name: "ci" });
const keys = [trustedKey];
const utf8 = new TextEncoder();

/** Prepared work: what is done again and again, for how many items it counts. */
type Series = (size: number) => Promise<() => Promise<void>>;

function statement(subjects: number, padding = 0): object {
  return {
    _type: "https://in-toto.io/Statement/v1",
    subject: Array.from({ length: subjects }, (_, i) => ({
      name: `app-${i}.tgz`,
      digest: { sha256: (i + 1).toString(16).padStart(64, "0") },
    })),
    predicateType: "https://example.com/built/v1",
    predicate: { log: "x".repeat(padding) },
  };
}

async function passing(
  envelope: string,
  last: number,
  options: VerifyOptions = { trust: { keys } },
): Promise<() => Promise<void>> {
  const sha256 = last.toString(16).padStart(64, "0");
  const artifact = { name: `app-${last - 1}.tgz`, digest: { sha256 } };
  return await Promise.resolve(async () => {
    const report = await verify(envelope, artifact, options);
    if (!report.ok) throw new Error(`${report.errorReason}`);
  });
}

const SERIES: Record<string, Series> = {
  /** JSON Lines, read as a stream of 64 KiB, 64 under way. */
  async attestations(size) {
    const lines = await Promise.all(Array.from({ length: Math.min(size, 100) }, async (_, i) => {
      const envelope = await createEnvelope(IN_TOTO, statement(1, i), signer);
      return utf8.encode(JSON.stringify(envelope) + "\n");
    }));
    async function* chunks() {
      for (let i = 0; i < size; i++) yield await Promise.resolve(lines[i % lines.length]);
    }
    async function* envelopes() {
      for await (const line of readJsonLines(chunks())) {
        if (!line.ok) throw line.error;
        yield line.value as object;
      }
    }
    return async () => {
      let count = 0;
      for await (const result of verifyEnvelopes(envelopes(), { keys })) {
        if (!result.ok) throw result.error;
        parseStatement(result.payload);
        count++;
      }
      if (count !== size) throw new Error(`${count} of ${size}`);
    };
  },
  /** One attestation about the last of them. */
  async subjects(size) {
    const envelope = await createEnvelope(IN_TOTO, statement(size), signer);
    return await passing(JSON.stringify(envelope), size);
  },
  /** One attestation of so many bytes. */
  async payload(size) {
    const envelope = await createEnvelope(IN_TOTO, statement(1, size), signer);
    return await passing(JSON.stringify(envelope), 1);
  },
  /** One attestation under so many rules, each of which applies. */
  async rules(size) {
    const envelope = await createEnvelope(IN_TOTO, statement(1), signer);
    const rules = Array.from({ length: size }, (_, i) => ({
      id: `rule-${i}`,
      require: [{
        id: "built",
        envelope: { signedBy: { of: ["ci"] } },
        statement: { subjectNames: ["app-*.tgz"] },
        predicate: { where: [{ path: "/predicateType", matches: "https://example.com/**" }] },
      }],
    }));
    const policy = await compilePolicy(
      definePolicy({ selection: "all", trust: { keys: { ci: { publicKey } } }, rules }),
    );
    return await passing(JSON.stringify(envelope), 1, { policy });
  },
};

const [name, text] = process.argv.slice(2);
const size = Number(text);
const work = await SERIES[name](size);
const before = peakMiB();
await work();
let least = Infinity, rounds = 0;
for (const start = performance.now(); rounds < 3 || performance.now() - start < 300; rounds++) {
  // A single small one is below what the account can tell: several, and the mean of them.
  const times = least === Infinity || least > 20 ? 1 : Math.ceil(20 / Math.max(least, 0.05));
  const cpu = cpuNs();
  for (let i = 0; i < times; i++) await work();
  least = Math.min(least, (cpuNs() - cpu) / 1e6 / times);
  if (rounds >= 1 && performance.now() - start > 20_000) break;
}
console.log(JSON.stringify({
  runtime: runtimeName(),
  name,
  size,
  cpu: least,
  before,
  peak: peakMiB(),
}));
