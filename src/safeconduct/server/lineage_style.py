"""The look of the drawing of a lineage: colours, sizes and icons, light and dark."""

STYLE = """
:root { color-scheme: light dark;
  --page:#f5f7fa; --card:#ffffff; --line:#d5dbe5; --soft:#e4e8ef; --ink:#1b2430; --dim:#5d6877; --wire:#8b97a8;
  --good:#1a7f4b; --bad:#b3261e; --bad-tint:#fde5e3; --unsure:#8a5a00; --unsure-tint:#fff1cf; --accent:#1d5dc4; }
@media (prefers-color-scheme: dark) { :root {
  --page:#10151c; --card:#18202a; --line:#303b49; --soft:#26303c; --ink:#e4e9f0; --dim:#98a4b3; --wire:#65748a;
  --good:#55c28a; --bad:#ff8077; --bad-tint:#43211f; --unsure:#e5b454; --unsure-tint:#3a2f17; --accent:#7aaeff; } }
* { box-sizing: border-box; }
body { margin:0; background:var(--page); color:var(--ink);
  font:13px/16px Inter,"Segoe UI",Roboto,"Helvetica Neue",Arial,"Liberation Sans",sans-serif; }
code, .mono { font-family:"JetBrains Mono","SF Mono",Menlo,Consolas,"DejaVu Sans Mono",monospace; font-size:.93em; }
header, main { margin:0 auto; }
header { padding:18px 18px 0; }
h1 { margin:0; font-size:20px; line-height:26px; font-weight:650; overflow-wrap:anywhere; }
h1 code { font-size:12px; font-weight:400; color:var(--dim); margin-left:6px; }
header p { margin:6px 0 0; color:var(--dim); line-height:18px; max-width:1050px; overflow-wrap:anywhere; }
header strong { color:var(--bad); font-weight:600; }
.legend { display:flex; gap:20px; justify-content:flex-end; margin:10px 0 8px; padding:0; list-style:none;
  color:var(--dim); font-size:11.5px; }
.legend li { display:flex; align-items:center; gap:7px; }
.legend i { width:22px; border-top:1.5px solid var(--wire); }
.legend .claimed i { border-top-style:dashed; }
.legend .risk i { border-top:2.5px solid var(--bad); }
.scroll { overflow-x:auto; border-top:1px solid var(--line); }
.board { position:relative; }
.board > svg.wires { position:absolute; left:0; top:0; }
.wires path { fill:none; stroke:var(--wire); stroke-width:1.2; }
.wires path.claimed { stroke-dasharray:4 3; }
.wires path.risk { stroke:var(--bad); stroke-width:2; }
.wires path:hover { stroke-width:3; }
.wires line { stroke:var(--soft); }
h2 { margin:0; font-size:12px; line-height:16px; font-weight:600; }
.board > h2 { position:absolute; top:16px; color:var(--dim); white-space:nowrap; }
p.empty { position:absolute; top:70px; color:var(--dim); opacity:.75; font-size:11.5px; }
section.card { position:absolute; background:var(--card); border:1px solid var(--line); border-radius:7px;
  box-shadow:0 1px 2px rgba(16,24,40,.05); }
.card h3 { display:flex; justify-content:space-between; align-items:baseline; gap:8px; height:28px; margin:0;
  padding:6px 10px 0; border-bottom:1px solid var(--soft); font-size:12.5px; font-weight:620; }
.card h3 b, .card h3 small, .row b, .row small { overflow:hidden; text-overflow:ellipsis; white-space:nowrap; }
.card h3 b { font-weight:inherit; flex:0 1 auto; min-width:38%; }
.card h3 small { font-size:11px; font-weight:400; color:var(--dim); flex:0 1 auto; }
.row { position:absolute; left:3px; right:3px; display:flex; align-items:center; gap:6px; padding:0 6px 0 7px;
  border-radius:5px; }
.row > svg { flex:none; width:14px; height:14px; fill:none; stroke:var(--dim); stroke-width:1.4;
  stroke-linecap:round; stroke-linejoin:round; }
.row span { flex:1; min-width:0; display:flex; flex-direction:column; }
.row b { font-weight:500; font-size:12.5px; line-height:16px; }
.row small { font-size:11px; line-height:13px; color:var(--dim); }
.row.dense span { flex-direction:row; align-items:baseline; gap:6px; }
.row.dense b { font-size:12px; flex:0 0 auto; max-width:100%; }
.row.dense small { flex:0 1 auto; }
.row.dense > svg { width:12px; height:12px; }
.row > svg.mark { width:12px; height:12px; }
.row:hover { background:var(--soft); }
.row.ok > svg.mark { stroke:var(--good); stroke-width:1.8; }
.row.bad, .row.bad:hover { background:var(--bad-tint); }
.row.bad small { color:var(--bad); }
.row.bad > svg { stroke:var(--bad); }
.row.unsure, .row.unsure:hover { background:var(--unsure-tint); }
.row.unsure small { color:var(--unsure); }
.row.unsure > svg { stroke:var(--unsure); }
.row.bad > svg.mark, .row.unsure > svg.mark { stroke-width:1.8; }
.facts { display:grid; grid-template-columns:repeat(auto-fit,minmax(250px,1fr)); gap:14px 34px; margin:10px 18px 26px;
  padding:15px 17px 16px; background:var(--card); border:1px solid var(--line); border-radius:8px; }
.facts section { min-width:0; }
.facts h2 { font-size:13px; margin-bottom:7px; }
.facts p { margin:0 0 4px; color:var(--dim); line-height:18px; overflow-wrap:anywhere; }
@media print { .scroll { overflow:visible; } section.card { box-shadow:none; } }
""".strip()

ICONS = {
    "who": '<circle cx="8" cy="5.2" r="2.6"/><path d="M3 13.5c.5-2.9 2.4-4.3 5-4.3s4.5 1.4 5 4.3"/>',
    "key": '<circle cx="5" cy="8" r="3"/><path d="M8 8h6.5v2.5M11.5 8v2"/>',
    "source": '<circle cx="8" cy="8" r="2.6"/><path d="M1 8h4.4M10.6 8H15"/>',
    "build": '<path d="M8 1.5 13.6 4.700v6.600L8 14.5 2.4 11.300V4.700z"/><path d="M6.7 5.9 10 8l-3.3 2.100z"/>',
    "release": '<path d="M8 1.5 14 4.700v6.600l-6 3.2-6-3.200V4.700z"/><path d="M2 4.7 8 8l6-3.300M8 8v6.5"/>',
    "evidence": '<path d="M3.5 1.500h6l3 3v10h-9z"/><path d="M9.5 1.500v3h3M5.7 8h4.600M5.7 11h4.6"/>',
    "risk": '<circle cx="8" cy="8" r="6.3"/><path d="M8 4.5v4.200M8 11.300v.2"/>',
    "admission": '<path d="M8 1.5 13.5 3.500v4.200c0 3.3-2.2 5.6-5.5 6.8-3.3-1.2-5.5-3.5-5.5-6.800V3.500z"/>',
    "running": '<rect x="5.5" y="5.5" width="8.5" height="8.5" rx="1.5"/>'
    '<path d="M2.5 10.500a1 1 0 0 1-1-1v-7a1 1 0 0 1 1-1h7a1 1 0 0 1 1 1"/>',
    "ok": '<path d="m3 8.5 3.4 3.300L13 4.5"/>',
    "bad": '<path d="m4 4 8 8M12 4l-8 8"/>',
    "unsure": '<path d="M8 2.500v7M8 13v.2"/>',
}
"""Bodies of 16 by 16 symbols, by column, by kind of row and by mark."""
