import assert from "node:assert/strict";
import { it } from "node:test";
import { parseTrustedRoot } from "../sigstore/trusted_root.ts";
import { refused } from "../tests/signing_machine.ts";
import { createServices } from "../tools/pki/services.ts";
import { servicesOfTrust } from "./signing_services.ts";

const NOW = new Date("2026-06-01T00:00:00Z");

it("servicesOfTrust() takes a cached configuration until it expires, and no other", async () => {
  const services = await createServices();
  const trustedRoot = parseTrustedRoot(services.trustedRoot);
  const signingConfigText = JSON.stringify(services.signingConfig());
  const expires = new Date(NOW.getTime() + 1);
  const found = await servicesOfTrust({ expires, trustedRoot, signingConfigText }, NOW);
  assert.equal(found.signingConfig.caUrls[0].url, services.urls.fulcio);
  assert.deepEqual(found.trustedRoots, [trustedRoot]);
  const reason = (value: string) => ({ reason: value });
  await assert.rejects(
    servicesOfTrust({ expires: NOW, trustedRoot, signingConfigText }, NOW),
    reason("tuf-expired"),
  );
  await assert.rejects(servicesOfTrust({ expires, trustedRoot }, NOW), reason("usage"));
  await assert.rejects(servicesOfTrust(undefined, NOW), reason("usage"));
});

it("sign without a key and without any configuration says how to get one", async () => {
  const files = { "app.tgz": "x" };
  const machines: Record<string, string>[] = [{}, { HOME: "/home/me" }];
  for (const variables of machines) {
    assert.equal(await refused({ files, variables }, "sign", "app.tgz"), "usage");
  }
});
