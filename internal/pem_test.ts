import { deepStrictEqual as deepEqual, ok, strictEqual as equal, throws } from "node:assert/strict";
import { describe, it } from "node:test";
import { isAttestationError } from "../errors.ts";
import { isProportional } from "../tests/fixtures/growth.ts";
import { decodeOnePem, decodePem, encodePem } from "./pem.ts";

const DER = Uint8Array.from({ length: 60 }, (_, i) => i * 7 & 255);
const PEM = encodePem("PUBLIC KEY", DER);

function outcome(text: string): string {
  try {
    return decodePem(text).map(({ label, der }) => `${label}:${der.length}`).join();
  } catch (error) {
    if (isAttestationError(error)) return error.reason;
    throw error;
  }
}

describe("decodePem()", () => {
  it("reads what encodePem() writes, of every length", () => {
    for (let length = 1; length < 200; length++) {
      const der = Uint8Array.from({ length }, (_, i) => i & 255);
      const text = encodePem("X Y", der);
      ok(text.split("\n").every((line) => line.length <= 64));
      deepEqual(decodePem(text), [{ label: "X Y", der }]);
    }
  });

  it("takes several blocks, text around them, and line ends of other systems", () => {
    equal(outcome(PEM + PEM), "PUBLIC KEY:60,PUBLIC KEY:60");
    equal(outcome(`subject=x\n${PEM}\nmore\n`), "PUBLIC KEY:60");
    equal(outcome(PEM.replaceAll("\n", "\r\n")), "PUBLIC KEY:60");
    equal(outcome(PEM.replaceAll("\n", " \t\n")), "PUBLIC KEY:60");
    equal(outcome(PEM.trimEnd()), "PUBLIC KEY:60");
  });

  it("refuses a text without a block", () => {
    for (const text of ["", "x", "-----BEGIN PUBLIC KEY-----", PEM.replace("BEGIN", "BEGINN")]) {
      equal(outcome(text), "malformed-pem", text);
    }
  });

  it("refuses labels that differ and blocks that are cut or run together", () => {
    const [begin, ...lines] = PEM.trimEnd().split("\n");
    const end = lines.pop();
    equal(outcome(PEM.replace("END PUBLIC", "END PRIVATE")), "malformed-pem");
    equal(outcome([begin, ...lines].join("\n")), "malformed-pem");
    equal(outcome([begin, begin, ...lines, end].join("\n")), "malformed-pem");
    equal(outcome([begin, ...lines, end, end].join("\n")), "malformed-pem");
    equal(outcome([begin, ...lines].join("\n") + end), "malformed-pem");
    equal(outcome(`x${PEM}`), "malformed-pem");
    equal(outcome(PEM.trimEnd() + "x"), "malformed-pem");
  });

  it("does not pass over a damaged block beside a good one", () => {
    equal(outcome(PEM.replace("\n", "\nProc-Type: 4,ENCRYPTED\n\n") + PEM), "malformed-pem");
    equal(outcome(PEM + PEM.slice(0, 60)), "malformed-pem");
    equal(outcome(PEM.replace("PUBLIC", "public") + PEM), "malformed-pem");
  });

  it("refuses what is not standard base64 with padding", () => {
    const block = (body: string) => `-----BEGIN X-----\n${body}\n-----END X-----\n`;
    equal(outcome(block("AAAA")), "X:3");
    equal(outcome(block("AA==")), "X:1");
    for (
      const body of [
        "AA",
        "AAA",
        "A A=",
        " AAAA",
        "AAAA\rAAAA",
        "AA__",
        "AA=\n=AAA",
        "AB==",
        "é",
        "AA\u2028AA",
        "A\0AA",
      ]
    ) {
      equal(outcome(block(body)), "malformed-pem", JSON.stringify(body));
    }
  });

  it("bounds the number of blocks", () => {
    equal(decodePem(PEM.repeat(64)).length, 64);
    equal(outcome(PEM.repeat(65)), "limit-exceeded");
  });

  it("takes time that grows with the length, not with its square", async () => {
    const attacks: ((length: number) => string)[] = [
      (length) => "-----BEGIN X-----\n".repeat(length / 16),
      (length) => `-----BEGIN X-----${" ".repeat(length)}`,
      (length) => `-----BEGIN X-----\n${" ".repeat(length)}x`,
      (length) => `-----BEGIN X-----\n${"A".repeat(length)}`,
      (length) => `-----BEGIN X-----\n${"\n".repeat(length)}`,
      (length) => "-".repeat(length),
      (length) => `-----BEGIN X-----\n${" ".repeat(length)}x\n-----END X-----`,
    ];
    for (const [index, attack] of attacks.entries()) {
      const work = (length: number) => {
        const text = attack(length);
        return () => equal(outcome(text), "malformed-pem");
      };
      ok(await isProportional(work, 320_000), String(index));
    }
  });

  it("shows nothing of a block in its messages", () => {
    throws(
      () => decodePem("-----BEGIN PRIVATE KEY-----\nSECRET!\n-----END PRIVATE KEY-----"),
      (error: Error) =>
        !error.message.includes("SECRET") && !String(error.cause).includes("SECRET"),
    );
  });
});

describe("decodeOnePem()", () => {
  it("wants one block with one of the labels", () => {
    equal(decodeOnePem(PEM, "PUBLIC KEY", "CERTIFICATE").label, "PUBLIC KEY");
    throws(() => decodeOnePem(PEM, "CERTIFICATE"), { reason: "malformed-pem" });
    throws(() => decodeOnePem(PEM + PEM, "PUBLIC KEY"), { reason: "malformed-pem" });
  });
});
