import type { OptionSpec } from "./args.ts";

/** What `help` knows of a command. */
export interface CommandHelp {
  /** One line for the overview. */
  summary: string;
  /** Arguments after the name. */
  usage: string;
  /** What there is to know beside the options. */
  notes: readonly string[];
  /** What for, and the arguments after the program's name. */
  examples: readonly (readonly [string, string])[];
  /** Loads the table of options. */
  options: () => Promise<readonly OptionSpec[]>;
}

const NONE = () => Promise.resolve([]);

/** Every command, in the order of the overview. */
export const COMMANDS: Readonly<Record<string, CommandHelp>> = {
  verify: {
    summary: "verify artifacts by their attestations",
    usage: "[ARTIFACT…] [OPTION…]",
    notes: [
      "ARTIFACT is a file, a folder (all files in it), ALG:HEX, npm:NAME@VERSION, an image " +
      "oci://REFERENCE or oci-layout:FOLDER. The attestation of a file is looked for next to it: NAME.sigstore.json, NAME.sigstore, NAME.intoto.jsonl, NAME.intoto.json, " +
      "NAME.att.json, or sha256:<digest>.jsonl as gh attestation download writes it; so are " +
      "signatures of the file itself: NAME.minisig, NAME.sig, NAME.asc, NAME.prov.",
      "A keyless attestation needs an expected signer: anybody can get a certificate. With " +
      "--source-uri, SLSA provenance is expected, and its signer must be one that may speak for " +
      "its builder: see --builder-id, --builders and --min-level.",
      "What gcloud prints about an image (--show-provenance --format json) is given as --bundle, " +
      "with --digest and the keys of Google Cloud Build in files by their usual names, such as " +
      "global.key.",
      "An image is resolved once. Attestations are looked for at each of its manifests: referrers, " +
      "the tags of cosign, BuildKit's manifests in the index; every platform needs one of its own. " +
      "Credentials are those of Docker, or of ATTEST_REGISTRY_USERNAME and " +
      "ATTEST_REGISTRY_PASSWORD (or ATTEST_REGISTRY_TOKEN) for the host in ATTEST_REGISTRY.",
      "With --store attestations are also looked for in stores, by the digest of the artifact; the " +
      "report says where it looked, and a store that could not be asked is never taken for one that " +
      "has nothing. npm:NAME@VERSION is a package of a registry: it is downloaded, digested and " +
      "verified by the registry's own answer, and needs --npm-keys.",
      "With --layout what is given has to be made by a supply chain: the in-toto layout is signed " +
      "with --key, its links are next to it or in --links, and no command of it is run.",
      "No request is made but for an image in a registry, a package of one, and the stores that are " +
      "named; all else is read from the given files.",
      "Exit status: 0 everything verified, 1 something is missing or invalid, 2 could not run. " +
      "With --format sarif 0 stands for 1 too, unless --exit-code is given: read the report.",
    ],
    examples: [
      ["What a GitHub repository released", "verify app.tgz --repo acme/app"],
      [
        "A release built by a reusable workflow, from a tag",
        "verify app.tgz --repo acme/app --signer-repo acme/workflows --source-ref refs/tags/v1.2.3",
      ],
      [
        "What a person signed with cosign",
        "verify app.tgz --bundle app.sigstore.json --cert-identity dev@acme.example " +
        "--cert-oidc-issuer https://accounts.google.com",
      ],
      [
        "SLSA provenance of level 3 for a release, with the words of slsa-verifier",
        "verify app.tgz --provenance-path app.intoto.jsonl --source-uri github.com/acme/app " +
        "--source-versioned-tag v1.2 --min-level 3",
      ],
      [
        "By the summary of a verifier that you trust",
        "verify app.tgz --vsa app.vsa.json --key verifier.pub " +
        "--verifier-id https://verifier.example --resource-uri pkg:npm/app@1.2.3 " +
        "--verified-level SLSA_BUILD_LEVEL_3 --vsa-max-age 30",
      ],
      ["By a policy", "verify app.tgz --policy policy.json"],
      ["What a supply chain made", "verify app.tgz --layout root.layout --key owner.pub"],
      [
        "An Android package, by its maker's certificate",
        "verify app.apk --certificate-sha256 <64 hex digits>",
      ],
      ["An image, every platform", "verify oci://ghcr.io/acme/app:1.0 --repo acme/app"],
      ["Signed with a key", "verify app.tgz --bundle app.intoto.json --key ci.pub"],
      [
        "Two of three keys",
        "verify app.tgz --key a.pub --key b.pub --key c.pub --threshold 2",
      ],
      [
        "A private repository on GitHub, with GitHub's own instance",
        "verify app.tgz --repo acme/app --trusted-root trusted_root.jsonl --only-root " +
        "--tlog-threshold 0 --tsa-threshold 1 --sct-threshold 0",
      ],
      ["All of a folder, for a program", "verify dist/ --owner acme --format json"],
      [
        "For code scanning, which uploads the report whatever the verdict is",
        "verify --checksums SHA256SUMS --owner acme --format sarif --output attest.sarif",
      ],
      [
        "By digest, without the file",
        "verify --digest sha256:<64 hex digits> --bundle app.sigstore.json --repo acme/app",
      ],
    ],
    options: async () => (await import("./verify_options.ts")).VERIFY_OPTIONS,
  },
  tree: {
    summary: "show what hangs on an image, with verdicts",
    usage: "IMAGE [OPTION…]",
    notes: [
      "IMAGE is oci://REFERENCE, or oci-layout:FOLDER for a layout in a folder or tar file, with " +
      ":TAG or @DIGEST where it has several images. Each attestation is shown under the manifest " +
      "that it hangs on, with the place where it was found.",
      "With the options of verify that say whom to believe, each has its verdict. tree shows, " +
      "verify decides: the verdicts have no influence on the exit status.",
      "Exit status: 0 all was looked at, 2 could not run, or a place could not be asked.",
    ],
    examples: [
      ["What hangs on an image, and on which platform", "tree oci://ghcr.io/acme/app:1.0"],
      ["With verdicts", "tree oci://ghcr.io/acme/app:1.0 --repo acme/app"],
      ["As a diagram for Markdown", "tree oci://ghcr.io/acme/app:1.0 --format mermaid"],
    ],
    options: async () => (await import("./tree_options.ts")).TREE_OPTIONS,
  },
  download: {
    summary: "fetch what a verification without a network needs",
    usage: "IMAGE --output FOLDER [OPTION…]",
    notes: [
      "IMAGE is as in tree. The folder gets a layout with the image's manifests and attestations, " +
      "without its layers; the keys, roots and policies that options name; and VERIFY.txt with the " +
      "command that verifies it there, which is printed too. Nothing is written before all of it " +
      "was fetched.",
      "With the options of verify that say whom to believe it is verified as well.",
      "Exit status: 0 written, and verified where somebody is believed; 1 written, and not " +
      "verified; 2 could not run, or a place could not be asked.",
    ],
    examples: [
      [
        "For a machine without a network",
        "download oci://ghcr.io/acme/app:1.0 --output app-1.0 --policy policy.json",
      ],
    ],
    options: async () => (await import("./tree_options.ts")).DOWNLOAD_OPTIONS,
  },
  inspect: {
    summary: "show the layers of an attestation, without verifying it",
    usage: "FILE… [OPTION…]",
    notes: [
      "FILE is a Sigstore bundle, a DSSE envelope, a Statement, JSON Lines of them, a trusted " +
      "root, or a key set. Nothing of what is shown was verified.",
      "Exit status: 0 all files were read, 1 one is malformed, 2 could not run.",
    ],
    examples: [
      ["Who claims to have signed", "inspect app.tgz.sigstore.json"],
      ["All of it, for a program", "inspect app.tgz.sigstore.json --format json"],
    ],
    options: async () => (await import("./inspect_options.ts")).INSPECT_OPTIONS,
  },
  diff: {
    summary: "compare two provenances, after verifying both",
    usage: "A B [OPTION…]",
    notes: [
      "A and B are files with one provenance each. Both are verified first, with the same " +
      "expectations, as verify does; without --artifact-a and --artifact-b nothing is said about " +
      "any artifact. Compared are level, signer, builder, build type, source, ref, commit, " +
      "workflow, external parameters and dependencies; not runs, times and internal parameters.",
      "Exit status: 0 both are verified and the same, 1 they differ or one is not verified, " +
      "2 could not run.",
    ],
    examples: [
      [
        "What changed between two releases",
        "diff 1.0.intoto.jsonl 1.1.intoto.jsonl --source-uri github.com/acme/app",
      ],
      [
        "Which build each artifact came from, for a program",
        "diff a.json b.json --artifact-a a.tgz --artifact-b b.tgz --repo acme/app --format json",
      ],
    ],
    options: async () => (await import("./diff_options.ts")).DIFF_OPTIONS,
  },
  gate: {
    summary: "verify all that changed since a git ref, before a release",
    usage: "[OPTION…]",
    notes: [
      "Compares the commit that is checked out with the one that it and REF have in common, maps " +
      "each changed path to an artifact or a URN, and verifies its attestations as verify does. " +
      "What counts is what is committed, not what lies in the working copy. No filter, hook, or " +
      "program of the repository's configuration is run.",
      "Attestations are looked for in the commit beside the file, in --bundle, --store, --db and " +
      "--registry. A URN needs --db or --registry only if its rule asks for the stored digest.",
      "A symbolic link or submodule that changed fails unless a rule ignores it. An attestation " +
      "that changed or was removed has the file beside it verified anew.",
      "DEBUG=1 in the environment prints each step to standard error.",
      "attest-verify is the same command. Exit status: 0 all is valid, or nothing changed; 1 " +
      "something is missing or invalid; 2 could not run: git, database, policy, rules.",
    ],
    examples: [
      [
        "A pull request",
        "gate --since origin/main --rules gate.json --policy policy.json --from-base",
      ],
      ["The last commit, by a key", "gate --key ci.pub"],
      [
        "Cards in a registry, for code scanning",
        "gate --since v1.2.0 --rules gate.json --registry https://registry.acme.example " +
        "--policy policy.json --format sarif --output gate.sarif --exit-code",
      ],
    ],
    options: async () => (await import("./gate_options.ts")).GATE_OPTIONS,
  },
  reverify: {
    summary: "judge anew all that a registry has stored",
    usage: "[OPTION…]",
    notes: [
      "Judges every version of every manifest by the policy as it is now, and says which ones " +
      "changed sides since they were stored: after a key was revoked, a policy or a root changed.",
      "The work is cut into segments. A run that was stopped goes on where it was: run the same " +
      "command again. Several processes may run it at the same time; with PostgreSQL they share " +
      "the segments by a job queue, and --worker only takes from it. However many there are, the " +
      "output is the same bytes. What did not change is not verified again.",
      "Nothing in the registry is changed by it.",
      "Exit status: 0 all pass, 1 some fail, 2 could not run.",
    ],
    examples: [
      ["After a key was revoked", "reverify --db registry.db --policy policy.json --output again"],
      [
        "On another machine, to help",
        "reverify --db postgres://attest@db.acme.example/attest --policy policy.json --worker",
      ],
    ],
    options: async () => (await import("./reverify_options.ts")).REVERIFY_OPTIONS,
  },
  policy: {
    summary: "check, explain, test and compare policies, or make a first one",
    usage: "check|explain|init|test|schema|import|diff|dry-run [FILE…] [OPTION…]",
    notes: [
      "policy check FILE… lists all problems of policies, and what to look at. policy explain " +
      "FILE says in plain words what a policy demands; with artifacts, why it decides as it does.",
      "policy init ARTIFACT writes a first policy of what verifies under the trust that the " +
      "options of verify state (trust on first use), for review; or a --template.",
      "policy test FILE runs the cases of FILE.tests.json beside the policy. policy diff OLD NEW " +
      "says what changed; policy dry-run NEW --reports FILE which artifacts of stored reports " +
      "change sides.",
      "policy import --from KIND converts ClusterImagePolicy (YAML), in-toto layouts, and the " +
      "flags of slsa-verifier (after --). The policy accepts nothing that the other would " +
      "refuse; what is not carried over is listed.",
      "policy schema prints the JSON Schema of policies.",
      "verify --policy FILE applies a policy. Exit status: 0 good, 1 something is refused, " +
      "failed or differs, 2 could not run; a malformed policy is 2.",
    ],
    examples: [
      ["A first policy of a release that you trust", "policy init app.tgz --key ci.pub"],
      ["What is wrong with it", "policy check policy.json"],
      ["What it demands", "policy explain policy.json"],
      ["Why an artifact is refused", "policy explain policy.json app.tgz -b app.intoto.json"],
      ["Its cases", "policy test policy.json"],
      ["Which artifacts a change would refuse", "policy dry-run new.json --reports report.json"],
      [
        "From policy-controller",
        "policy import --from cluster-image-policy policy.yaml --output policy.json",
      ],
      [
        "From slsa-verifier",
        "policy import --from slsa-verifier -- verify-artifact app.tgz --source-uri github.com/acme/app",
      ],
    ],
    options: async () =>
      (await import("./policy_command_options.ts"))
        .POLICY_COMMAND_OPTIONS,
  },
  serve: {
    summary: "run a registry that verifies what is put into it",
    usage: "[OPTION…] | keys create|list|revoke | policy put|show",
    notes: [
      "The registry keeps manifests { urn, card, sig, provenance } in SQLite or PostgreSQL, and " +
      "refuses those whose provenance the policy refuses. Its API is shown at /docs. The policy " +
      "and its keys are read again when they change; one that is not good does not take effect, " +
      "which /readyz tells.",
      "A subject of each attestation must have the name of the urn, and the SHA-256 of the " +
      "canonical card (RFC 8785).",
      "serve keys create --prefix URN [--name NAME] prints an API key, serve keys list shows " +
      "them, serve keys revoke ID ends one. serve policy put FILE keeps a policy in the " +
      "database, for all registries on it.",
      "It ends on SIGINT and SIGTERM, after what is under way. Exit status: 0 it was told to " +
      "end, 2 could not run.",
    ],
    examples: [
      ["On an empty folder, by the key of a builder", "serve --key ci.pub"],
      ["By a policy, on PostgreSQL", "serve --db postgres://attest@db/attest --policy policy.json"],
      ["A key for a pipeline", "serve keys create --prefix urn:acme:web --name web-pipeline"],
      ["See what would be refused", "serve --policy policy.json --mode permissive"],
    ],
    options: async () => (await import("./serve_options.ts")).SERVE_OPTIONS,
  },
  vsa: {
    summary: "verify by a verification summary (VSA), or write one",
    usage: "verify|create [ARTIFACT…] [OPTION…]",
    notes: [
      "vsa verify is verify with --vsa: see help verify for its options.",
      "vsa create verifies as verify does, and writes what it found as a VSA. The report goes to " +
      "standard error. Nothing is written when an artifact is not verified, unless --failed is " +
      "given. A Build level is stated only where provenance was judged.",
      "Exit status: 0 everything verified, 1 something is missing or invalid, 2 could not run.",
      "Options of vsa create:",
    ],
    examples: [
      [
        "Sum up what provenance shows, and sign it",
        "vsa create app.tgz --source-uri github.com/acme/app " +
        "--verifier-id https://verifier.example --resource-uri pkg:npm/app@1.2.3 " +
        "--policy-uri https://verifier.example/policy --signing-key verifier.pem " +
        "--output app.vsa.json",
      ],
      [
        "Rely on it",
        "vsa verify app.tgz --vsa app.vsa.json --key verifier.pub " +
        "--verifier-id https://verifier.example --resource-uri pkg:npm/app@1.2.3 " +
        "--verified-level SLSA_BUILD_LEVEL_2",
      ],
    ],
    options: async () => (await import("./vsa_options.ts")).VSA_CREATE_OPTIONS,
  },
  keygen: {
    summary: "make a key pair; keep the set of keys that count",
    usage: "[OPTION…]",
    notes: [
      "Writes PREFIX.key and PREFIX.pub, both or neither; a file that is there is refused. The " +
      "private key is PKCS#8, encrypted with a passphrase (PBES2, which openssl reads) unless " +
      "--no-passphrase says otherwise.",
      "A key set says of each key from when until when it counts, which key took its place, and " +
      "whether it was revoked. verify --key-set judges a signature at the time that a timestamp " +
      "or a log proves, else now; a time that only the signer states is no evidence.",
      "Exit status: 0 done, 2 could not run; nothing is left behind then.",
    ],
    examples: [
      ["A key for CI, whose passphrase is a secret of the job", "keygen --out ci"],
      [
        "A key in a key set, for a year",
        "keygen --out ci-2026 --key-set keys.json --valid-until 2026-12-31T23:59:59Z",
      ],
      [
        "The next one, which takes its place",
        "keygen --out ci-2027 --key-set keys.json --successor-of ci-2026",
      ],
      [
        "A key that somebody else may have had since a certain day",
        "keygen --key-set keys.json --revoke ci-2026 --reason compromised " +
        "--revoked-at 2026-03-01T00:00:00Z",
      ],
      ["Without a passphrase, for a test", "keygen --out test --no-passphrase"],
    ],
    options: async () => (await import("./keygen_options.ts")).KEYGEN_OPTIONS,
  },
  sign: {
    summary: "sign files, or payloads of DSSE envelopes",
    usage: "[FILE…] [OPTION…]",
    notes: [
      "Writes a Sigstore bundle beside each FILE, signed with --key or, without one, by the " +
      "services of --signing-config for the identity of the build or person. Nothing is written " +
      "unless what was produced verifies.",
      "With --envelope, adds a signature to an existing DSSE envelope, whose payload stays as it is.",
      "Exit status: 0 signed, 2 could not run; nothing is left behind then.",
    ],
    examples: [
      ["With a key", "sign app.tgz --key ci.key"],
      [
        "Keyless, in a CI job that has an identity",
        "sign app.tgz --signing-config signing_config.json --trusted-root trusted_root.json",
      ],
      [
        "A second signature for an envelope",
        "sign --envelope app.intoto.json --key second.key --force",
      ],
    ],
    options: async () => (await import("./sign_options.ts")).SIGN_OPTIONS,
  },
  attest: {
    summary: "make a Statement about artifacts, and sign it",
    usage: "[ARTIFACT…] [OPTION…]",
    notes: [
      "ARTIFACT is a file, a folder (one subject; see --subjects), or oci://NAME@sha256:… . What " +
      "is attested is what was read: a file that changes afterwards no longer verifies.",
      "A folder is described by the lines that sha256sum writes of its files, sorted by code " +
      "point; its digest, also under the name dirHash, is the SHA-256 of them. Empty folders and " +
      "modes are not recorded; links, and names with control characters or a backslash, are " +
      "refused.",
      "Signed with --key or, without one, by the services of --signing-config for the identity " +
      "of the build or person. Nothing is written unless what was produced verifies.",
      "Exit status: 0 signed, 1 what is said is incomplete or wrong (generation), 2 could not run; " +
      "nothing is left behind then. A failure names its phase: build, generation, signing, upload.",
    ],
    examples: [
      [
        "Provenance of this build, keyless",
        "attest app.tgz --provenance --trust-config trust_config.json",
      ],
      ["An SBOM, with a key", "attest app.tgz --sbom bom.json --key ci.key"],
      [
        "A release, about all that a checksum file lists",
        "attest --checksums SHA256SUMS --type release --purl pkg:npm/app@1.2.3 --key ci.key",
      ],
      [
        "Any claim about a folder; verify takes the folder again",
        "attest dist --type https://acme.example/review/v1 --predicate review.json --key ci.key",
      ],
      [
        "An attestation for each file, added to its list",
        "attest a.tgz b.tgz --each --append --type test-result --result PASSED " +
        "--configuration ci.yml --key ci.key",
      ],
    ],
    options: async () => (await import("./attest_options.ts")).ATTEST_OPTIONS,
  },
  convert: {
    summary: "make a Statement of what was verified in an old form, and sign it",
    usage:
      "DOCUMENT [ARTIFACT…] --attester URI --download-location URI --signing-key FILE [OPTION…]",
    notes: [
      "DOCUMENT is an attestation in any format that verify takes: JWS, an in-toto metablock, COSE, " +
      "a container signature, minisign and others. It is verified by the options of verify; one " +
      "that is not verified is never converted. With ARTIFACT it must be about that artifact, " +
      "which a detached signature needs; a list of checksums is given as --message.",
      "The new Statement has the subjects that the old one signed, or the artifact itself where " +
      "that was signed, and the predicate type https://in-toto.io/attestation/reference/v0.1: a " +
      "resource descriptor of the old form with its digest, format, predicate type and signers. " +
      "What the old form claims beyond its subjects is not repeated: you vouch for having verified " +
      "it, not for its words.",
      "Exit status: 0 written, 1 the old form is not verified or makes no Statement, 2 could not " +
      "run; nothing is left behind then.",
    ],
    examples: [
      [
        "A JWS becomes a Sigstore bundle beside the artifact",
        "convert app.jws app.tgz --key old.pub --attester https://acme.example/ci " +
        "--download-location https://acme.example/app.jws --signing-key ci.key",
      ],
      [
        "A list of checksums with its minisign signature",
        "convert SHA256SUMS.minisig --message SHA256SUMS --key minisign.pub " +
        "--attester https://acme.example/ci " +
        "--download-location https://acme.example/SHA256SUMS.minisig --signing-key ci.key " +
        "--output SHA256SUMS.sigstore.json",
      ],
    ],
    options: async () => (await import("./convert_options.ts")).CONVERT_OPTIONS,
  },
  attach: {
    summary: "hang attestations on the image that they are about",
    usage: "IMAGE FILE… [OPTION…]",
    notes: [
      "IMAGE is oci://REFERENCE or oci-layout:FOLDER[:TAG]. Each attestation goes to the manifests " +
      "whose digests it states: those of platforms, and with --index the index. It is pushed as " +
      "cosign 3 and GitHub do, as a referrer, or under the fallback tag where the registry has " +
      "no referrers API.",
      "Nothing is verified, and nothing is signed: see attest. The same attestation is attached " +
      "once. When it stops halfway, nothing is listed that is not all there.",
      "Credentials: ATTEST_REGISTRY with ATTEST_REGISTRY_USERNAME and _PASSWORD or _TOKEN, the " +
      "options, or what docker login keeps.",
      "Exit status: 0 attached, 1 an attestation is about something else or not signed, 2 could " +
      "not run.",
    ],
    examples: [
      [
        "What was attested of a platform",
        "attach oci://registry.example/acme/app:1.0 amd64.sigstore.json arm64.sigstore.json",
      ],
      [
        "What was attested of the index",
        "attach oci://registry.example/acme/app:1.0 index.sigstore.json --index",
      ],
    ],
    options: async () => (await import("./attach_options.ts")).ATTACH_OPTIONS,
  },
  copy: {
    summary: "copy an image with all that hangs on it",
    usage: "SOURCE TARGET [OPTION…]",
    notes: [
      "SOURCE and TARGET are oci://REFERENCE or oci-layout:FOLDER[:TAG]. Copied are the image with " +
      "all its platforms, referrers of each, referrers of those, and what cosign keeps under " +
      "tags. Every digest is checked; the tag is written last. Without a tag in TARGET it is " +
      "that of SOURCE.",
      "Begun again after a failure it goes on where it stopped.",
      "Exit status: 0 copied, 2 could not run.",
    ],
    examples: [
      [
        "To another registry",
        "copy oci://registry.example/acme/app:1.0 oci://mirror.example/acme/app:1.0",
      ],
      [
        "Into a folder, for a machine without a network",
        "copy oci://registry.example/acme/app:1.0 oci-layout:app",
      ],
    ],
    options: async () => (await import("./copy_options.ts")).COPY_OPTIONS,
  },
  store: {
    summary: "keep attestations, find them by the digest of an artifact, list and remove them",
    usage: "put FILE…|find FILE|ALG:HEX|list|prune --store STORE [OPTION…]",
    notes: [
      "STORE is a folder (each attestation in a file named by its SHA-256, with an index by " +
      "subject), a file NAME.intoto.jsonl with one a line, beside:FILE for the files that lie " +
      "beside an artifact, or oci://HOST/NAME for a repository of a registry. Several processes " +
      "may write at once; what was put survives the end of its process at any moment.",
      "find also asks github:OWNER/NAME, github-org:NAME, github-user:NAME (the address of the API " +
      "from --github-api or GITHUB_API_URL, a token from GH_TOKEN or GITHUB_TOKEN), " +
      "npm:NAME@VERSION, and https: addresses: of an artifact, of a folder with a slash at its " +
      "end, or of a file of attestations. verify --store takes the same names.",
      "What a store holds is not verified, neither by put nor by find: that is what verify does.",
      "prune needs a condition, and removes what all of them hold for; try --dry-run first. It also " +
      "removes what writers left behind that were stopped.",
      "Exit status: 0 done, 1 nothing found, or a file was refused, 2 could not run; find also " +
      "exits with 2 when a store could not be asked, for that is not absence.",
    ],
    examples: [
      ["Keep what was downloaded", "store put app.sigstore.json --store attestations"],
      ["What is there about a file", "store find app.tgz --store attestations"],
      [
        "Attestations of a digest from GitHub, for a machine without a network",
        "store find sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855 " +
        "--store github:acme/app --github-api https://api.github.example --output app.intoto.jsonl",
      ],
      ["Everything, for a program", "store list --store attestations --format json"],
      [
        "What is older than a quarter of a year and of no file that is still shipped",
        "store prune --store attestations --older-than P90D --keep-subjects SHA256SUMS --dry-run",
      ],
    ],
    options: async () => (await import("./store_options.ts")).ALL_STORE_OPTIONS,
  },
  "trusted-root": {
    summary: "keep trusted roots up to date, and show what is in them",
    usage: "update|show [FILE…] [OPTION…]",
    notes: [
      "trusted-root update gets trusted_root.json and the signing configuration from the TUF " +
      "repository of a Sigstore instance: each root is signed by the one before, and nothing is " +
      "accepted that is expired or older than what was already seen. verify makes no request: it " +
      "uses what was written here with --trusted-root FILE.",
      "trusted-root show prints the logs and authorities of trusted roots in files, of the " +
      "snapshot that comes with this program, or with --cached of the last update.",
      "Exit status: 0 done, 1 the repository is not to be trusted, 2 could not run.",
    ],
    examples: [
      ["The public-good instance", "trusted-root update --output trusted_root.json"],
      [
        "Another instance, for signing as well",
        "trusted-root update --tuf-url https://tuf.acme.example --tuf-root root.json " +
        "--output trusted_root.json --signing-config-output signing_config.json",
      ],
      ["What this program trusts", "trusted-root show"],
      ["What is in a file, for a program", "trusted-root show trusted_root.json --format json"],
    ],
    options: async () =>
      (await import("./trusted_root_options.ts"))
        .TRUSTED_ROOT_OPTIONS,
  },
  provenance: {
    summary: "write SLSA provenance of this build, from what its platform tells",
    usage: "[ARTIFACT…] [OPTION…]",
    notes: [
      "Writes a Statement that is not signed; attest --provenance makes the same and signs it. " +
      "Source repository, commit, workflow and time are in it, or all that is missing is named.",
      "GitHub Actions, GitLab CI, Google Cloud Build (automapSubstitutions: true), Buildkite and " +
      "CircleCI are found by their variables. Where the platform grants the job an identity " +
      "token, it is asked for one, for its claims; what they and the environment tell must be " +
      "the same.",
      "Only variables that docs/buildtypes.md names are read: no secret of the environment gets " +
      "into it. Each leg of a matrix makes its own: give --matrix, or set ATTEST_MATRIX to " +
      "toJSON(matrix).",
      "A local build (--ci local) reads commit, ref and origin from git; it shows no more than " +
      "Build level 1.",
      "Exit status: 0 written, 1 facts are missing or contradict each other, 2 could not run.",
    ],
    examples: [
      ["In a job of any of these platforms", "provenance app.tgz --output app.intoto.json"],
      [
        "On Google Cloud Build, which does not tell the host of the repository",
        "provenance app.tgz --source-repository https://github.com/acme/app",
      ],
      ["On one's own machine", "provenance app.tgz --ci local --workflow Makefile"],
    ],
    options: async () => (await import("./provenance.ts")).PROVENANCE_COMMAND_OPTIONS,
  },
  explain: {
    summary: "say what a reason means and how to put it right",
    usage: "[REASON…]",
    notes: ["Without REASON, lists them all."],
    examples: [["A reason of a report", "explain subject-mismatch"]],
    options: NONE,
  },
  help: {
    summary: "show this, or the help of a command",
    usage: "[COMMAND]",
    notes: [],
    examples: [["All options of verify", "help verify"]],
    options: NONE,
  },
  version: {
    summary: "show the version",
    usage: "",
    notes: [],
    examples: [],
    options: NONE,
  },
};
