import { deepStrictEqual as deepEqual, strictEqual as equal } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../../errors.ts";
import { utf8 } from "../../internal/bytes.ts";
import { fault, MemoryRegistry } from "../../tests/fixtures/registry.ts";
import { attestation } from "../_contract_test.ts";
import { attachAttestation } from "./attach.ts";
import { createRepository } from "./repository.ts";
import type { OciDescriptor, OciTarget } from "./source.ts";

const now = () => new Date("2026-01-02T03:04:05.678Z");

function client(registry: MemoryRegistry): OciTarget {
  const sleep = () => Promise.resolve();
  return createRepository(registry.reference, { fetch: registry.fetch, sleep, retries: 0 });
}

async function reasonOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
    return "accepted";
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

function about({ digest }: OciDescriptor, note = ""): Uint8Array {
  return attestation([{ sha256: digest.slice("sha256:".length) }], note);
}

/** A Sigstore bundle around an envelope. */
function bundle(envelope: Uint8Array): Uint8Array {
  return utf8(JSON.stringify({
    mediaType: "application/vnd.dev.sigstore.bundle.v0.3+json",
    verificationMaterial: { publicKey: { hint: "key" } },
    dsseEnvelope: JSON.parse(new TextDecoder().decode(envelope)),
  }));
}

describe("attachAttestation()", () => {
  it("writes a bundle as cosign 3 does", async () => {
    const registry = new MemoryRegistry();
    const image = registry.image("app", "1.0");
    const content = bundle(about(image));
    const { digest, created, listedBy, artifactType, predicateType } = await attachAttestation(
      client(registry),
      image,
      { content, now },
    );
    deepEqual([created, listedBy], [true, "referrers-api"]);
    equal(artifactType, "application/vnd.dev.sigstore.bundle.v0.3+json");
    equal(predicateType, "https://example.com/review/v1");
    const manifest = JSON.parse(new TextDecoder().decode(registry.manifests.get(digest)!.bytes));
    deepEqual(Object.keys(manifest), [
      "schemaVersion",
      "mediaType",
      "artifactType",
      "config",
      "layers",
      "subject",
      "annotations",
    ]);
    deepEqual(manifest.config, {
      mediaType: "application/vnd.oci.empty.v1+json",
      digest: "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a",
      size: 2,
    });
    deepEqual(manifest.subject, image);
    equal(manifest.layers.length, 1);
    equal(manifest.layers[0].mediaType, artifactType);
    deepEqual(registry.blobs.get(manifest.layers[0].digest), content);
    deepEqual(manifest.annotations, {
      "dev.sigstore.bundle.content": "dsse-envelope",
      "dev.sigstore.bundle.predicateType": predicateType,
      "org.opencontainers.image.created": "2026-01-02T03:04:05Z",
    });
  });

  it("writes an envelope by its own media type", async () => {
    const registry = new MemoryRegistry();
    const image = registry.image("app");
    const { artifactType } = await attachAttestation(client(registry), image, {
      content: about(image),
    });
    equal(artifactType, "application/vnd.dsse.envelope.v1+json");
  });

  it("attaches the very same attestation once, with every kind of list", async () => {
    for (const referrers of ["api", "loose", "none"] as const) {
      const registry = new MemoryRegistry({ referrers });
      const image = registry.image("app", "1.0");
      const [one, two] = ["one", "two"].map((note) => bundle(about(image, note)));
      const first = await attachAttestation(client(registry), image, { content: one });
      const again = await attachAttestation(client(registry), image, { content: one, now });
      deepEqual([first.created, again.created, again.digest], [true, false, first.digest]);
      await attachAttestation(client(registry), image, { content: two });
      equal((await client(registry).referrers(image.digest)).manifests.length, 2, referrers);
    }
  });

  it("refuses what is about another image, what nobody signed, and what is no attestation", async () => {
    const registry = new MemoryRegistry();
    const image = registry.image("app", "1.0");
    const other = registry.image("other");
    const before = registry.blobs.size;
    const statement = utf8(JSON.stringify({
      _type: "https://in-toto.io/Statement/v1",
      subject: [{ digest: { sha256: image.digest.slice(7) } }],
      predicateType: "https://example.com/review/v1",
    }));
    for (
      const [content, reason] of [
        [about(other), "subject-mismatch"],
        [bundle(about(other)), "subject-mismatch"],
        [attestation([{ sha512: image.digest.slice(7).repeat(2) }]), "subject-mismatch"],
        [statement, "unsigned-statement"],
        [utf8("{}"), "unknown-format"],
        [utf8("no"), "malformed-json"],
      ] as const
    ) {
      equal(await reasonOf(attachAttestation(client(registry), image, { content })), reason);
    }
    equal(registry.blobs.size, before);
    deepEqual(registry.log, []);
  });

  it("lists nothing before all of it is there, wherever it breaks off", async () => {
    for (const referrers of ["api", "none"] as const) {
      for (let allowed = 0;; allowed++) {
        const registry = new MemoryRegistry({ referrers });
        const image = registry.image("app", "1.0");
        let writes = 0;
        registry.lie = ({ method }) =>
          method !== "GET" && method !== "HEAD" && writes++ >= allowed
            ? fault(500, "BROKEN")
            : undefined;
        const content = bundle(about(image));
        const reason = await reasonOf(attachAttestation(client(registry), image, { content }));
        registry.lie = undefined;
        const target = client(registry);
        const { manifests } = await target.referrers(image.digest);
        equal(manifests.length, reason === "accepted" ? 1 : 0, `${referrers} ${allowed}`);
        if (reason === "accepted") break;
        equal(reason, "service-unavailable");
        // Done again, it goes on where it stopped.
        equal((await attachAttestation(target, image, { content })).created || allowed > 4, true);
        equal((await target.referrers(image.digest)).manifests.length, 1);
      }
    }
  });
});
