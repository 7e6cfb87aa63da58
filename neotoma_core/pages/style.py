"""How all pages look: one sheet, for light and dark, narrow and wide, screen and paper.

It has none of the characters that markup escapes, and every contrast is at least 4.5.
"""

from collections.abc import Mapping
from typing import Final

_COLOURS: Final[Mapping[str, tuple[str, str]]] = {
    "ground": ("#faf9f6", "#14171b"),
    "card": ("#ffffff", "#1c2026"),
    "ink": ("#21262c", "#e8eaed"),
    "soft": ("#58616b", "#a3adb8"),
    "line": ("#e2dfd8", "#333a43"),
    "good": ("#1b6b4a", "#6fd0a0"),
    "bad": ("#b3361b", "#ff9b7d"),
    "warn": ("#855a00", "#e3b341"),
    "mark": ("#f1efe9", "#272d35"),
    "copy": ("#4a7db5", "#76a9dd"),
    "target": ("#c2501d", "#f29463"),
    "after": ("#2a8a62", "#5fc295"),
    "lost": ("#edc9b6", "#5f3a29"),
    "salvaged": ("#a57a1a", "#d9b04c"),
    "twin": ("#b4c9df", "#41597a"),
}
_SHEET: Final = """
*{box-sizing:border-box}
html{font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",sans-serif;
color:var(--ink);background:var(--ground);-webkit-text-size-adjust:100%}
body{margin:0 auto;max-width:68rem;padding:2.5rem 1.25rem 4rem}
header{margin-bottom:2rem}
h1{font-size:clamp(1.45rem,4.2vw,2.1rem);line-height:1.25;letter-spacing:-.015em;font-weight:650;
margin:.35rem 0 .8rem;text-wrap:balance}
h2{font-size:1.15rem;line-height:1.3;font-weight:650;margin:0 0 .35rem}
h3{font-size:1rem;font-weight:650;margin:1.4rem 0 .3rem}
p{margin:.35rem 0;max-width:46rem}
h1,h2,p,dd,summary{overflow-wrap:anywhere}
section{background:var(--card);border:1px solid var(--line);border-radius:14px;
padding:1.35rem 1.5rem 1.5rem;margin:1.1rem 0}
.eyebrow,.note,dt,figcaption,footer{color:var(--soft)}
.eyebrow,.note,figcaption,footer,.facts{font-size:.875rem}
.eyebrow{overflow-wrap:anywhere}
.lead{font-size:1.08rem;margin-top:.7rem;max-width:50rem}
.good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}
.badge{display:inline-block;border:1px solid currentColor;border-radius:99px;padding:.05rem .7rem;
font-size:.8rem;font-weight:600}
code,pre{font:.86em/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
pre{background:var(--mark);border-radius:9px;padding:.7rem .9rem;margin:.3rem 0;
white-space:pre-wrap;user-select:all}
.steps{display:grid;gap:1rem 1.5rem;
grid-template-columns:repeat(auto-fit,minmax(min(100%,21rem),1fr))}
.steps h2{margin-bottom:.15rem}
.tiles{display:grid;gap:1rem 1.5rem;margin:1rem 0 0;
grid-template-columns:repeat(auto-fit,minmax(9rem,1fr))}
.tiles div{border-left:3px solid var(--line);padding-left:.8rem}
dt{font-size:.875rem}
dd{margin:0;font-size:1.22rem;font-weight:600;font-variant-numeric:tabular-nums;line-height:1.3}
dd small{display:block;font-size:.8rem;font-weight:400;color:var(--soft)}
.scroll{overflow-x:auto;margin-top:.6rem}
.scroll:focus-visible{outline:2px solid var(--copy);outline-offset:3px}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.42rem 1.1rem .42rem 0;
border-bottom:1px solid var(--line)}
thead th{color:var(--soft);font-weight:500;font-size:.82rem;vertical-align:bottom;
white-space:nowrap}
tbody th{font-weight:500;min-width:10.5rem}
td{min-width:7.5rem}
td.n{min-width:0}
td.n,th.n{text-align:right;white-space:nowrap}
td.zero{color:var(--soft)}
tr:last-child th,tr:last-child td{border-bottom:0}
ul{margin:.5rem 0;padding-left:1.15rem}
li{margin:.3rem 0;overflow-wrap:anywhere}
.ids{list-style:none;padding:0;columns:18rem;column-gap:1.8rem;font-size:.82rem;color:var(--soft)}
.ids li{break-inside:avoid;margin:.15rem 0}
.ids code{color:var(--ink)}
figure{margin:.9rem 0 0}
figcaption{margin-bottom:.5rem;max-width:46rem}
.lane{margin:.7rem 0 0}
.lane p{margin:0;max-width:none;overflow-wrap:anywhere}
.facts{color:var(--soft)}
svg{display:block;width:100%;overflow:visible}
text{font:12px system-ui,-apple-system,"Segoe UI",Roboto,sans-serif;fill:var(--soft)}
.name{fill:var(--ink)}
.grid{stroke:var(--line);stroke-width:1}
.base{stroke:var(--soft);stroke-width:1}
.dash{stroke-dasharray:2 4}
.f-copy{fill:var(--copy)}.f-target{fill:var(--target)}.f-after{fill:var(--after)}
.f-lost{fill:var(--lost)}.f-salvaged{fill:var(--salvaged)}.f-twin{fill:var(--twin)}
.f-good{fill:var(--good)}.f-bad{fill:var(--bad)}.f-warn{fill:var(--warn)}
.s-copy{stroke:var(--copy);stroke-width:2;fill:none}
.s-bad{stroke:var(--bad);stroke-width:1.5}
.keys{list-style:none;display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;padding:0;margin:.2rem 0 0;
font-size:.82rem;color:var(--soft)}
.keys li{display:flex;align-items:center;gap:.45rem;margin:0}
.keys svg{width:11px;height:11px;flex:none}
footer{margin-top:2rem}
@media (max-width:40rem){body{padding:1.5rem .9rem 3rem}
section{padding:1.05rem 1rem 1.15rem;border-radius:11px}
.spare{display:none}
th,td{padding-right:.75rem}tbody th{min-width:8.5rem}}
@media print{html{font-size:10.5pt;background:#fff}body{max-width:none;padding:0}
section{border-color:#bbb;break-inside:avoid-page;padding:.8rem 1rem}
.scroll{overflow:visible}a{color:inherit}h1,h2,h3{break-after:avoid}
*{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
"""


def _variables(place: int) -> str:
    return "".join(f"--{name}:{both[place]};" for name, both in _COLOURS.items())


def _colours(root: str) -> str:
    dark = f"@media screen and (prefers-color-scheme:dark){{{root}{{{_variables(1)}}}}}"
    return f"{root}{{{_variables(0)}}}{dark}"


PAGE_STYLE: Final = (_colours(":root") + _SHEET).replace("\n", "")
"""The style of a page."""

PICTURE_STYLE: Final = _colours("svg") + "".join(
    line
    for line in _SHEET.splitlines()
    if line.startswith(("text{", ".name", ".grid", ".base", ".dash", ".f-", ".s-"))
)
"""The style of a picture that stands alone."""
