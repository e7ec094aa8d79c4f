#include "report/html.h"

namespace program::report {

// Below 46rem a row becomes a card: its name, its picture, then its figures with their labels.
const char *const kStyleSheet = R"(:root {
  --page: #fff; --text: #1c2329; --faint: #5a6672; --rule: #dde2e8; --track: #eef1f4; --band: #d5dbe2;
  --fill: #2b7a8b; --base: #98a4b0; --better: #19703f; --worse: #b1281f;
  --c0: #2b7a8b; --c1: #b0581c; --c2: #6a4fb0; --c3: #4c7a1e;
}
@media screen and (prefers-color-scheme: dark) {
  :root {
    --page: #14181c; --text: #e4e8ec; --faint: #9aa6b2; --rule: #2c343c; --track: #20272d; --band: #37424c;
    --fill: #4fa3b5; --base: #6f7d8a; --better: #63c48c; --worse: #ef8379;
    --c0: #4fa3b5; --c1: #e0935a; --c2: #a78fe8; --c3: #93c25c;
  }
}
* { box-sizing: border-box; }
html { color-scheme: light dark; -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--text);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "DejaVu Sans", sans-serif;
  overflow-wrap: break-word; print-color-adjust: exact; -webkit-print-color-adjust: exact;
}
main { max-width: 70rem; margin: 0 auto; padding: 2rem 1rem 4rem; }
h1 { font-size: 1.75rem; line-height: 1.2; margin: 0 0 .5rem; }
h2 { font-size: 1.25rem; line-height: 1.3; margin: 3rem 0 .5rem; padding-top: .75rem; border-top: 2px solid var(--text); }
h3 { font-size: 1rem; line-height: 1.3; margin: 1.75rem 0 .25rem; }
p { margin: 0 0 .75rem; max-width: 46rem; }
.lead { color: var(--faint); }
table { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9375rem; }
th, td { padding: .375rem .75rem .375rem 0; text-align: left; vertical-align: middle; }
tr > :last-child { padding-right: 0; }
thead th { color: var(--faint); font-weight: 400; font-size: .8125rem; vertical-align: bottom; border-bottom: 1px solid var(--rule); }
tbody tr + tr > * { border-top: 1px solid var(--rule); }
tbody th { font-weight: 500; width: 22%; min-width: 8rem; overflow-wrap: anywhere; }
td.text { min-width: 6rem; overflow-wrap: anywhere; }
.number { text-align: right; overflow-wrap: normal; }
td.number { white-space: nowrap; }
.picture { width: 26%; min-width: 6rem; }
.facts { font-size: .875rem; }
.facts thead { display: none; }
.facts th { font-weight: 400; color: var(--faint); width: 12rem; vertical-align: top; }
.better { color: var(--better); font-weight: 600; }
.worse { color: var(--worse); font-weight: 600; }
svg { display: block; }
.bar, .ratio { width: 100%; height: .875rem; }
.track { fill: var(--track); }
.fill { fill: var(--fill); }
.base { fill: var(--base); }
.band { fill: var(--band); }
.range, .one, .point { stroke: var(--text); stroke-width: 1.5; vector-effect: non-scaling-stroke; }
.one { stroke: var(--faint); stroke-width: 1; }
.point { stroke: var(--fill); stroke-width: 5; }
figure { margin: 1rem 0; }
.plot { width: 100%; max-width: 34rem; height: auto; }
.plot text { fill: var(--faint); font-size: 11px; }
.grid { stroke: var(--rule); }
.path { stroke-width: 1.5; }
.limit { stroke-width: 1.5; stroke-dasharray: 5 4; }
.c0 line { stroke: var(--c0); } .c1 line { stroke: var(--c1); } .c2 line { stroke: var(--c2); } .c3 line { stroke: var(--c3); }
.s0 { fill: var(--c0); } .s1 { fill: var(--c1); } .s2 { fill: var(--c2); } .s3 { fill: var(--c3); }
.legend { list-style: none; margin: .5rem 0 0; padding: 0; font-size: .875rem; }
.legend li { display: flex; gap: .5rem; align-items: baseline; }
.legend span { min-width: 0; overflow-wrap: anywhere; }
.key { flex: none; width: .875rem; height: .875rem; align-self: center; }
@media screen and (max-width: 46rem) {
  main { padding-top: 1.25rem; }
  h1 { font-size: 1.375rem; }
  table, tbody { display: block; }
  thead { display: none; }
  tbody tr { display: grid; grid-template-columns: 1fr 1fr; column-gap: 1.25rem; padding: .625rem 0; }
  tbody tr + tr { border-top: 1px solid var(--rule); }
  tbody tr + tr > * { border-top: 0; }
  tbody th, tbody td { padding: .125rem 0; min-width: 0; }
  tbody th, td.picture, td.text, td.range { grid-column: 1 / -1; width: auto; }
  td.number { display: flex; flex-wrap: wrap; justify-content: space-between; gap: 0 .5rem; min-width: 0; }
  td.number::before, td.text::before { content: attr(data-label); color: var(--faint); font-size: .8125rem; font-weight: 400; text-align: left; }
  td.number::before { white-space: normal; max-width: 60%; }
  td.text::before { flex: none; }
  td.text { display: flex; justify-content: space-between; gap: 1rem; text-align: right; }
  td.empty { display: none; }
  .facts td.text { display: block; text-align: left; }
  .facts td.text::before { content: none; }
  .facts th { width: auto; }
}
@media print {
  @page { margin: 15mm; }
  body { font-size: 10pt; }
  main { max-width: none; padding: 0; }
  table { font-size: 9pt; }
  h2, h3 { break-after: avoid; }
  tr, figure { break-inside: avoid; }
  h2 { margin-top: 1.5rem; }
}
)";

} // namespace program::report
