import type { CheckList } from "../internal/check_list.ts";
import { quote } from "../internal/json.ts";
import type { CertifiedSource } from "./_certificate.ts";
import type { GithubFacts } from "./_github.ts";
import type { SignerEvidence } from "./evidence.ts";
import type { ProvenanceExpectation } from "./expectation.ts";
import type { Provenance } from "./provenance.ts";

/** What is judged, by what, into which list. */
export interface ProvenanceCase {
  list: CheckList;
  provenance: Provenance;
  evidence: SignerEvidence;
  expectation: ProvenanceExpectation;
  facts: GithubFacts;
  certified: CertifiedSource;
}

/** What a message says was found. */
export function found(actual: string | undefined, what: string): string {
  return actual === undefined ? `it states no ${what}` : `found ${quote(actual)}`;
}
