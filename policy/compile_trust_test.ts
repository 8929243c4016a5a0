import {
  deepStrictEqual as deepEqual,
  ok,
  rejects,
  strictEqual as equal,
} from "node:assert/strict";
import { describe, it } from "node:test";
import { AttestationError } from "../errors.ts";
import { armor, makeKey, publicKey } from "../formats/openpgp/_fixtures_test.ts";
import { decodeHex, encodeHex } from "../internal/hex.ts";
import { concat } from "../internal/bytes.ts";
import { encodePem } from "../internal/pem.ts";
import { parseTrustedRoot } from "../sigstore/trusted_root.ts";
import { rootJson } from "../tests/fixtures/sigstore.ts";
import storedKeys from "../tools/pki/test_keys.json" with { type: "json" };
import { holder, ISSUER, KEYS, policyOf, signer } from "./_fixtures_test.ts";
import { compilePolicy } from "./compile.ts";
import type { CompiledPolicy } from "./compiled.ts";
import type { PolicyTrust } from "./document.ts";
import type { EvidenceSigner } from "./evidence.ts";
import { parsePolicy, validatePolicy } from "./parse.ts";

const documentOf = (trust: object) => policyOf({}, { trust: trust as PolicyTrust }) as object;
const compile = (trust: object): Promise<CompiledPolicy> =>
  compilePolicy(parsePolicy(documentOf(trust)));

async function jwkOf(): Promise<JsonWebKey> {
  const { publicKey } = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign", "verify"],
  ) as CryptoKeyPair;
  return await crypto.subtle.exportKey("jwk", publicKey);
}

const matches = ({ slots }: CompiledPolicy, name: string, who: EvidenceSigner): boolean =>
  (slots.get(name) ?? []).some((slot) => slot.matches(who));

/** The first problem of a policy that is refused when it is compiled. */
async function faultOf(trust: object): Promise<[string | undefined, string]> {
  try {
    await compile(trust);
  } catch (error) {
    ok(error instanceof AttestationError, String(error));
    equal(error.reason, "malformed-policy");
    return [error.path, error.message];
  }
  throw new Error("not refused");
}

describe("compilePolicy(): keys", () => {
  it("imports a key with the algorithm and the keyid that the policy gives it", async () => {
    const rsa = storedKeys["dsse-rsa"].jwk as JsonWebKey;
    const { kty, n, e } = rsa;
    const { keys } = await compile({
      keys: {
        alice: { publicKey: KEYS.alice, keyid: "k1" },
        bob: { publicKey: KEYS.bob },
        rsa: { publicKey: { kty, n, e }, alg: "PS512" },
        text: { publicKey: JSON.stringify(await jwkOf()) },
      },
    });
    deepEqual(keys.map(({ name, alg, keyid }) => ({ name, alg, keyid })), [
      { name: "alice", alg: "Ed25519", keyid: "k1" },
      { name: "bob", alg: "Ed25519", keyid: undefined },
      { name: "rsa", alg: "PS512", keyid: undefined },
      { name: "text", alg: "ES256", keyid: undefined },
    ]);
  });

  it("refuses what is no key, or one of another algorithm", async () => {
    const { kty, crv, x, y } = await jwkOf();
    const jwk = { kty, crv, x, y };
    const text = JSON.stringify(jwk);
    equal((await compile({ keys: { k: { publicKey: { ...jwk, alg: "ES256" } } } })).keys.length, 1);
    const other = "Cannot use a key with the algorithm ES384: the key is an EC key on P-256";
    const noPem = "Cannot read PEM: no block between BEGIN and END lines";
    const bad: [unknown, string][] = [
      [{ ...jwk, alg: "ES384" }, other],
      [JSON.stringify({ ...jwk, alg: "ES384" }), other],
      [{ ...jwk, x: 1 }, "Cannot read key: the JWK member x is not a string"],
      [{ toString: 1, valueOf: 1 }, "Cannot read key: the JWK member kty is not a string"],
      ["-----BEGIN PGP", noPem],
    ];
    const said = (path: string, message: string) => [
      { reason: "malformed-policy", path, message: `Cannot read policy: ${message}` },
    ];
    for (const [publicKey, message] of bad) {
      const problems = validatePolicy(documentOf({ keys: { k: { publicKey } } }));
      deepEqual(problems, said("/trust/keys/k/publicKey", message));
    }
    for (const publicKey of [[text], [KEYS.alice], 7, null, true]) {
      const team = { type: "attest-key-set/v1", keys: [{ name: "k", publicKey }] };
      const problems = validatePolicy(documentOf({ keySets: { team } }));
      deepEqual(problems, said("/trust/keySets/team/keys/0/publicKey", noPem));
    }
  });
});

describe("compilePolicy(): OpenPGP keys", () => {
  it("are a keyring, and a slot for each", async () => {
    const [one, two] = [await makeKey(), await makeKey()];
    const [first, second] = await Promise.all([one, two].map((key) => publicKey(key)));
    const block = (bytes: Uint8Array) => armor("PUBLIC KEY BLOCK", bytes);
    const policy = await compile({
      keys: {
        alice: { publicKey: KEYS.alice },
        rpm: { publicKey: `\n${block(first)}` },
        deb: { publicKey: block(second) },
      },
    });
    deepEqual(policy.keys.map(({ name }) => name), ["alice"]);
    deepEqual(policy.openpgp?.keys.map(({ name, fingerprint }) => [name, fingerprint]), [
      ["rpm", encodeHex(one.fingerprint)],
      ["deb", encodeHex(two.fingerprint)],
    ]);
    for (const { name = "", keyFingerprint } of policy.openpgp?.keys ?? []) {
      const who = { ...await signer("alice"), name, fingerprint: keyFingerprint };
      deepEqual(["rpm", "deb", "alice"].filter((slot) => matches(policy, slot, who)), [name]);
    }
    equal("openpgp" in await compile({ keys: { alice: { publicKey: KEYS.alice } } }), false);
    const several = { rpm: { publicKey: block(concat(first, second)) } };
    deepEqual(await faultOf({ keys: several }), [
      "/trust/keys/rpm",
      "Cannot read policy: it holds several OpenPGP keys, wanted one",
    ]);
    const cut = await faultOf({ keys: { rpm: { publicKey: block(first.subarray(0, 40)) } } });
    equal(cut[0], "/trust/keys/rpm");
    ok(cut[1].startsWith("Cannot read policy: Cannot read OpenPGP key: "), cut[1]);
  });

  it("are no second name of a key", async () => {
    const key = await makeKey();
    const openpgp = { publicKey: armor("PUBLIC KEY BLOCK", await publicKey(key)) };
    const spki = concat(decodeHex("302a300506032b6570032100"), key.body.slice(-32));
    const pem = { publicKey: encodePem("PUBLIC KEY", spki) };
    const team = { type: "attest-key-set/v1", keys: [{ name: "one", ...pem }] };
    const cases: [object, string, string][] = [
      [{ keys: { a: openpgp, b: openpgp } }, "b", "a"],
      [{ keys: { a: openpgp, b: pem } }, "a", "b"],
      [{ keys: { a: openpgp }, keySets: { team } }, "a", "team/one"],
    ];
    for (const [trust, name, owner] of cases) {
      deepEqual(await faultOf(trust), [
        `/trust/keys/${name}`,
        `Cannot read policy: it is the key of "${owner}" too: one key has one name`,
      ]);
    }
  });
});

describe("compilePolicy(): identities and roots", () => {
  it("keeps the identities by their names, whoever is short of a claim", async () => {
    const ci = { issuer: ISSUER, subjectAlternativeName: "https://ci.example/release" };
    const pattern = { pattern: "refs/tags/.+" };
    const tagged = {
      issuer: ISSUER,
      sourceRepositoryURI: "https://x",
      sourceRepositoryRef: pattern,
    };
    const policy = await compile({ identities: { ci, tagged } });
    deepEqual([...policy.identities], [["ci", ci], ["tagged", tagged]]);
    const who = holder("https://ci.example/release");
    equal(matches(policy, "ci", who), true);
    equal(matches(policy, "tagged", who), false);
    equal(matches(policy, "ci", { ...who, identity: undefined }), false);
    const claims = { ...who.identity, sourceRepositoryURI: "https://x" };
    const by = (more: object) =>
      matches(policy, "tagged", { ...who, identity: { ...claims, ...more } as never });
    equal(by({}), false);
    equal(by({ sourceRepositoryRef: "refs/heads/main" }), false);
    equal(by({ sourceRepositoryRef: "refs/tags/v1" }), true);
  });

  it("reads trusted roots of its own, beside the public-good one or alone", async () => {
    const root = await rootJson();
    const keys = { alice: { publicKey: KEYS.alice } };
    const rootsOf = async (roots: unknown[]) => {
      const { trustedRoots, publicGood } = await compile({ keys, roots });
      return [trustedRoots, publicGood];
    };
    const parsed = parseTrustedRoot(root);
    deepEqual(await rootsOf([root]), [[parsed], false]);
    deepEqual(await rootsOf(["public-good", root]), [[parsed], true]);
    deepEqual(await rootsOf([]), [[], false]);
  });
});

describe("compilePolicy(): expressions", () => {
  it("lets a fault of the evaluator through as it is", async () => {
    const policy = policyOf({ require: [{ id: "signed", predicate: { cel: "true" } }] });
    const broken = new Error("no such thing");
    const compile = (): never => {
      throw broken;
    };
    await rejects(
      compilePolicy(parsePolicy(policy as object), { cel: { compile } }),
      (error) => error === broken,
    );
  });
});

describe("compilePolicy(): the copy", () => {
  it("is frozen in all its parts", async () => {
    const { document } = await compilePolicy(parsePolicy(policyOf({}) as object));
    const open: unknown[] = [];
    const visit = (value: unknown): void => {
      if (!Object.isFrozen(value)) open.push(value);
      if (typeof value === "object" && value !== null) Object.values(value).forEach(visit);
    };
    visit(document);
    deepEqual(open, []);
  });
});
