// Answers questions, one JSON per line, with @sigstore/verify. Run below the folder that has it.
import crypto from "node:crypto";
import { createRequire } from "node:module";
import process from "node:process";
import { createInterface } from "node:readline";

const require = createRequire(`${process.argv[2]}/package.json`);
const { bundleFromJSON } = require("@sigstore/bundle");
const { TrustedRoot } = require("@sigstore/protobuf-specs");
const { toSignedEntity, toTrustMaterial, Verifier } = require("@sigstore/verify");

function answer({ bundle, root, artifact, identity, issuer, key }) {
  try {
    const material = toTrustMaterial(
      TrustedRoot.fromJSON(JSON.parse(root)),
      key && (() => ({ publicKey: crypto.createPublicKey(key), validFor: () => true })),
    );
    const parsed = bundleFromJSON(JSON.parse(bundle));
    const isMessage = parsed.content.$case === "messageSignature";
    if (isMessage && artifact.base64 === undefined) {
      return { verdict: "n/a", why: "takes no digest of an artifact" };
    }
    const thresholds = { tlogThreshold: 1, ctlogThreshold: key ? 0 : 1, timestampThreshold: 1 };
    const entity = toSignedEntity(
      parsed,
      isMessage ? Buffer.from(artifact.base64, "base64") : undefined,
    );
    const policy = key
      ? undefined
      : { subjectAlternativeName: escaped(identity), extensions: { issuer } };
    new Verifier(material, thresholds).verify(entity, policy);
    return { verdict: "pass", why: "" };
  } catch (error) {
    return { verdict: "fail", why: `${error.code ?? error.name}: ${error.message}` };
  }
}

/** A name as the whole of the expression that the peer searches for. */
function escaped(name) {
  return `^${name.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")}$`;
}

for await (const line of createInterface({ input: process.stdin })) {
  process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`);
}
