/** The style of the page; its digest is in the page's content security policy. */
export const STYLE: string = `
:root {
  color-scheme: light dark;
  --back: #f6f7f9; --card: #fff; --text: #1b1f24; --dim: #57606a; --line: #d5dae1;
  --code: #eef1f5; --pass: #116329; --pass-back: #dafbe1; --fail: #b0151f; --fail-back: #ffebe9;
  --warn: #7a4d00; --warn-back: #fff4d0; --none: #57606a; --none-back: #e9ecf0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --back: #0f1318; --card: #171c23; --text: #e6e9ee; --dim: #9aa5b1; --line: #313942;
    --code: #222932; --pass: #5fd17c; --pass-back: #12331e; --fail: #ff938a; --fail-back: #431a1c;
    --warn: #eabf5c; --warn-back: #3a2d0d; --none: #9aa5b1; --none-back: #262d36;
  }
}
* { box-sizing: border-box; }
body {
  margin: 0; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
  overflow-wrap: anywhere; text-size-adjust: 100%; -webkit-text-size-adjust: 100%;
}
main, footer { max-width: 64rem; margin: 0 auto; padding: 1.25rem; }
footer { color: var(--dim); font-size: .85rem; padding-top: 0; }
h2 { font-size: 1.1rem; margin: 1.75rem 0 .6rem; }
h3 {
  font-size: .8rem; letter-spacing: .04em; text-transform: uppercase; color: var(--dim);
  margin: 1.1rem 0 .35rem;
}
header, .artifact, table {
  background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
}
header { padding: 1.1rem 1.25rem; border-left: .4rem solid var(--none); }
header.pass, .artifact.pass { border-left-color: var(--pass); }
header.fail, .artifact.fail { border-left-color: var(--fail); }
header.warn, .artifact.warn { border-left-color: var(--warn); }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0; }
header.pass h1 { color: var(--pass); }
header.fail h1 { color: var(--fail); }
header.warn h1 { color: var(--warn); }
h1 span { display: block; color: var(--text); font-size: 1rem; font-weight: 400; }
.counts { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; margin: .9rem 0; padding: 0; }
.counts li {
  background: var(--none-back); color: var(--none); border-radius: .4rem; padding: .3rem .75rem;
}
.counts li.pass { background: var(--pass-back); color: var(--pass); }
.counts li.fail { background: var(--fail-back); color: var(--fail); }
.counts li.warn { background: var(--warn-back); color: var(--warn); }
dl {
  display: grid; grid-template-columns: minmax(7rem, max-content) minmax(0, 1fr);
  gap: .15rem 1rem; margin: .4rem 0; font-size: .9rem;
}
dt { color: var(--dim); }
dd { margin: 0; min-width: 0; }
code {
  font: .86em/1.45 ui-monospace, SFMono-Regular, Menlo, Consolas, monospace;
  background: var(--code); border-radius: .25rem; padding: .08em .3em;
  -webkit-box-decoration-break: clone; box-decoration-break: clone;
}
.dim, .note { color: var(--dim); }
.note { font-size: .9rem; }
.badge {
  flex: none; display: inline-block; min-width: 4.4rem; text-align: center; font-size: .72rem;
  font-weight: 600; line-height: 1.2; letter-spacing: .03em; text-transform: uppercase;
  border-radius: .3rem; padding: .25em .5em; background: var(--none-back); color: var(--none);
}
.badge.pass { background: var(--pass-back); color: var(--pass); }
.badge.fail { background: var(--fail-back); color: var(--fail); }
.badge.warn { background: var(--warn-back); color: var(--warn); }
.origin {
  display: inline-block; font-size: .75rem; color: var(--dim); border: 1px solid var(--line);
  border-radius: 1rem; padding: 0 .5em; white-space: nowrap;
}
table { border-collapse: separate; border-spacing: 0; width: 100%; font-size: .9rem; }
th, td { text-align: left; vertical-align: top; padding: .5rem .75rem; }
th { color: var(--dim); font-weight: 600; font-size: .8rem; white-space: nowrap; }
td { border-top: 1px solid var(--line); }
td:nth-child(1) { width: 6.5rem; }
td:nth-child(2) { width: 24%; }
td:nth-child(3) { width: 26%; }
.remedy { margin: .25rem 0 0; color: var(--dim); }
.remedy::before { content: "→ "; }
.artifact { border-left: .4rem solid var(--none); margin: 0 0 .75rem; padding: 0 1.1rem; }
.artifact[open] { padding-bottom: .9rem; }
.artifact > summary { padding: .7rem 0; }
summary, .leaf { display: flex; flex-wrap: wrap; align-items: baseline; gap: .15rem .6rem; }
summary { cursor: pointer; list-style: none; border-radius: .25rem; }
summary::-webkit-details-marker { display: none; }
summary::before {
  content: ""; flex: none; width: .42em; height: .42em; border: solid var(--dim);
  border-width: 0 2px 2px 0; transform: rotate(-45deg) translateY(-.2em);
}
details[open] > summary::before { transform: rotate(45deg) translate(-.2em, -.2em); }
summary:focus-visible { outline: 2px solid var(--dim); outline-offset: 2px; }
summary strong { min-width: 0; }
.tree { list-style: none; margin: 0; padding: 0 0 0 .95rem; border-left: 1px solid var(--line); }
.tree.top { padding: 0; border: 0; }
.tree li { padding: .2rem 0; }
.leaf { padding-left: 1.02rem; }
.tree dl { padding-left: 1.02rem; }
.tree .tree { margin: .15rem 0 0 .2rem; }
.id { background: none; padding: 0; font-weight: 600; }
.message { color: var(--dim); min-width: 0; }
@media (max-width: 40rem) {
  main, footer { padding: .75rem; }
  footer { padding-top: 0; }
  header { padding: .9rem; }
  .artifact { padding: 0 .75rem; }
  dl { grid-template-columns: minmax(0, 1fr); gap: 0; }
  dd { margin-bottom: .35rem; }
  .tree { padding-left: .5rem; }
  .id, .message { flex-basis: 100%; padding-left: 1.02rem; }
  thead { display: none; }
  table, tbody, tr, td, td:nth-child(n) { display: block; width: auto; }
  tr + tr { border-top: 2px solid var(--line); }
  td { border: 0; padding: .3rem .75rem; }
  td:first-child { padding-top: .7rem; }
  td:last-child { padding-bottom: .7rem; }
  td::before { content: attr(data-label); display: block; color: var(--dim); font-size: .75rem; }
  td:first-child::before { content: none; }
}
@media print {
  :root {
    color-scheme: light; --back: #fff; --card: #fff; --text: #000; --dim: #444; --line: #bbb;
    --code: #f2f2f2; --pass: #0b5a22; --pass-back: #fff; --fail: #a00; --fail-back: #fff;
    --warn: #6b4400; --warn-back: #fff; --none: #444; --none-back: #fff;
  }
  body { font-size: 10pt; }
  main, footer { max-width: none; padding: 0; }
  .badge, .counts li { border: 1px solid currentColor; }
  details::details-content { content-visibility: visible; block-size: auto; }
  summary::before { display: none; }
  summary, tr, dl { break-inside: avoid; }
  summary { break-after: avoid; }
  .leaf { padding-left: 0; }
}
`;
