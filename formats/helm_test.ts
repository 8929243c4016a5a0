import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { parseChartMetadata, parseHelmProvenance } from "./helm.ts";

const HEX = "a".repeat(64);

function refusal(run: () => unknown): string {
  try {
    run();
    return "accepted";
  } catch (error) {
    return isAttestationError(error) ? error.reason : "thrown";
  }
}

function prov(changes: { head?: string; body?: string; end?: string } = {}): string {
  const {
    head = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n",
    body =
      `apiVersion: v2\nname: app\nversion: 1.2.3\n\n...\nfiles:\n  app-1.2.3.tgz: sha256:${HEX}\n`,
    end = "-----BEGIN PGP SIGNATURE-----\n\nwsBc\n-----END PGP SIGNATURE-----\n",
  } = changes;
  return head + body + end;
}

describe("parseChartMetadata()", () => {
  it("reads name and version as Helm writes them", () => {
    const read = (text: string) => parseChartMetadata(text);
    const wanted = { name: "app", version: "1.2.3" };
    assert.deepEqual(read("apiVersion: v2\nname: app\nversion: 1.2.3\n"), wanted);
    assert.deepEqual(read("name: 'app'\r\nversion: \"1.2.3\" # quoted\r\n"), wanted);
    assert.deepEqual(
      read("dependencies:\n- name: x\n  version: 9\nname: app\nversion: 1.2.3"),
      wanted,
    );
    assert.equal(read("name: app\nversion: 1.2.3+build.1-x\n").version, "1.2.3+build.1-x");
  });

  it("refuses what another reader may take for something else", () => {
    for (
      const text of [
        "",
        "name: app",
        "name: app\nname: evil\nversion: 1.0.0",
        "name: &a app\nversion: 1.0.0",
        "name: *a\nversion: 1.0.0",
        "name: |\n  app\nversion: 1.0.0",
        "name: !!str app\nversion: 1.0.0",
        'name: "a\\x62"\nversion: 1.0.0',
        "name: ../app\nversion: 1.0.0",
        "name:app\nversion: 1.0.0",
        "name: app\nversion: 1 0",
        '{"name":"app","version":"1.0.0"}',
      ]
    ) assert.equal(refusal(() => parseChartMetadata(text)), "malformed-chart", text);
    assert.equal(refusal(() => parseChartMetadata(" ".repeat(1 << 21))), "limit-exceeded");
    // Runs of blanks are looked at once.
    const blanks = " ".repeat((1 << 20) - 40);
    assert.deepEqual(parseChartMetadata(`name: ${blanks}app\nversion: 1.0.0\n`).name, "app");
    assert.equal(refusal(() => parseChartMetadata(Uint8Array.of(0xff))), "invalid-unicode");
  });

  it("refuses a name that is hidden from it, and not from other readers of YAML", () => {
    const rest = "name: app\nversion: 1.0.0\n";
    for (
      const text of [
        `# x\rname: evil\n${rest}`,
        `# x\u0085name: evil\n${rest}`,
        `# x\u2028name: evil\n${rest}`,
        `"name": evil\n${rest}`,
        `name : evil\n${rest}`,
        `? name\n: evil\n${rest}`,
        `!!str name: evil\n${rest}`,
        `<<: *other\n${rest}`,
        `${rest}---\nother: x\n`,
        `{name: evil}\n${rest}`,
      ]
    ) assert.equal(refusal(() => parseChartMetadata(text)), "malformed-chart", text);
    assert.equal(parseChartMetadata(`---\n# x\n${rest}`).name, "app");
  });
});

describe("parseHelmProvenance()", () => {
  it("reads the chart and the digests of its files", () => {
    assert.deepEqual(parseHelmProvenance(prov()), {
      name: "app",
      version: "1.2.3",
      files: { "app-1.2.3.tgz": HEX },
    });
    const quoted = `name: app\nversion: 1.2.3\n...\nfiles:\n  "a": "sha256:${HEX}"\n`;
    assert.deepEqual(parseHelmProvenance(prov({ body: quoted })).files, { a: HEX });
  });

  it("refuses everything else", () => {
    const body = (text: string) => prov({ body: text });
    for (
      const text of [
        "",
        prov({ head: "x\n\n" }),
        prov({ head: `\n${prov().slice(0, 50)}` }),
        prov({ end: "" }),
        body(`name: app\nversion: 1.2.3\nfiles:\n  a.tgz: sha256:${HEX}\n`),
        body(`name: app\nversion: 1.2.3\n...\n...\nfiles:\n  a.tgz: sha256:${HEX}\n`),
        body("name: app\nversion: 1.2.3\n...\nfiles:\n"),
        body(`name: app\nversion: 1.2.3\n...\nother:\n  a: sha256:${HEX}\n`),
        body(`name: app\nversion: 1.2.3\n...\n`),
        body(`name: app\nversion: 1.2.3\n...\nfiles:\n  a.tgz: md5:${HEX}\n`),
        body(`name: app\nversion: 1.2.3\n...\nfiles:\n  ../a.tgz: sha256:${HEX}\n`),
        body(
          `name: app\nversion: 1.2.3\n...\nfiles:\n  a: sha256:${HEX}\n  a: sha256:${HEX}\n`,
        ),
        ...[
          `  "a: sha256:${HEX}`,
          `  a": sha256:${HEX}`,
          `  a: "sha256:${HEX}`,
          `  "a: sha256:${HEX}"`,
          `  ..: sha256:${HEX}`,
          `  ".": sha256:${HEX}`,
          `  a: sha256:${HEX}\r  b: sha256:${HEX}`,
        ].map((line) => body(`name: app\nversion: 1.2.3\n...\nfiles:\n${line}\n`)),
      ]
    ) assert.equal(refusal(() => parseHelmProvenance(text)), "malformed-chart", text);
  });
});
