/** The page's style: light and dark as the reader has it, and white paper. */
export const pageStyle = `
:root { color-scheme: light dark; --back: #fff; --text: #1c2024; --dim: #60646c; --line: #d9dce1; --card: #f7f8fa;
  --work: #3b7dc4; --wait: #c3c7cf; --strong: #c2410c; }
@media (prefers-color-scheme: dark) { :root { --back: #14161a; --text: #e6e8eb; --dim: #9ba1aa; --line: #343840;
  --card: #1c1f24; --work: #6aa9e9; --wait: #565c66; --strong: #fb923c; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 1.5rem; max-width: 1600px; background: var(--back); color: var(--text);
  font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 1.3rem; margin: 0 0 .25rem; } h2 { font-size: 1.05rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; } p { margin: .25rem 0; } .dim { color: var(--dim); }
.verdict { border-left: 4px solid var(--strong); padding: .5rem 1rem; background: var(--card); font-size: 1.1rem;
  margin: 1rem 0; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .9rem; }
th, td { text-align: right; padding: .2rem .6rem; border-bottom: 1px solid var(--line); white-space: nowrap; }
th:first-child, td:first-child, td.place { text-align: left; }
td.place { white-space: normal; overflow-wrap: anywhere; } th { color: var(--dim); font-weight: 500; }
.bar { display: flex; width: 16rem; height: .8rem; } .bar i { display: block; height: 100%; }
.work { background: var(--work); } .wait { background: var(--wait); }
.grid { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 30rem), 1fr)); gap: 1rem; }
.card { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: .75rem; min-width: 0; }
.flame { overflow: auto; max-height: 26rem; margin: .5rem 0; }
.d3-flame-graph rect { stroke: var(--card) !important; fill-opacity: 1 !important; }
.d3-flame-graph-label { font-family: system-ui, sans-serif !important; font-size: 11px !important; }
.key span { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 1em; }
summary { cursor: pointer; }
@media print { :root { --back: #fff; --text: #000; --dim: #444; --line: #bbb; --card: #fff; --work: #3b7dc4;
  --wait: #c3c7cf; --strong: #c2410c; } body { padding: 0; font-size: 11px; } .grid { display: block; }
  .card { break-inside: avoid; margin-bottom: 1rem; } .flame { max-height: none; overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
`;
