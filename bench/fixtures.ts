/**
 * Makes what is measured: keys, envelopes with a SLSA provenance of about 1.4 KB, the same as
 * JWS, and JSON Lines. Arguments: folder. In Node, which signs much faster than Deno.
 */

import { Buffer } from "node:buffer";
import { generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { closeSync, mkdirSync, openSync, truncateSync, writeFileSync, writeSync } from "node:fs";
import process from "node:process";
import { pae } from "../dsse/mod.ts";

const [folder] = process.argv.slice(2);
const TYPE = "application/vnd.in-toto+json";

function provenance(run: number): Buffer {
  const hex = (i: number) => i.toString(16).padStart(64, "a");
  const repository = "https://github.com/example/app";
  return Buffer.from(JSON.stringify({
    _type: "https://in-toto.io/Statement/v1",
    subject: [{ name: "pkg/app-0.tgz", digest: { sha256: hex(0) } }],
    predicateType: "https://slsa.dev/provenance/v1",
    predicate: {
      buildDefinition: {
        buildType: "https://actions.github.io/buildtypes/workflow/v1",
        externalParameters: {
          workflow: { ref: "refs/tags/v1.2.3", repository, path: ".github/workflows/release.yaml" },
        },
        internalParameters: {
          github: {
            event_name: "push",
            repository_id: "891715444",
            repository_owner_id: "1304826",
            runner_environment: "github-hosted",
          },
        },
        resolvedDependencies: [0, 1, 2, 3].map((i) => ({
          uri: `git+https://github.com/example/dep${i}@refs/tags/v1.0.${i}`,
          digest: { gitCommit: hex(i).slice(24) },
        })),
      },
      runDetails: {
        builder: { id: "https://github.com/actions/runner/github-hosted" },
        metadata: {
          invocationId: `${repository}/actions/runs/${11941425487 + run}/attempts/1`,
          startedOn: "2026-01-01T00:00:00Z",
          finishedOn: "2026-01-01T00:05:00Z",
        },
      },
    },
  }));
}

function envelope(
  payload: Buffer,
  { privateKey }: { privateKey: KeyObject },
  keyid: string,
): string {
  const sig = sign(keyid === "p256" ? "sha256" : null, pae(TYPE, payload), privateKey)
    .toString("base64");
  return JSON.stringify({
    payload: payload.toString("base64"),
    payloadType: TYPE,
    signatures: [{ keyid, sig }],
  });
}

function jws(payload: Buffer, key: KeyObject, alg: string, hash: "sha256" | null): string {
  const header = Buffer.from(JSON.stringify({ alg, typ: TYPE })).toString("base64url");
  const signed = `${header}.${payload.toString("base64url")}`;
  const sig = sign(hash, Buffer.from(signed), { key, dsaEncoding: "ieee-p1363" });
  return `${signed}.${sig.toString("base64url")}`;
}

mkdirSync(folder, { recursive: true });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" }), ed = generateKeyPairSync("ed25519");
for (
  const [name, pair, alg, hash] of [
    ["p256", ec, "ES256", "sha256"],
    ["ed25519", ed, "EdDSA", null],
  ] as const
) {
  const payload = provenance(0);
  writeFileSync(
    `${folder}/${name}.pub.pem`,
    pair.publicKey.export({ type: "spki", format: "pem" }),
  );
  writeFileSync(`${folder}/env-${name}.json`, envelope(payload, pair, name));
  writeFileSync(`${folder}/jws-${name}.txt`, jws(payload, pair.privateKey, alg, hash));
}

// Ten thousand different lines; of more, the same ones again.
const lines = Array.from(
  { length: 10_000 },
  (_, i) => envelope(provenance(i), ec, "p256") + "\n",
);
for (const count of [1, 100, 10_000]) {
  writeFileSync(`${folder}/l${count}.jsonl`, lines.slice(0, count).join(""));
}
const all = Buffer.from(lines.join(""));
const large = openSync(`${folder}/l100000.jsonl`, "w");
for (let i = 0; i < 10; i++) writeSync(large, all);
closeSync(large);

// Zeros that take no room on disk.
writeFileSync(`${folder}/large.bin`, "");
truncateSync(`${folder}/large.bin`, 512 << 20);
