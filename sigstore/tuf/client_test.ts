import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError, type Reason } from "../../errors.ts";
import { type Bytes, concat, equalBytes, utf8 } from "../../internal/bytes.ts";
import { encodeHex } from "../../internal/hex.ts";
import type { Fetch } from "../../internal/http.ts";
import { type JsonObject, parseJson } from "../../internal/json.ts";
import { encodePem } from "../../internal/pem.ts";
import { sha256 } from "../../internal/sha256.ts";
import { p1363ToDer } from "../../keys/ecdsa_signature.ts";
import {
  signTuf,
  TestTufRepository,
  TUF_START,
  type TufKeyScheme,
  type TufSigner,
  tufSigner,
  withOtherId,
} from "../../tools/pki/tuf_repository.ts";
import { canonicalTufJson } from "./canonical.ts";
import { memoryTufCache, type TufCache } from "./cache.ts";
import { readCachedTargets, refreshTargets } from "./client.ts";
import type { RefreshTargetsOptions, TufTargets } from "./options.ts";

const DAY = 24 * 60 * 60 * 1000;
const TARGET = "trusted_root.json";

function daysOn(days: number): Date {
  return new Date(TUF_START.getTime() + days * DAY);
}

/** A client with a cache, and the repository that it looks at. */
class Bench {
  readonly cache: TufCache = memoryTufCache();
  readonly repository: TestTufRepository;

  constructor(repository: TestTufRepository) {
    this.repository = repository;
  }

  static async create(scheme?: TufKeyScheme): Promise<Bench> {
    return new Bench(await TestTufRepository.create({ [TARGET]: "first" }, scheme));
  }

  refresh(changes: Partial<RefreshTargetsOptions> = {}): Promise<TufTargets> {
    const { firstRoot, baseUrl, fetch } = this.repository;
    return refreshTargets({
      root: firstRoot,
      baseUrl,
      cache: this.cache,
      now: TUF_START,
      targets: [TARGET],
      retries: 0,
      fetch,
      ...changes,
    });
  }

  /** What is told of a refusal. */
  async refused(reason: Reason, changes: Partial<RefreshTargetsOptions> = {}): Promise<string> {
    try {
      await this.refresh(changes);
    } catch (error) {
      if (!isAttestationError(error)) throw error;
      equal(error.reason, reason, error.message);
      return error.message;
    }
    throw new Error(`accepted, wanted ${reason}`);
  }

  serve(path: string, bytes: Bytes | undefined): void {
    ok(bytes !== undefined);
    this.repository.files.set(path, bytes);
  }
}

/** Names of so many targets. */
function numbered(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `${i}.json`);
}

function textOf(refreshed: TufTargets, name = TARGET): string {
  return new TextDecoder().decode(refreshed.targets.get(name));
}

/** `signed` of published metadata, with changes. */
function bodyOf(bytes: Bytes | undefined, changes: JsonObject = {}): JsonObject {
  const file = parseJson(bytes ?? new Uint8Array()) as JsonObject;
  return { ...file.signed as JsonObject, ...changes };
}

describe("refreshTargets()", () => {
  for (
    const scheme of [
      "ed25519",
      "ecdsa-sha2-nistp256",
      "ecdsa-sha2-nistp384",
      "rsassa-pss-sha256",
    ] as const
  ) {
    it(`gets a target of a repository with ${scheme} keys`, async () => {
      const bench = await Bench.create(scheme);
      const refreshed = await bench.refresh();
      equal(textOf(refreshed), "first");
      deepEqual(refreshed.versions, { root: 1, timestamp: 1, snapshot: 1, targets: 1 });
      equal(refreshed.expires.getTime(), daysOn(7).getTime());
    });
  }

  it("asks for what is new only", async () => {
    const bench = await Bench.create();
    await bench.refresh();
    bench.repository.requested.length = 0;
    equal(textOf(await bench.refresh()), "first");
    deepEqual(bench.repository.requested, ["2.root.json", "timestamp.json"]);
  });

  it("gets new versions, and keeps what it received byte for byte", async () => {
    const bench = await Bench.create();
    await bench.refresh();
    bench.repository.targets.set(TARGET, utf8("second"));
    await bench.repository.publish();
    const refreshed = await bench.refresh();
    equal(textOf(refreshed), "second");
    deepEqual(refreshed.versions, { root: 1, timestamp: 2, snapshot: 2, targets: 2 });
    deepEqual(
      await bench.cache.read("snapshot.json"),
      bench.repository.files.get("2.snapshot.json"),
    );
  });

  it("works with a repository whose metadata states no digests", async () => {
    const bench = await Bench.create();
    bench.repository.statesDigests = false;
    await bench.repository.publish();
    equal(textOf(await bench.refresh()), "first");
  });

  it("works with a repository without consistent snapshots", async () => {
    const { repository } = await Bench.create();
    const { files, roles } = repository;
    const root = await signTuf(
      bodyOf(repository.firstRoot, { consistent_snapshot: false }),
      roles.root.signers,
    );
    repository.firstRoot = root;
    for (const name of ["snapshot.json", "targets.json"]) {
      files.set(name, files.get(`1.${name}`) ?? new Uint8Array());
    }
    files.set(`targets/${TARGET}`, utf8("first"));
    equal(textOf(await new Bench(repository).refresh()), "first");
    ok(repository.requested.includes("targets.json"));
    ok(repository.requested.includes(`targets/${TARGET}`));
  });

  it("lets optional targets be absent, others not", async () => {
    const bench = await Bench.create();
    const { targets } = await bench.refresh({ optionalTargets: ["other.json"] });
    deepEqual([...targets.keys()], [TARGET]);
    await bench.refused("tuf-target-not-found", { targets: ["other.json"] });
  });

  it("refuses unknown options, wrong times, roots, addresses and names of targets", async () => {
    const bench = await Bench.create();
    const names = ["", "/etc/passwd", "../x", "a/../b", "a//b", "./a", "a\\b", "a\nb", "a/.."];
    const wrong: [string, object[]][] = [
      ["Unknown option", [{ maxBytes: 1 }, { cahce: bench.cache }]],
      ["must be a valid Date", [{ now: new Date(NaN) }, { now: { getTime: () => 1 } }]],
      ["must be text or bytes", [{ root: undefined }, { root: [123, 125] }]],
      ["without query and fragment", [
        { baseUrl: "tuf.example" },
        { baseUrl: "https://tuf.example/?a" },
        { baseUrl: "https://tuf.example/#a" },
        { baseUrl: new URL("https://tuf.example") },
        { targetsUrl: "tuf.example" },
      ]],
      [
        "must be a relative path",
        [...names, "\ud800", "a".repeat(257), ["a"], 7].map((name) => ({ targets: [name] })),
      ],
      ["More than 64 targets", [{ targets: numbered(65) }, { optionalTargets: numbered(64) }]],
    ];
    for (const [told, all] of wrong) {
      for (const changes of all) {
        await rejects(bench.refresh(changes), (error) => {
          ok(error instanceof TypeError && error.message.includes(told), `${error}`);
          return true;
        });
      }
    }
    deepEqual(bench.repository.requested, []);
  });

  it("takes as many targets, and as long names, as are accepted", async () => {
    const bench = await Bench.create();
    const optionalTargets = [TARGET, ...numbered(62), "a".repeat(256)];
    deepEqual([...(await bench.refresh({ optionalTargets })).targets.keys()], [TARGET]);
  });

  it("takes a trusted root of 512 KiB, and no more", async () => {
    const bench = await Bench.create();
    const { firstRoot } = bench.repository;
    const padded = (length: number) =>
      concat(firstRoot, utf8(" ".repeat(length - firstRoot.length)));
    equal((await bench.refresh({ root: padded(512 << 10) })).versions.root, 1);
    bench.repository.requested.length = 0;
    await bench.refused("limit-exceeded", { root: padded((512 << 10) + 1) });
    deepEqual(bench.repository.requested, []);
  });
});

describe("refreshTargets() against freezes", () => {
  for (
    const [role, days] of [["timestamp", 7], ["snapshot", 30], ["targets", 90], [
      "root",
      180,
    ]] as const
  ) {
    it(`refuses ${role} metadata from its expiry on`, async () => {
      const bench = await Bench.create();
      const { repository } = bench;
      for (const other of ["root", "timestamp", "snapshot", "targets"] as const) {
        if (other !== role) repository.days[other] = 1000;
      }
      await repository.publishRoot();
      await repository.publish();
      await bench.refresh({ now: new Date(daysOn(days).getTime() - 1) });
      await bench.refused("tuf-expired", { now: daysOn(days) });
      const fresh = new Bench(repository);
      await fresh.refused("tuf-expired", { now: daysOn(days) });
    });
  }

  it("takes an expired root as a step to one that is not", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    repository.days.root = 400;
    repository.days.targets = repository.days.snapshot = repository.days.timestamp = 400;
    await repository.publishRoot();
    await repository.publish();
    equal((await bench.refresh({ now: daysOn(300) })).versions.root, 2);
  });

  it("refuses a refresh that is cut off from new metadata", async () => {
    const bench = await Bench.create();
    await bench.refresh();
    const old = new Map(bench.repository.files);
    await bench.repository.publish();
    const { baseUrl } = bench.repository;
    const frozen: Fetch = (url) => {
      const bytes = old.get(url.slice(baseUrl.length + 1));
      return Promise.resolve(new Response(bytes ?? null, { status: bytes ? 200 : 404 }));
    };
    await bench.refresh({ fetch: frozen });
    await bench.refused("tuf-expired", { fetch: frozen, now: daysOn(8) });
  });
});

describe("refreshTargets() against rollbacks", () => {
  it("refuses an older timestamp", async () => {
    const bench = await Bench.create();
    const old = bench.repository.files.get("timestamp.json");
    await bench.repository.publish();
    await bench.refresh();
    bench.serve("timestamp.json", old);
    await bench.refused("tuf-rollback");
  });

  it("refuses an older timestamp that names the same snapshot", async () => {
    const bench = await Bench.create();
    const old = bench.repository.files.get("timestamp.json");
    await bench.repository.publishTimestamp();
    await bench.refresh();
    bench.serve("timestamp.json", old);
    await bench.refused("tuf-rollback");
  });

  it("refuses a newer timestamp that names an older snapshot", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    await repository.publishSnapshot();
    await bench.refresh();
    repository.versions.snapshot = 1;
    await repository.publishTimestamp();
    await bench.refused("tuf-rollback");
  });

  it("refuses a newer snapshot that names older targets, or none", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    await repository.publish();
    await bench.refresh();
    repository.versions.targets = 1;
    await repository.publishSnapshot();
    ok((await bench.refused("tuf-rollback")).includes("version 1 is offered, and 2 was seen"));

    const gone = bodyOf(repository.files.get("3.snapshot.json"), { meta: {} });
    repository.statesDigests = false;
    bench.serve("3.snapshot.json", await signTuf(gone, repository.roles.snapshot.signers));
    await repository.publishTimestamp();
    ok((await bench.refused("tuf-rollback")).includes("no longer named, and version 2 was seen"));
  });

  it("refuses them also when only timestamp or snapshot are left in the cache", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    await repository.publish();
    await bench.refresh();
    repository.versions.targets = 1;
    await repository.publishSnapshot();
    await bench.cache.write("timestamp.json", new Uint8Array());
    await bench.refused("tuf-rollback");
  });

  it("refuses an older timestamp than one that is as long as is accepted", async () => {
    const bench = await Bench.create();
    const old = bench.repository.files.get("timestamp.json");
    await bench.repository.publishTimestamp();
    const bytes = bench.repository.files.get("timestamp.json") ?? new Uint8Array();
    bench.serve("timestamp.json", concat(bytes, utf8(" ".repeat((16 << 10) - bytes.length))));
    await bench.refresh();
    bench.serve("timestamp.json", old);
    await bench.refused("tuf-rollback");
  });

  it("keeps the timestamp that it has when the same version comes with another content", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    await bench.refresh();
    const kept = await bench.cache.read("timestamp.json");
    const body = bodyOf(kept, { "x-other": 1 });
    bench.serve("timestamp.json", await signTuf(body, repository.roles.timestamp.signers));
    await bench.refresh();
    deepEqual(await bench.cache.read("timestamp.json"), kept);
  });

  for (const role of ["timestamp", "snapshot"] as const) {
    it(`recovers from a fast-forward when a root withdraws a ${role} key`, async () => {
      const bench = await Bench.create();
      const { repository } = bench;
      const honest = { ...repository.versions };
      repository.versions.timestamp = 1000;
      repository.versions.snapshot = 1000;
      await repository.publish();
      await bench.refresh();

      Object.assign(repository.versions, honest);
      repository.versions.targets = 2;
      await repository.publishTargets();
      await repository.publishSnapshot();
      await bench.refused("tuf-rollback");

      repository.roles[role].signers = [await tufSigner()];
      await repository.publishRoot();
      await repository.publishSnapshot();
      const { versions } = await bench.refresh();
      deepEqual(versions, { root: 2, timestamp: 3, snapshot: 3, targets: 2 });
    });
  }

  it("recovers from a snapshot of a withdrawn timestamp key that names targets of the future", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const [files, versions] = [new Map(repository.files), { ...repository.versions }];
    repository.versions.targets = 1000;
    repository.statesDigests = false;
    await repository.publishSnapshot();
    await bench.refused("service-refused");
    for (const [name, bytes] of files) repository.files.set(name, bytes);
    Object.assign(repository.versions, { ...versions, timestamp: 1000, snapshot: 1000 });
    await repository.publishSnapshot();
    await bench.refused("tuf-rollback");
    repository.roles.timestamp.signers = [await tufSigner()];
    await repository.publishRoot();
    await repository.publishTimestamp();
    equal((await bench.refresh()).versions.targets, 1);
  });

  it("does not forget versions when a root only adds a key", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const old = repository.files.get("timestamp.json");
    await repository.publish();
    await bench.refresh();
    repository.roles.timestamp.signers.push(await tufSigner());
    await repository.publishRoot();
    bench.serve("timestamp.json", old);
    await bench.refused("tuf-rollback");
  });
});

describe("refreshTargets() and the chain of roots", () => {
  it("follows roots that replace all keys, and starts from what it has seen", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    for (let i = 0; i < 3; i++) {
      const before = repository.roles.root.signers;
      repository.roles.root.signers = [await tufSigner(), await tufSigner()];
      await repository.publishRoot(before);
    }
    equal((await bench.refresh()).versions.root, 4);
    for (let version = 2; version <= 4; version++) repository.files.delete(`${version}.root.json`);
    equal((await bench.refresh()).versions.root, 4);
  });

  it("refuses a root that is signed by the old keys only, or by the new ones only", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const old = repository.roles.root.signers;
    const replaced = [await tufSigner(), await tufSigner()];
    repository.roles.root.signers = replaced;
    const body = repository.rootBody();
    for (const signers of [old, replaced, [old[0], ...replaced], [...old, replaced[0]]]) {
      bench.serve("2.root.json", await signTuf(body, signers));
      await bench.refused("invalid-tuf-signature");
    }
    bench.serve("2.root.json", await signTuf(body, [...old, ...replaced]));
    equal((await bench.refresh()).versions.root, 2);
  });

  it("refuses a chain that leaves out a version", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    await repository.publishRoot();
    await repository.publishRoot();
    bench.serve("2.root.json", repository.files.get("3.root.json"));
    await bench.refused("tuf-version-mismatch");
  });

  it("refuses the root that it has, offered as the next one", async () => {
    const bench = await Bench.create();
    bench.serve("2.root.json", bench.repository.firstRoot);
    await bench.refused("tuf-version-mismatch");
  });

  it("refuses an initial root that does not sign itself", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const body = bodyOf(repository.firstRoot);
    const root = await signTuf(body, repository.roles.root.signers.slice(1));
    await bench.refused("invalid-tuf-signature", { root });
    deepEqual(repository.requested, []);
  });

  it("refuses an endless chain of roots", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    let published = 1;
    const fetch: Fetch = async (url) => {
      while (published < 260 && url.endsWith(`/${published + 1}.root.json`)) {
        await repository.publishRoot();
        published++;
      }
      return await repository.fetch(url);
    };
    await bench.refused("limit-exceeded", { fetch });
    equal(published, 258);
  });
});

describe("refreshTargets() and thresholds", () => {
  it("counts one key under two ids once", async () => {
    const { repository } = await Bench.create();
    const [signer] = repository.roles.targets.signers;
    repository.roles.targets.signers = [signer, await withOtherId(signer)];
    repository.roles.targets.threshold = 2;
    await repository.publishRoot();
    await repository.publish();
    await new Bench(repository).refused("invalid-tuf-signature");
    repository.roles.targets.signers.push(await tufSigner());
    await repository.publishRoot();
    await repository.publish();
    await new Bench(repository).refresh();
  });

  it("refuses metadata in which a key signs twice", async () => {
    const bench = await Bench.create();
    const { files, roles } = bench.repository;
    const [signer] = roles.timestamp.signers;
    const body = bodyOf(files.get("timestamp.json"));
    bench.serve("timestamp.json", await signTuf(body, [signer, signer]));
    await bench.refused("malformed-tuf-metadata");
  });

  it("refuses a key under an id that is not its own", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const body = repository.rootBody();
    const other = await tufSigner();
    (body.keys as JsonObject)[other.keyid.replace(/^./, (c) => c === "0" ? "1" : "0")] = other.key;
    bench.serve("2.root.json", await signTuf(body, repository.roles.root.signers));
    await bench.refused("malformed-tuf-metadata");
  });

  it("refuses a threshold below one, and one that the keys cannot reach", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    for (const threshold of [0, -1, 1.5, "1", null]) {
      const body = repository.rootBody();
      (body.roles as Record<string, JsonObject>).timestamp.threshold = threshold;
      const signed = threshold === 1.5
        ? utf8(JSON.stringify({ signatures: [], signed: body }))
        : await signTuf(body, repository.roles.root.signers);
      bench.serve("2.root.json", signed);
      await bench.refused("malformed-tuf-metadata");
    }
    repository.roles.timestamp.threshold = 2;
    await repository.publishRoot();
    await bench.refused("invalid-tuf-signature");
  });

  it("counts no signature under an id that a role names without a key", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const absent = await tufSigner();
    const [present] = repository.roles.timestamp.signers;
    const body = repository.rootBody();
    const timestamp = { keyids: [absent.keyid, present.keyid], threshold: 1 };
    Object.assign(body.roles as JsonObject, { timestamp });
    bench.serve("2.root.json", await signTuf(body, repository.roles.root.signers));
    const stamped = bodyOf(repository.files.get("timestamp.json"));
    bench.serve("timestamp.json", await signTuf(stamped, [absent]));
    await bench.refused("invalid-tuf-signature");
    bench.serve("timestamp.json", await signTuf(stamped, [absent, present]));
    equal((await bench.refresh()).versions.root, 2);
  });

  it("passes over keys and signatures that it cannot use", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const { signers } = repository.roles.timestamp;
    const unknown = await tufSigner();
    signers.unshift(rekeyed({ ...unknown.key, scheme: "sphincs+-shake-128s" }));
    await repository.publishRoot();
    await repository.publish();
    equal(textOf(await bench.refresh()), "first");
  });

  it("refuses a role that names a key twice", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const { signers } = repository.roles.timestamp;
    signers.push(signers[0]);
    bench.serve("2.root.json", await signTuf(repository.rootBody(), repository.roles.root.signers));
    await bench.refused("malformed-tuf-metadata");
  });

  it("does not take a key on another curve than its scheme names", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const curve = { name: "ECDSA", namedCurve: "P-384" };
    const pair = await crypto.subtle.generateKey(curve, true, ["sign", "verify"]);
    const spki = new Uint8Array(await crypto.subtle.exportKey("spki", pair.publicKey));
    const key = {
      keytype: "ecdsa",
      scheme: "ecdsa-sha2-nistp256",
      keyval: { public: encodePem("PUBLIC KEY", spki) },
    };
    const sign = async (data: Uint8Array) => {
      const params = { name: "ECDSA", hash: "SHA-256" };
      const raw = await crypto.subtle.sign(params, pair.privateKey, Uint8Array.from(data));
      return encodeHex(p1363ToDer(new Uint8Array(raw)));
    };
    repository.roles.timestamp.signers = [{ ...rekeyed(key), sign }];
    await repository.publishRoot();
    await repository.publishTimestamp();
    await bench.refused("invalid-tuf-signature");
  });

  it("does not take a key of one type under the scheme of another", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const ed = await tufSigner();
    const changes: JsonObject[] = [
      { keytype: "rsa" },
      { scheme: "ecdsa-sha2-nistp256", keytype: "ecdsa" },
      { scheme: "toString" },
      { keyval: { public: "00".repeat(32) } },
      { keyval: { public: 1 } },
    ];
    for (const change of changes) {
      const signer = { ...rekeyed({ ...ed.key, ...change }), sign: ed.sign };
      repository.roles.timestamp.signers = [signer];
      await repository.publishRoot();
      await repository.publishTimestamp();
      await bench.refused("invalid-tuf-signature");
    }
  });
});

/** A signer whose signatures nobody can check, for a key as it is written. */
function rekeyed(key: JsonObject): TufSigner {
  const keyid = encodeHex(sha256(utf8(canonicalTufJson(key))));
  return { keyid, key, sign: () => Promise.resolve("00") };
}

describe("refreshTargets() against mixed and exchanged files", () => {
  it("refuses a snapshot and targets other than those that are named", async () => {
    for (const statesDigests of [true, false]) {
      for (const name of ["snapshot", "targets"]) {
        const bench = await Bench.create();
        const { repository } = bench;
        repository.statesDigests = statesDigests;
        await repository.publish();
        bench.serve(`2.${name}.json`, repository.files.get(`1.${name}.json`));
        await bench.refused("tuf-version-mismatch");
      }
    }
  });

  it("refuses the metadata of one role in the place of another", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    repository.statesDigests = false;
    await repository.publish();
    bench.serve("timestamp.json", repository.files.get("2.snapshot.json"));
    await bench.refused("malformed-tuf-metadata");
  });

  it("refuses metadata that is longer than stated, or shorter", async () => {
    for (const change of ["longer", "shorter"]) {
      const bench = await Bench.create();
      const bytes = bench.repository.files.get("1.targets.json") ?? new Uint8Array();
      const changed = change === "longer" ? concat(bytes, utf8(" ")) : bytes.slice(0, -1);
      bench.serve("1.targets.json", changed);
      await bench.refused("tuf-version-mismatch");
    }
  });

  it("refuses metadata of which only another length is stated", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const { files, roles } = repository;
    const plain = files.get("1.snapshot.json") ?? new Uint8Array();
    const spaced = utf8(JSON.stringify(parseJson(plain), null, 1));
    const meta = { "snapshot.json": { version: 1, length: spaced.length } };
    const body = bodyOf(files.get("timestamp.json"), { meta });
    bench.serve("timestamp.json", await signTuf(body, roles.timestamp.signers));
    await bench.refused("tuf-version-mismatch");
    bench.serve("1.snapshot.json", spaced);
    await bench.refresh();
  });

  it("refuses a target that was exchanged, is longer or shorter", async () => {
    const bench = await Bench.create();
    const path = [...bench.repository.files.keys()].find((name) => name.startsWith("targets/"));
    for (const text of ["worse", "first ", "firs", ""]) {
      bench.serve(path ?? "", utf8(text));
      await bench.refused("tuf-target-mismatch");
    }
    await rejects(bench.refresh(), /Cannot accept "trusted_root.json"/);
  });

  it("refuses a target whose digest is of an unknown kind, before it asks for it", async () => {
    const { repository } = await Bench.create();
    const target = { length: 5, hashes: { md5: "8b04d5e3775d298e78455efc5ca404d5" } };
    await publishTargets(repository, { targets: { [TARGET]: target } });
    await new Bench(repository).refused("unsupported-digest-algorithm");
    ok(!repository.requested.some((path) => path.startsWith("targets/")));
  });

  it("refuses it also when the cache holds a target of that name", async () => {
    const bench = await Bench.create();
    await bench.refresh();
    const target = { length: 5, hashes: { md5: "8b04d5e3775d298e78455efc5ca404d5" } };
    await publishTargets(bench.repository, { targets: { [TARGET]: target } });
    await bench.refused("unsupported-digest-algorithm");
  });

  it("refuses a target without length or digest", async () => {
    const targets: JsonObject[] = [
      { length: 5, hashes: {} },
      { hashes: { sha256: "00" } },
      { length: 5 },
    ];
    for (const target of targets) {
      const { repository } = await Bench.create();
      await publishTargets(repository, { targets: { [TARGET]: target } });
      await new Bench(repository).refused("malformed-tuf-metadata");
    }
  });

  it("gets nothing for names in metadata that leave the folder", async () => {
    const { repository } = await Bench.create();
    const target = { length: 5, hashes: { sha256: "00".repeat(32) } };
    await publishTargets(repository, {
      targets: { "../../evil": target, "/etc/passwd": target, "": target },
    });
    await new Bench(repository).refused("malformed-tuf-metadata");
    await publishTargets(repository, { targets: { "../../evil": target, "/etc/passwd": target } });
    const bench = new Bench(repository);
    await bench.refresh({ targets: [] });
    await rejects(bench.refresh({ targets: ["../../evil"] }), TypeError);
    ok(repository.requested.every((path) => !path.includes("evil")));
  });
});

/** Publishes `targets.json` with other members. */
async function publishTargets(repository: TestTufRepository, changes: JsonObject): Promise<void> {
  await repository.publish();
  const { targets } = repository.versions;
  const body = { ...await repository.targetsBody(), ...changes };
  const bytes = await signTuf(body, repository.roles.targets.signers);
  repository.files.set(`${targets}.targets.json`, bytes);
  await repository.publishSnapshot();
}

describe("refreshTargets() against malformed metadata", () => {
  const broken: Record<string, (text: string) => string> = {
    "a member that occurs twice": (text) => text.replace('"version":1', '"version":1,"version":1'),
    "a version that is no integer": (text) => text.replace('"version":1', '"version":1.5'),
    "a version of 0": (text) => text.replace('"version":1', '"version":0'),
    "a version as text": (text) => text.replace('"version":1', '"version":"1"'),
    "a version beyond 2^53": (text) => text.replace('"version":1', '"version":9007199254740993'),
    "a time with an offset": (text) => text.replace(/("expires":"[^"]*)Z"/, '$1+00:00"'),
    "no expiry": (text) => text.replace('"expires"', '"expired"'),
    "an unpaired surrogate": (text) => text.replace('"_type"', '"\\ud800":1,"_type"'),
    "another type": (text) => text.replace('"timestamp"', '"snapshot"'),
    "another file than snapshot.json beside it": (text) =>
      text.replace('"meta":{', '"meta":{"targets.json":{"version":1},'),
    "a name that is too long": (text) =>
      text.replace(/"keyid":"[^"]*"/, `"keyid":"${"a".repeat(513)}"`),
    "too many signatures": (text) =>
      text.replace(
        '"signatures":[',
        `"signatures":[${
          Array.from({ length: 256 }, (_, i) => `{"keyid":"${i}","sig":""},`).join("")
        }`,
      ),
    "too many digests": (text) =>
      text.replace(
        '"hashes":{',
        `"hashes":{${Array.from({ length: 16 }, (_, i) => `"h${i}":"00",`).join("")}`,
      ),
    "an unknown version of the specification": (text) => text.replace("1.0.31", "2.0.0"),
    "a page of HTML": () => "<html></html>",
    "nothing": () => "",
    "an array": () => "[]",
    "no signatures": (text) => text.replace('"signatures"', '"signature"'),
    "too deep a nesting": (text) =>
      text.replace('"_type"', `"x":${"[".repeat(64)}${"]".repeat(64)},"_type"`),
    "a byte order mark": (text) => `\ufeff${text}`,
  };
  for (const [name, change] of Object.entries(broken)) {
    it(`refuses ${name}`, async () => {
      const bench = await Bench.create();
      const text = new TextDecoder().decode(bench.repository.files.get("timestamp.json"));
      bench.serve("timestamp.json", utf8(change(text)));
      await bench.refused("malformed-tuf-metadata");
      equal(await bench.cache.read("timestamp.json"), undefined);
    });
  }

  it("refuses members that were changed after the signature, also unknown ones", async () => {
    for (const change of ['"version":2', '"version":1,"x-new":1']) {
      const bench = await Bench.create();
      const text = new TextDecoder().decode(bench.repository.files.get("timestamp.json"));
      bench.serve("timestamp.json", utf8(text.replace('"version":1', change)));
      await bench.refused("invalid-tuf-signature");
    }
  });

  it("accepts another layout of what is signed", async () => {
    const bench = await Bench.create();
    bench.repository.statesDigests = false;
    await bench.repository.publish();
    const text = new TextDecoder().decode(bench.repository.files.get("2.snapshot.json"));
    bench.serve("2.snapshot.json", utf8(JSON.stringify(JSON.parse(text), null, 4)));
    await bench.refresh();
  });
});

describe("refreshTargets() and the network", () => {
  it("reads no more than what is stated, or than its limits", async () => {
    let read = 0;
    const endless = (): Response => {
      const chunk = new Uint8Array(1 << 10).fill(32);
      read = 0;
      return new Response(
        new ReadableStream({
          pull: (controller) => {
            read += chunk.length;
            controller.enqueue(chunk);
          },
        }),
      );
    };
    const cases: [string, Reason, number][] = [
      ["2.root.json", "limit-exceeded", 512 << 10],
      ["timestamp.json", "limit-exceeded", 16 << 10],
      ["1.snapshot.json", "tuf-version-mismatch", 1 << 10],
      ["1.targets.json", "tuf-version-mismatch", 1 << 10],
      ["targets/", "tuf-target-mismatch", 5],
    ];
    for (const [path, reason, most] of cases) {
      const bench = await Bench.create();
      const { fetch } = bench.repository;
      await bench.refused(reason, {
        fetch: (url, init) =>
          url.includes(`/repo/${path}`) ? Promise.resolve(endless()) : fetch(url, init),
      });
      // A stream is read ahead by a few chunks.
      ok(read <= most + (16 << 10), `${path}: ${read} bytes`);
    }
  });

  it("does not get a target that states more than the limit", async () => {
    const { repository } = await Bench.create();
    const target = { length: 2 ** 40, hashes: { sha256: "00".repeat(32) } };
    await publishTargets(repository, { targets: { [TARGET]: target } });
    await new Bench(repository).refused("limit-exceeded");
    ok(!repository.requested.some((path) => path.startsWith("targets/")));
  });

  it("gives up on a server that does not answer, and on one that does not end", async () => {
    const bench = await Bench.create();
    const silent: Fetch = () => new Promise(() => {});
    await bench.refused("service-unavailable", { fetch: silent, timeoutMs: 20 });
    const slow: Fetch = () => Promise.resolve(new Response(new ReadableStream({})));
    await bench.refused("service-unavailable", { fetch: slow, timeoutMs: 20 });
  });

  it("follows no redirect", async () => {
    const bench = await Bench.create();
    const headers = { location: "https://evil.example/2.root.json" };
    const asked: string[] = [];
    await bench.refused("service-refused", {
      fetch: (url) => {
        asked.push(url);
        return Promise.resolve(new Response(null, { status: 302, headers }));
      },
    });
    deepEqual(asked, ["https://tuf.example/repo/2.root.json"]);
  });

  it("refuses an address that is not reached by https", async () => {
    const bench = await Bench.create();
    await bench.refused("service-refused", { baseUrl: "http://tuf.example/repo" });
    deepEqual(bench.repository.requested, []);
  });

  it("takes a missing root for the end of the chain, and nothing else for that", async () => {
    for (
      const [status, reason] of [[403, undefined], [404, undefined], [500, "service-unavailable"], [
        401,
        "service-refused",
      ]] as const
    ) {
      const bench = await Bench.create();
      const { fetch } = bench.repository;
      const changes: Partial<RefreshTargetsOptions> = {
        fetch: (url, init) =>
          url.endsWith(".root.json")
            ? Promise.resolve(new Response(null, { status }))
            : fetch(url, init),
      };
      if (reason === undefined) await bench.refresh(changes);
      else await bench.refused(reason, changes);
    }
    for (const path of ["timestamp.json", "1.snapshot.json", "1.targets.json"]) {
      const bench = await Bench.create();
      bench.repository.files.delete(path);
      await bench.refused("service-refused");
    }
  });
});

describe("refreshTargets() and a cache that was tampered with", () => {
  const FILES = ["2.root.json", "timestamp.json", "snapshot.json", "targets.json"];
  const contents: Record<string, (bytes: Bytes) => Bytes> = {
    "nothing": () => new Uint8Array(),
    "garbage": () => utf8("{"),
    "a changed byte": (bytes) => bytes.map((byte, i) => i === bytes.length - 10 ? byte ^ 1 : byte),
    "too much": (bytes) => concat(bytes, new Uint8Array(6 << 20).fill(32)),
  };
  for (const [name, change] of Object.entries(contents)) {
    it(`gets again what is ${name}`, async () => {
      const { repository } = await Bench.create();
      await repository.publishRoot();
      for (const file of FILES) {
        const bench = new Bench(repository);
        await bench.refresh();
        const kept = await bench.cache.read(file) ?? new Uint8Array();
        ok(kept.length > 0, file);
        await bench.cache.write(file, change(kept));
        equal(textOf(await bench.refresh()), "first");
        // Not by deepEqual(), which would be busy for minutes telling megabytes apart.
        const found = await bench.cache.read(file);
        ok(found !== undefined && equalBytes(found, kept), file);
      }
    });
  }

  it("gets again a target that was exchanged", async () => {
    const { repository } = await Bench.create();
    const names: string[] = [];
    const inner = memoryTufCache();
    const cache: TufCache = {
      read: (name) => inner.read(name),
      write: (name, bytes) => {
        names.push(name);
        return inner.write(name, bytes);
      },
    };
    const bench = new Bench(repository);
    await bench.refresh({ cache });
    const name = names.find((one) => one.startsWith("target-")) ?? "";
    await inner.write(name, utf8("worse"));
    equal(textOf(await bench.refresh({ cache })), "first");
    ok(names.every((one) => /^[a-z0-9.-]{1,80}$/.test(one)), names.join(" "));
  });

  it("believes no cached metadata of other keys", async () => {
    const bench = await Bench.create();
    const { repository } = bench;
    const evil = [await tufSigner()];
    const timestamp = bodyOf(repository.files.get("timestamp.json"), { version: 9000 });
    await bench.cache.write("timestamp.json", await signTuf(timestamp, evil));
    await bench.cache.write("2.root.json", await signTuf(repository.rootBody(), evil));
    const meta = { "targets.json": { version: 9000 } };
    const snapshot = bodyOf(repository.files.get("1.snapshot.json"), { meta });
    await bench.cache.write("snapshot.json", await signTuf(snapshot, evil));
    deepEqual((await bench.refresh()).versions, { root: 1, timestamp: 1, snapshot: 1, targets: 1 });
  });
});

describe("readCachedTargets()", () => {
  it("gives what was got, also long after it expired", async () => {
    const bench = await Bench.create();
    await bench.refresh();
    const { cache, repository: { firstRoot: root, requested } } = bench;
    requested.length = 0;
    const targets = [TARGET];
    const late = await readCachedTargets({ root, cache, targets, now: daysOn(4000) });
    ok(late !== undefined);
    equal(textOf(late), "first");
    equal(late.expires.getTime(), daysOn(7).getTime());
    deepEqual(requested, []);
  });
});

describe("refreshTargets() and delegations", () => {
  async function delegating(): Promise<TestTufRepository> {
    const { repository } = await Bench.create();
    const role = (name: string, paths: string[], target: string, terminating = true) => ({
      name,
      paths,
      terminating,
      threshold: 1,
      targets: new Map([[target, utf8(`by ${name}`)]]),
      version: 1,
    });
    repository.delegations.push(
      { ...role("first", ["other/*"], "other/a.json"), signers: [await tufSigner()] },
      { ...role("keys", ["host/*.json"], "host/keys.json"), signers: [await tufSigner()] },
      { ...role("later", ["host/*.json"], "host/other.json"), signers: [await tufSigner()] },
    );
    await repository.publish();
    return repository;
  }

  it("gets a target of the role that it is delegated to, and asks no other", async () => {
    const repository = await delegating();
    const refreshed = await new Bench(repository).refresh({ targets: ["host/keys.json"] });
    equal(textOf(refreshed, "host/keys.json"), "by keys");
    ok(repository.requested.includes("1.keys.json"));
    ok(!repository.requested.includes("1.first.json"));
  });

  it("asks no role behind one that terminates", async () => {
    const repository = await delegating();
    const targets = ["host/other.json"];
    await new Bench(repository).refused("tuf-target-not-found", { targets });
    repository.delegations[1].terminating = false;
    await repository.publish();
    const refreshed = await new Bench(repository).refresh({ targets });
    equal(textOf(refreshed, targets[0]), "by later");
  });

  it("asks 32 roles about a target, and does not take the rest for none", async () => {
    const { repository } = await Bench.create();
    const signers = [await tufSigner()];
    const rest = { paths: ["host/*"], terminating: false, threshold: 1, version: 1, signers };
    const targets = ["host/keys.json"];
    for (let i = 1; i <= 33; i++) {
      repository.delegations.push({ ...rest, name: `role${i}`, targets: new Map() });
      if (i < 32) continue;
      await repository.publish();
      const reason = i === 32 ? "tuf-target-not-found" : "limit-exceeded";
      await new Bench(repository).refused(reason, { targets });
    }
    ok(repository.requested.includes("1.role32.json"));
    ok(!repository.requested.includes("1.role33.json"));
  });

  it("refuses targets that a role names outside of its paths", async () => {
    const repository = await delegating();
    repository.delegations[0].targets.set("host/stolen.json", utf8("x"));
    repository.delegations[0].version = 2;
    await repository.publish();
    await new Bench(repository).refused("tuf-target-not-found", { targets: ["host/stolen.json"] });
  });

  it("believes the top-level role before any other", async () => {
    const repository = await delegating();
    repository.targets.set("host/keys.json", utf8("by targets"));
    await repository.publish();
    const refreshed = await new Bench(repository).refresh({ targets: ["host/keys.json"] });
    equal(textOf(refreshed, "host/keys.json"), "by targets");
  });

  it("refuses metadata of a delegated role that others signed, is expired or older", async () => {
    const repository = await delegating();
    const bench = new Bench(repository);
    const targets = ["host/keys.json"];
    await bench.refresh({ targets });
    repository.delegations[1].version = 2;
    await repository.publish();
    await bench.refresh({ targets });
    repository.delegations[1].version = 1;
    await repository.publish();
    await bench.refused("tuf-rollback", { targets });
    repository.delegations[1].version = 3;
    repository.delegations[1].signers = [...repository.delegations[0].signers];
    await repository.publish();
    await bench.refresh({ targets });
    repository.statesDigests = false;
    repository.delegations[1].version = 4;
    await repository.publish();
    const forged = await signTuf(bodyOf(repository.files.get("4.keys.json")), [await tufSigner()]);
    bench.serve("4.keys.json", forged);
    await bench.refused("invalid-tuf-signature", { targets });
  });

  it("refuses a delegated role that has the name of a top-level one, or occurs twice", async () => {
    for (const name of ["timestamp", "root", "first"]) {
      const repository = await delegating();
      repository.delegations[1].name = name;
      await repository.publish();
      await new Bench(repository).refused("malformed-tuf-metadata");
    }
  });

  it("refuses a delegated role of which the snapshot names no version", async () => {
    const repository = await delegating();
    const { snapshot } = repository.versions;
    const body = bodyOf(repository.files.get(`${snapshot}.snapshot.json`));
    delete (body.meta as JsonObject)["keys.json"];
    repository.statesDigests = false;
    const bench = new Bench(repository);
    bench.serve(
      `${snapshot}.snapshot.json`,
      await signTuf(body, repository.roles.snapshot.signers),
    );
    await repository.publishTimestamp();
    await bench.refused("tuf-version-mismatch", { targets: ["host/keys.json"] });
  });
});
