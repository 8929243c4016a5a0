/** What gpg and rpmsign make is verified here, and what is changed of it is refused by all. */

import { ok, strictEqual as equal } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { verifyFormat } from "../../formats/mod.ts";
import { createOpenPgpKeyring, type OpenPgpKeyring } from "../../formats/openpgp/mod.ts";

const folder = mkdtempSync(join(tmpdir(), "attest-openpgp-"));
const home = join(folder, "home");
mkdirSync(home, { mode: 0o700 });
const env = { ...process.env, GNUPGHOME: home, LC_ALL: "C" };

function run(command: string, args: readonly string[], input?: string) {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd: folder,
    env,
    encoding: "utf8",
    ...(input === undefined ? {} : { input }),
  });
  return { ok: error === undefined && status === 0, out: `${stdout}${stderr}` };
}

function need(...commands: string[]): { skip?: string } {
  const absent = commands.filter((one) => !run(one, ["--version"]).ok);
  if (absent.length === 0) return {};
  const skip = `${absent.join(", ")} not installed`;
  console.log(`skipped: ${skip}`);
  return { skip };
}

const gpg = (...args: string[]) =>
  run("gpg", ["--batch", "--quiet", "--yes", "--pinentry-mode", "loopback", ...args]);

function read(name: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(readFileSync(join(folder, name)));
}

const USER = "test@example.com";
const LIST = `${"5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"}  a.txt\n`;

async function makeKey(kind: string, name = kind): Promise<OpenPgpKeyring> {
  const user = `${name} <${name}-${USER}>`;
  const made = gpg("--passphrase", "", "--quick-gen-key", user, kind, "sign", "0");
  ok(made.ok, made.out);
  ok(gpg("--armor", "--output", `${name}.asc`, "--export", `${name}-${USER}`).ok);
  return await createOpenPgpKeyring({ name, content: read(`${name}.asc`) });
}

async function verdict(
  document: Uint8Array,
  openpgp: OpenPgpKeyring,
  content?: Uint8Array,
): Promise<string> {
  const result = await verifyFormat(document, {
    openpgp,
    // gpg's clock and ours are one, its times are whole seconds.
    now: new Date(Date.now() + 5000),
    ...(content === undefined ? {} : { detached: { content, digest: {} } }),
  });
  return result.ok ? "ok" : result.errorReason;
}

after(() => {
  run("gpgconf", ["--kill", "all"]);
  rmSync(folder, { recursive: true, force: true });
});

const FORMS: readonly (readonly [string, readonly string[]])[] = [
  ["clear", ["--clearsign"]],
  ["detached", ["--detach-sign"]],
  ["armored", ["--armor", "--detach-sign"]],
  ["inline", ["--sign"]],
  ["plain", ["--compress-algo", "none", "--sign"]],
  ["zlib", ["--compress-algo", "zlib", "--armor", "--sign"]],
  ["digest", ["--digest-algo", "SHA384", "--clearsign"]],
];

describe("what gpg signs", need("gpg"), () => {
  for (const kind of ["ed25519", "rsa2048", "nistp256", "nistp384", "nistp521"]) {
    it(`is verified in all forms by ${kind}, and refused with a bit flipped`, async () => {
      const openpgp = await makeKey(kind);
      writeFileSync(join(folder, "list"), LIST);
      for (const [form, options] of FORMS) {
        // gpg itself wants SHA-512 there.
        if (kind === "nistp521" && form === "digest") continue;
        const name = `${kind}.${form}`;
        const made = gpg("--local-user", `${kind}-${USER}`, "--output", name, ...options, "list");
        ok(made.ok, made.out);
        const document = read(name);
        const isDetached = form === "detached" || form === "armored";
        const content = isDetached ? read("list") : undefined;
        equal(await verdict(document, openpgp, content), "ok", form);
        const step = Math.max(1, Math.floor(document.length / 24));
        for (let at = 0; at < document.length; at += step) {
          const changed = document.slice();
          changed[at] ^= 4;
          if (await verdict(changed, openpgp, content) !== "ok") continue;
          // What is accepted is accepted by gpg as well.
          writeFileSync(join(folder, "changed"), changed);
          const asked = gpg("--verify", "changed", ...isDetached ? ["list"] : []);
          ok(asked.ok, `${form}: byte ${at}: ${asked.out}`);
        }
      }
    });
  }

  it("is refused over SHA-1, as text beside a file, and after its key is revoked", async () => {
    const openpgp = await makeKey("ed25519", "revoked");
    writeFileSync(join(folder, "list"), LIST);
    const by = ["--local-user", openpgp.keys[0].fingerprint];
    ok(gpg(...by, "--digest-algo", "SHA1", "--output", "sha1", "--detach-sign", "list").ok);
    equal(await verdict(read("sha1"), openpgp, read("list")), "weak-hash");
    ok(gpg(...by, "--textmode", "--output", "text", "--detach-sign", "list").ok);
    equal(await verdict(read("text"), openpgp, read("list")), "unsupported-signature-type");
    ok(gpg(...by, "--output", "good", "--detach-sign", "list").ok);
    equal(await verdict(read("good"), openpgp, read("list")), "ok");
    // gpg keeps a revocation of each key, which a colon makes harmless.
    const kept = join("home/openpgp-revocs.d", `${openpgp.keys[0].fingerprint.toUpperCase()}.rev`);
    const revocation = new TextDecoder().decode(read(kept)).replace(":-----BEGIN", "-----BEGIN");
    writeFileSync(join(folder, "revocation"), revocation);
    ok(gpg("--import", "revocation").ok);
    ok(gpg("--output", "revoked", "--export", openpgp.keys[0].fingerprint).ok);
    const revoked = await createOpenPgpKeyring(read("revoked"));
    equal(await verdict(read("good"), revoked, read("list")), "key-revoked");
  });
});

const SPEC = `Name: interop
Version: 1.2
Release: 3
Summary: x
License: MIT
BuildArch: noarch
%description
x
%install
mkdir -p %{buildroot}/usr/share/interop
echo hi > %{buildroot}/usr/share/interop/a
%files
/usr/share/interop/a
`;

describe("what rpmsign signs", need("gpg", "rpm", "rpmsign", "rpmbuild"), () => {
  it("is verified, and what is changed of it is refused as rpm refuses it", async () => {
    writeFileSync(join(folder, "x.spec"), SPEC);
    const top = join(folder, "rb");
    const built = run("rpmbuild", ["--quiet", "--define", `_topdir ${top}`, "-bb", "x.spec"]);
    ok(built.ok, built.out);
    const database = join(folder, "db");
    mkdirSync(database);
    const tool = run("sh", ["-c", "command -v gpg"]).out.trim();
    for (const kind of ["rsa2048", "ed25519"]) {
      const openpgp = await makeKey(kind, `rpm-${kind}`);
      const imported = run("rpm", [
        "--define",
        `_dbpath ${database}`,
        "--import",
        `rpm-${kind}.asc`,
      ]);
      ok(imported.ok, imported.out);
      writeFileSync(
        join(folder, "app.rpm"),
        readFileSync(join(top, "RPMS/noarch/interop-1.2-3.noarch.rpm")),
      );
      equal(await verdict(read("app.rpm"), openpgp), "missing-signatures");
      const signed = run("rpmsign", [
        ...["--define", `__gpg ${tool}`],
        ...["--define", `_gpg_name rpm-${kind}-${USER}`],
        ...["--define", `_gpg_path ${home}`],
        ...["--addsign", "app.rpm"],
      ]);
      ok(signed.ok, signed.out);
      const bytes = read("app.rpm");
      const result = await verifyFormat(bytes, { openpgp, now: new Date(Date.now() + 5000) });
      ok(result.ok && "statement" in result.statement, JSON.stringify(result));
      equal(result.statement.statement.subject[0].name, "interop-1.2-3.noarch.rpm");
      const [lead, stated] = result.envelope.uncovered ?? [];
      equal(lead.end, 96);
      const rpmAccepts = (changed: Uint8Array) => {
        writeFileSync(join(folder, "changed.rpm"), changed);
        return run("rpm", ["--define", `_dbpath ${database}`, "-K", "changed.rpm"]).ok;
      };
      ok(rpmAccepts(bytes));
      let refused = 0;
      for (let at = stated.end + 3; at < bytes.length; at += 97) {
        const changed = bytes.slice();
        changed[at] ^= 1;
        ok(await verdict(changed, openpgp) !== "ok", `byte ${at}`);
        refused++;
      }
      ok(refused > 10);
      for (const at of [stated.end + 40, bytes.length - 1]) {
        const changed = bytes.slice();
        changed[at] ^= 1;
        ok(!rpmAccepts(changed), `byte ${at}`);
      }
      const otherLead = bytes.slice();
      otherLead[12] ^= 1;
      equal(await verdict(otherLead, openpgp), "ok");
    }
  });
});
