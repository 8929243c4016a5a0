/**
 * The documentation by its letter: every `sh` block of the start page and of the guides is run,
 * every TypeScript snippet is checked and run, and every link and anchor of all pages leads
 * somewhere. `docs/attest-in-ci.md` has a test of its own. Deno only.
 */

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseArgs } from "../cli/args.ts";
import { optionsOf } from "../cli/help.ts";
import { apkCertificate, apkOf } from "../formats/attached/_apk_fixtures_test.ts";
import { jarFile } from "../formats/attached/_signed_fixtures_test.ts";
import * as openPgp from "../formats/openpgp/_fixtures_test.ts";
import { utf8 } from "../internal/bytes.ts";
import { encodeHex } from "../internal/hex.ts";
import { encodePem } from "../internal/pem.ts";
import { sha256 } from "../internal/sha256.ts";
import { REASONS } from "../reasons.ts";
import { testKey } from "../tools/pki/keys.ts";
import { blocksOf, markOf, quoted, runShell, type ShellResult } from "./doc_blocks.ts";
import { ROOMS } from "./architecture.ts";
import { brokenLinks } from "./markdown_links.ts";
import { answerOf, integrityOf, keysFile, PACKAGE, TARBALL } from "./fixtures/npm.ts";
import { image, publicKey } from "./fixtures/attested_image.ts";
import type { MemoryRegistry } from "./fixtures/registry.ts";
import { rootJson } from "./fixtures/sigstore.ts";
import { commandsOf, splitWords } from "./shell_words.ts";

const ROOT = new URL("..", import.meta.url).pathname;
const GUIDES = "docs/guides/";

/** What the blocks of a page must show, by a text in the block; `x` and `y` as they stand. */
const SHOWN: Readonly<Record<string, readonly (readonly [string, RegExp])[]>> = {
  "docs/start.md": [
    ["--repo example/hello", /^PASSED: 1 artifact verified$/m],
    ["--repo example/other", /^FAILED: 0 of 1 artifact verified \(identity-mismatch\)$/m],
    ["--repo example/other", /^exit status 1$/m],
    ["attest explain", /identity-mismatch[^]*repair/i],
    ["attest inspect", /NOT VERIFIED/],
    ["attest keygen", /^PASSED: 1 artifact verified$/m],
    ["and more", /subject-mismatch[^]*^exit status 1$/m],
  ],
  "docs/guides/verify-github-release.md": [
    ["--source-ref refs/tags/v1.0.0", /^PASSED: 1 artifact verified$/m],
  ],
  "docs/guides/verify-npm.md": [
    ["--package-version 1.2.3", /^PASSED: 1 artifact verified$/m],
    ["--package-name @acme/other", /package-mismatch[^]*^exit status 1$/m],
    ["--previous report.json", /^PASSED: 1 of 2 packages verified, 1 without attestations$/m],
  ],
  "docs/guides/verify-cosign.md": [
    ["--cert-identity dev@example.com", /^PASSED: 1 artifact verified$/m],
    ["--cert-identity dev@example.co ", /identity-mismatch[^]*^exit status 1$/m],
    ["--key ../keys/managed.pub", /^PASSED: 1 artifact verified$/m],
  ],
  "docs/guides/verify-openpgp.md": [
    ["other.tgz", /^PASSED: 1 artifact verified$[^]*subject-mismatch[^]*^exit status 1$/m],
    ["stranger.asc", /^PASSED: 1 artifact verified$[^]*missing-trusted-key[^]*^exit status 1$/m],
  ],
  "docs/guides/verify-signed-file.md": [
    ["other.pub", /^PASSED: 1 artifact verified$[^]*untrusted-certificate[^]*^exit status 1$/m],
    ["maker.sha256", /^PASSED: 1 artifact verified$[^]*untrusted-certificate[^]*^exit status 1$/m],
  ],
  // Its files are those of other tools: what the options do is tried in cli/.
  "docs/guides/verify-supply-chain.md": [],
  "docs/guides/keys-and-key-sets.md": [
    ["verify app.txt --key alice.pub", /^PASSED: 1 artifact verified$/m],
    ["--threshold 2", /threshold-not-met[^]*^exit status 1$[^]*^PASSED: 1 artifact verified$/m],
    ["--successor-of", /^PASSED: 1 artifact verified$/m],
    ["--revoke", /key-revoked[^]*^exit status 1$/m],
  ],
  "docs/guides/convert-old-forms.md": [
    ["app.jws --key old.pub", /^PASSED: 1 artifact verified$/m],
    ["attest convert app.jws app.txt --key old.pub", /^PASSED: 1 artifact verified$/m],
    ["--print-provenance", /"format":"jws"/],
    ["ls new.json", /^exit status 1$[^]*^there is none$/m],
  ],
  "docs/guides/release-gate.md": [
    ["git commit -q -m app", /A dist\/app\.js {2}checked by all[^]*^PASSED: 1 artifact verified$/m],
    ["git commit -q -m rules", /README\.md {2}ignored[^]*^PASSED: nothing that changed needs/m],
    ["git commit -q -m changed", /subject-mismatch[^]*^exit status 1$/m],
    ["git commit -q -m removed", /covered-path-removed[^]*^exit status 1$/m],
    ["my own rules", /^PASSED: [^]*attestation-not-found[^]*^exit status 1$/m],
    ["--depth 1", /^exit status 2$/m],
    ["--unshallow", /^exit status 1$/m],
  ],
  "docs/guides/offline-own-root.md": [
    ["trusted-root show", /^ {2}transparency logs$[^]*^ {2}certificate transparency logs$/m],
    ["--deny-net", /^PASSED: 1 artifact verified$/m],
    ["|| echo", /untrusted-certificate[^]*^exit status 1$/m],
  ],
  "docs/guides/verify-image.md": [
    ['verify "oci://$IMAGE" --key ci.pub\n', /^PASSED: /m],
    ["--index-only", /^PASSED: [^]*attestation-not-found[^]*^exit status 1$/m],
    ["tree", /linux\/arm64/],
    ["--deny-net", /^PASSED: /m],
  ],
  "docs/guides/keep-attestations.md": [
    ["store put", /^PASSED: 1 artifact verified$/m],
    ["no-such-store", /store-unavailable[^]*^exit status 2$/m],
    ["store prune", /^sha256:[0-9a-f]{64}$/m],
  ],
};

/** Writes what the guide to npm packages names. */
async function writePackage(folder: string): Promise<void> {
  const answer = JSON.stringify(await answerOf());
  const integrity = await integrityOf(TARBALL);
  await writeFiles(folder, {
    "package.tgz": TARBALL,
    "attestations.json": answer,
    "keys.json": JSON.stringify(await keysFile()),
    "trusted_root.json": JSON.stringify(await rootJson()),
    "answers/@acme%2fapp@1.2.3.json": answer,
    "package-lock.json": JSON.stringify({
      lockfileVersion: 3,
      packages: {
        "": {},
        [`node_modules/${PACKAGE.name}`]: { version: PACKAGE.version, integrity },
        "node_modules/bare": {
          version: "1.0.0",
          integrity: await integrityOf(new TextEncoder().encode("bare")),
        },
      },
    }),
  });
}

/** Writes what the guide to OpenPGP names. */
async function writeOpenPgp(folder: string): Promise<void> {
  const [key, stranger] = [await openPgp.makeKey(), await openPgp.makeKey()];
  const chart = utf8("a chart"), jar = utf8("a library");
  const armored = async (of: openPgp.TestKey) =>
    openPgp.armor("PUBLIC KEY BLOCK", await openPgp.publicKey(of));
  await writeFiles(folder, {
    "app-1.2.3.tgz": chart,
    "other.tgz": "another chart",
    "SHASUMS256.txt.asc": await openPgp.cleartext(
      key,
      `${encodeHex(sha256(chart))}  app-1.2.3.tgz`,
    ),
    "app.jar": jar,
    "app.jar.asc": openPgp.armor("SIGNATURE", await openPgp.signaturePacket(key, jar)),
    "release-keys.asc": await armored(key),
    "stranger.asc": await armored(stranger),
  });
}

/** Writes what the guide to files that carry their signature names. */
async function writeSigned(folder: string): Promise<void> {
  const keyOf = async (name: string) => encodePem("PUBLIC KEY", (await testKey(name)).spki);
  await writeFiles(folder, {
    "app.jar": await jarFile(),
    "release.pub": await keyOf("leaf-p256"),
    "other.pub": await keyOf("fulcio-root"),
    "app.apk": await apkOf(),
    "maker.sha256": encodeHex(sha256(await apkCertificate())),
  });
}

async function writeFiles(
  folder: string,
  files: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = `${folder}/${name}`;
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeFile(path, typeof content === "string" ? utf8(content) : content);
  }
}

/** What writes the files of a page, by the mark of the block that begins with them. */
const WRITERS: Readonly<Record<string, (folder: string) => Promise<void>>> = {
  "files=npm": writePackage,
  "files=openpgp": writeOpenPgp,
  "files=signed": writeSigned,
};

/** A registry on this machine with the image of the guide. */
async function serveImage(): Promise<Deno.HttpServer<Deno.NetAddr>> {
  const made: { registry?: MemoryRegistry } = {};
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { method, url, headers } = request;
    return made.registry?.fetch(url, { method, headers }) ?? new Response("", { status: 503 });
  });
  const { registry } = await image(["amd64", "arm64"], { host: `127.0.0.1:${server.addr.port}` });
  made.registry = registry;
  return server;
}

async function runPage(page: string, folder: string): Promise<ShellResult> {
  const isOfImage = page.endsWith("verify-image.md");
  const registry = isOfImage ? await serveImage() : undefined;
  try {
    return await runBlocks(page, folder, registry);
  } finally {
    await registry?.shutdown();
  }
}

async function runBlocks(
  page: string,
  folder: string,
  registry: Deno.HttpServer<Deno.NetAddr> | undefined,
): Promise<ShellResult> {
  let shell = "";
  for (const block of blocksOf(await Deno.readTextFile(ROOT + page))) {
    if (block.language !== "sh") continue;
    const known = ["", "files=image", ...Object.keys(WRITERS)];
    assert.ok(known.includes(block.where), `${page}:${block.line}: ${block.where}`);
    if (block.where === "files=image") {
      await Deno.writeTextFile(`${folder}/ci.pub`, await publicKey());
      const cli = quoted(`${ROOT}cli.ts`);
      shell += `cd ${quoted(folder)}\nIMAGE=${registry?.addr.hostname}:${registry?.addr.port}` +
        `/acme/app:1\nCLI=${cli}\nattest() { npx -y deno@2.9.6 run -A ${cli} "$@"; }\n`;
    }
    if (block.where in WRITERS) {
      await WRITERS[block.where](`${folder}/files`);
      const attest = `attest() { npx -y deno@2.9.6 run -A ${quoted(`${ROOT}cli.ts`)} "$@"; }\n`;
      shell += `cd ${quoted(`${folder}/files`)}\n${attest}`;
    }
    shell += markOf(block) + block.text;
  }
  return await runShell(shell, ROOT, folder);
}

/** Markdown files of the project, in order. */
function markdownFiles(folder = ""): string[] {
  return [...Deno.readDirSync(ROOT + folder)].flatMap(({ name, isDirectory }) => {
    if (/^(\.|node_modules$|coverage$)/.test(name)) return [];
    if (isDirectory) return markdownFiles(`${folder}${name}/`);
    return name.endsWith(".md") ? [folder + name] : [];
  }).sort();
}

if ("Deno" in globalThis) {
  const guides = markdownFiles(GUIDES);
  const pages = ["docs/start.md", ...guides];

  describe("the start page and the guides", () => {
    for (const page of pages) {
      it(`${page} does what its commands say`, async () => {
        const folder = await Deno.makeTempDir({ prefix: "attest-docs-" });
        try {
          const { code, out, err, sections } = await runPage(page, folder);
          assert.equal(code, 0, `${page}\n${out}\n${err}`);
          const blocks = blocksOf(await Deno.readTextFile(ROOT + page));
          assert.ok(page in SHOWN, `${page}: nothing is expected of its commands`);
          for (const [text, shown] of SHOWN[page]) {
            const block = blocks.find(({ language, text: commands }) =>
              language === "sh" && commands.includes(text)
            );
            assert.ok(block !== undefined, `${page}: no sh block with ${text}`);
            assert.match(sections.get(block.line) ?? "", shown, `${page}:${block.line}`);
          }
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      });
    }

    it("shows no other commands than there are", async () => {
      for (const page of pages) {
        for (const { language, text, line } of blocksOf(await Deno.readTextFile(ROOT + page))) {
          if (language !== "bash") continue;
          for (const command of commandsOf(text)) {
            const [program, name, ...args] = splitWords(command);
            assert.equal(program, "attest", `${page}:${line}`);
            const rest = name === "trusted-root" ? args.slice(1) : args;
            const options = await optionsOf(name);
            assert.ok(options !== undefined, `${page}:${line}: ${name}`);
            parseArgs(rest, options);
          }
        }
      }
    });

    it("names reasons and options that there are", async () => {
      const options = new Set<string>();
      for (
        const name of [
          "verify",
          "gate",
          "attest",
          "sign",
          "keygen",
          "trusted-root",
          "policy",
          "tree",
          "store",
          "attach",
          "convert",
        ]
      ) {
        for (const { name: option, aliases = [] } of await optionsOf(name) ?? []) {
          for (const one of [option, ...aliases]) options.add(one);
        }
      }
      for (const page of pages) {
        const text = (await Deno.readTextFile(ROOT + page)).replace(/^```[^]*?^```$/gm, "");
        for (const [, option] of text.matchAll(/`--([a-z][\w-]*)/g)) {
          const isOfOthers = /^(allow-read|insecure-ignore-tlog|certificate-identity|local-image)$/
            .test(option);
          assert.ok(options.has(option) || isOfOthers, `${page}: --${option}`);
        }
        for (const [, reason] of text.matchAll(/^- `([a-z]+(?:-[a-z]+)+)`:/gm)) {
          assert.ok(Object.hasOwn(REASONS, reason), `${page}: ${reason}`);
        }
      }
    });

    it("has TypeScript that type-checks and runs", async () => {
      const withSnippets = ["docs/explanations/", "docs/architecture.md", ...pages];
      const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
        args: ["test", "-A", "--doc", "--quiet", ...withSnippets],
        cwd: ROOT,
        env: { NO_COLOR: "1" },
      }).output();
      const out = new TextDecoder().decode(stdout) + new TextDecoder().decode(stderr);
      assert.equal(code, 0, out);
      const [, passed = "0"] = /(\d+) passed/.exec(out) ?? [];
      let snippets = 0;
      for (const page of [...pages, ...markdownFiles("docs/explanations/")]) {
        snippets += blocksOf(await Deno.readTextFile(ROOT + page))
          .filter(({ language }) => language === "ts").length;
      }
      assert.ok(snippets > 0 && Number(passed) >= snippets, `${passed} of ${snippets}\n${out}`);
    });
  });

  describe("all pages", () => {
    it("link to what there is", () => {
      const files = new Map(
        markdownFiles().map((path) => [path, Deno.readTextFileSync(ROOT + path)]),
      );
      assert.ok(files.size > 30);
      const exists = (path: string): boolean => {
        try {
          return Deno.statSync(ROOT + path) !== undefined;
        } catch {
          return false;
        }
      };
      assert.deepEqual(brokenLinks(files, exists), []);
    });

    it("are in the table of contents", () => {
      const contents = Deno.readTextFileSync(`${ROOT}docs/README.md`);
      for (const path of markdownFiles("docs/")) {
        if (/^docs\/(README\.md|reference\/|policy\/(?!README))/.test(path)) continue;
        assert.ok(contents.includes(`](${path.slice("docs/".length)})`), path);
      }
    });
  });
}

if ("Deno" in globalThis) {
  describe("docs/architecture.md", () => {
    const page = Deno.readTextFileSync(`${ROOT}docs/architecture.md`);

    it("has the rooms that there are, in their order", () => {
      const rooms = ROOMS.filter((room) => {
        try {
          return Deno.statSync(ROOT + room).isDirectory;
        } catch {
          return false;
        }
      });
      assert.ok(page.includes(`\n${rooms.join(" → ")}\n`), rooms.join(" → "));
      const rows = [...page.matchAll(/^\| `(\w+)` /gm)].map(([, room]) => room);
      assert.deepEqual(rows.filter((room) => ROOMS.includes(room)), rooms);
    });

    it("names files and folders that there are", () => {
      const names = [...page.matchAll(/`([a-z_]+(?:\/[a-z_]+)*(?:\.(?:ts|json)|\/))`/g)];
      assert.ok(names.length > 30);
      for (const [, name] of names) {
        if (name === "store/") continue;
        const folders = ["", "sigstore/", "intoto/predicates/", "policy/"];
        const there = folders.some((folder) => {
          try {
            return Deno.statSync(ROOT + folder + name) !== undefined;
          } catch {
            return false;
          }
        });
        assert.ok(there, name);
      }
    });
  });
}

describe("brokenLinks()", () => {
  const exists = (path: string) => path === "code.ts" || path === "docs";
  const check = (files: Record<string, string>) =>
    brokenLinks(new Map(Object.entries(files)), exists);

  it("accepts files, folders, anchors and other sites", () => {
    const a = "# A `b()`: c\n## Two\n## Two\n[x](docs/b.md#title) [y](#a-b-c) [z](#two-1) " +
      "[c](code.ts) [d](docs) [w](https://example.com/x#y)\n```sh\n[no](gone.md)\n```\n`[no](gone)`\n";
    assert.deepEqual(
      check({ "a.md": a, "docs/b.md": "# Title\n[up](../a.md#two) [h](../code.ts)" }),
      [],
    );
  });

  it("finds files and anchors that are not there", () => {
    const found = check({
      "a.md": "# A\n[x](gone.md) [y](#gone) [z](b.md#gone) [up](../out.md) [c](code.ts#L1)",
      "b.md": "# B",
    });
    assert.deepEqual(found, [
      "a.md: gone.md",
      "a.md: #gone",
      "a.md: b.md#gone",
      "a.md: ../out.md",
    ]);
  });
});
