/**
 * COSE: COSE_Sign1, and the signatures of Notation in it. Loaded where one is met; a program
 * imports it for what only this format has.
 *
 * @module
 */

export { coseSign1, type CoseTrust, verifyCoseSign1 } from "./cose_sign1.ts";
export { notationCose } from "./notation_cose.ts";
