/**
 * How the cost grows with the size: `deno run -A bench/growth.ts [--largest N]`. A process for
 * each size of each series. Writes `growth.md` and `growth.svg` beside itself, and exits with 1
 * if a series ends steeper than linear.
 */

import { writeFileSync } from "node:fs";
import process from "node:process";
import { join } from "node:path";
import { ROOT, run } from "../tests/runtimes/tools.ts";

interface Series {
  /** Argument of the cell. */
  id: string;
  title: string;
  /** What is counted, for the axis. */
  unit: string;
  sizes: readonly number[];
}

interface Point {
  size: number;
  /** CPU milliseconds of all of it. */
  cpu: number;
  /** MiB: before the first, and at most. */
  before: number;
  peak: number;
}

const SERIES: readonly Series[] = [
  {
    id: "attestations",
    title: "Attestations (JSON Lines)",
    unit: "attestations",
    sizes: [1, 10, 100, 1000, 10_000, 100_000],
  },
  {
    id: "subjects",
    title: "Subjects of one Statement",
    unit: "subjects",
    sizes: [1, 10, 100, 1000, 10_000, 100_000],
  },
  {
    id: "payload",
    title: "Bytes of one payload",
    unit: "bytes",
    sizes: [1 << 10, 10 << 10, 100 << 10, 1 << 20, 10 << 20],
  },
  { id: "rules", title: "Rules of a policy", unit: "rules", sizes: [10, 30, 100, 300, 1000] },
];

/**
 * Exponent of the growth at the end: 1 is linear, 2 is quadratic. What does not fit into the
 * caches costs more per byte, which is why it is not exactly 1.
 */
const STEEPEST = 1.35;

const option = process.argv.indexOf("--largest");
const largest = option < 0 ? Infinity : Number(process.argv[option + 1]);
const measured: [Series, Point[]][] = [];
for (const series of SERIES) {
  const points: Point[] = [];
  for (const size of series.sizes.filter((one) => one <= largest)) {
    const args = ["run", "-A", join(ROOT, "bench/cells/growth.ts"), series.id, `${size}`];
    const { code, out } = run(Deno.execPath(), args);
    const line = out.split("\n").find((one) => one.startsWith("{"));
    if (code !== 0 || line === undefined) throw new Error(`${series.id} ${size}: ${out}`);
    points.push(JSON.parse(line));
    console.error(`${series.id} ${size}: ${points.at(-1)!.cpu.toFixed(2)} ms CPU`);
  }
  measured.push([series, points]);
}

let tooSteep = false;
let text = `# Growth

Written by \`deno run -A bench/growth.ts\` (Deno ${Deno.version.deno}); the method is in
[README.md](README.md). CPU milliseconds of all threads. The exponent is that of the growth since
the size before: 1 is linear, up to ${STEEPEST} is accepted at the end. MiB are the largest resident
set, and before the work.

![CPU against size, both logarithmic; dashes are linear](growth.svg)
`;
for (const [{ title, unit }, points] of measured) {
  text += `\n## ${title}\n\n| ${unit} | CPU ms | us each | exponent | peak MiB | before |\n`;
  text += "| ---: | ---: | ---: | ---: | ---: | ---: |\n";
  points.forEach(({ size, cpu, peak, before }, i) => {
    const exponent = i === 0 ? "" : exponentAt(points, i).toFixed(2);
    text += `| ${size.toLocaleString("en")} | ${digits(cpu)} | ${digits(cpu * 1000 / size)} | ` +
      `${exponent} | ${peak} | ${before} |\n`;
  });
  if (exponentAt(points, points.length - 1) > STEEPEST) {
    tooSteep = true;
    text += "\n**Steeper than accepted at the end.**\n";
  }
}
writeFileSync(join(ROOT, "bench/growth.md"), text);
writeFileSync(join(ROOT, "bench/growth.svg"), plot(measured));
run(Deno.execPath(), ["fmt", "-q", join(ROOT, "bench/growth.md"), join(ROOT, "bench/growth.svg")]);
console.log(text);
if (tooSteep) process.exitCode = 1;

function exponentAt(points: readonly Point[], i: number): number {
  if (i < 1) return 0;
  const [a, b] = [points[i - 1], points[i]];
  return Math.log(b.cpu / a.cpu) / Math.log(b.size / a.size);
}

/** Three digits that count, never as a power of ten. */
function digits(value: number): string {
  return Number(value.toPrecision(3)).toLocaleString("en", { maximumFractionDigits: 5 });
}

/** Four small panels: points and lines of what was measured, dashes of what is linear. */
function plot(all: readonly [Series, Point[]][]): string {
  const [width, height, left, top] = [300, 190, 44, 28];
  const panels = all.map(([{ title, unit }, points], i) => {
    const [x0, y0] = [(i % 2) * (width + 60) + left, Math.floor(i / 2) * (height + 70) + top];
    const xs = points.map(({ size }) => Math.log10(size));
    const ys = points.map(({ cpu }) => Math.log10(cpu));
    const [xMin, xMax] = [Math.floor(xs[0]), Math.ceil(xs.at(-1)!)];
    const [yMin, yMax] = [Math.floor(Math.min(...ys)), Math.ceil(Math.max(...ys))];
    const x = (value: number) => x0 + (value - xMin) / Math.max(1, xMax - xMin) * width;
    const y = (value: number) => y0 + height - (value - yMin) / Math.max(1, yMax - yMin) * height;
    const at = (a: number, b: number) => `${x(a).toFixed(1)},${y(b).toFixed(1)}`;
    const grid = [
      ...decades(yMin, yMax).map((one) =>
        `<path class="g" d="M${at(xMin, one)}H${x(xMax).toFixed(1)}"/>` +
        `<text x="${x0 - 6}" y="${(y(one) + 4).toFixed(1)}" text-anchor="end">${power(one)}</text>`
      ),
      ...decades(xMin, xMax).map((one) =>
        `<text x="${x(one).toFixed(1)}" y="${y0 + height + 16}" text-anchor="middle">` +
        `${power(one)}</text>`
      ),
    ];
    const start = Math.max(xMin, xs.at(-1)! - (ys.at(-1)! - yMin));
    const linear = `M${at(start, ys.at(-1)! - (xs.at(-1)! - start))}L${at(xs.at(-1)!, ys.at(-1)!)}`;
    return `<text class="t" x="${x0}" y="${y0 - 10}">${title}: CPU ms by ${unit}</text>` +
      grid.join("") + `<path class="l" d="${linear}"/>` +
      `<polyline points="${xs.map((one, j) => at(one, ys[j])).join(" ")}"/>` +
      xs.map((one, j) => `<circle cx="${x(one).toFixed(1)}" cy="${y(ys[j]).toFixed(1)}" r="3"/>`)
        .join("");
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 520" font-family="sans-serif" font-size="11">
<style>.g{stroke:#ddd}.l{stroke:#999;stroke-dasharray:4}polyline{fill:none;stroke:#06c;stroke-width:2}circle{fill:#06c}text{fill:#444}.t{font-weight:bold}</style>
<rect width="720" height="520" fill="#fff"/>
${panels.join("\n")}
</svg>
`;
}

function decades(from: number, to: number): number[] {
  return Array.from({ length: to - from + 1 }, (_, i) => from + i);
}

function power(exponent: number): string {
  return exponent < 0 ? `${10 ** exponent}` : (10 ** exponent).toLocaleString("en");
}
