/** The crash test in full: `deno task crash [--kills N] [--seed N]`. */

import { crash } from "./crash.ts";

const value = (name: string, otherwise: number): number => {
  const at = Deno.args.indexOf(`--${name}`);
  return at < 0 ? otherwise : Number(Deno.args[at + 1]);
};

const start = performance.now();
const report = await crash({
  kills: value("kills", 1000),
  seed: value("seed", 1),
  onProgress: (so) => {
    if (so.kills % 20 === 0) console.error(JSON.stringify(so));
  },
});
const { broken, ...counts } = report;
console.log(JSON.stringify({ ...counts, seconds: Math.round((performance.now() - start) / 1000) }));
for (const line of broken.slice(0, 50)) console.log(line);
if (broken.length > 0) Deno.exit(1);
