#!/usr/bin/env python3
"""The report in a browser: report_page_test.py PROGRAM FOLDER measures a little, makes the page, and looks at it in Chromium, narrow and
wide, light and dark. Nothing may be cut off or overlap. The pictures stay in FOLDER. Exits 77 where there is no Chromium."""
import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

# What a page looks like is asked of the page itself: it gets this script, and its text is read after it ran.
SCRIPT = """<script>
const boxes = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walker.nextNode());) {
  if (!node.data.trim() || ['SCRIPT', 'STYLE', 'TITLE'].includes(node.parentElement.tagName)) continue;
  if (node.parentElement.namespaceURI.endsWith('svg') && node.parentElement.tagName === 'title') continue;
  const range = document.createRange();
  range.selectNodeContents(node);
  for (const r of range.getClientRects())
    if (r.width > 0 && r.height > 0) boxes.push({text: node.data.trim(), node, l: r.left, t: r.top, r: r.right, b: r.bottom});
}
const clash = [];
for (let i = 0; i < boxes.length; ++i)
  for (let j = i + 1; j < boxes.length; ++j) {
    const a = boxes[i], b = boxes[j];
    if (a.node !== b.node && Math.min(a.r, b.r) - Math.max(a.l, b.l) > 1.5 && Math.min(a.b, b.b) - Math.max(a.t, b.t) > 4)
      clash.push(a.text + ' | ' + b.text);
  }
const width = document.documentElement.clientWidth;
const result = {texts: boxes.length, width, scroll: document.documentElement.scrollWidth,
                beyond: boxes.filter(b => b.l < -1 || b.r > width + 1).map(b => b.text), clash,
                background: getComputedStyle(document.body).backgroundColor};
parent.document.body.append('RESULT' + JSON.stringify(result) + 'END');
</script>"""
# A window of Chromium's cannot be narrower than 500.
FRAME = """<!DOCTYPE html><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>report</title>
<body style="margin: 0"><iframe style="border: 0; width: WIDTHpx; height: 6000px" srcdoc="PAGE"></iframe></body>"""
WIDTHS = (400, 1600)


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        print("SKIPPED: no Chromium here (Debian: chromium)")
        return 77
    folder.mkdir(parents=True, exist_ok=True)
    benches = []
    for name, length in (("first", "16"), ("second", "24")):
        benches.append(folder / f"{name}.json")
        with open(benches[-1], "w", encoding="utf-8") as out:
            subprocess.run([program, "bench", "--json", "--prefill", length, "--decode", length, "--repeat", "3", "--kernels"],
                           check=True, stdout=out)
    page = folder / "report.html"
    subprocess.run([program, "report", *map(str, benches), "-o", str(page)], check=True)
    text = page.read_text(encoding="utf-8")

    def browse(text, width, dark, *what):
        framed = folder / "framed.html"
        framed.write_text(FRAME.replace("WIDTH", str(width)).replace("PAGE", html.escape(text)), encoding="utf-8")
        with tempfile.TemporaryDirectory() as profile:
            return subprocess.run(
                [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
                 "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
                 f"--user-data-dir={profile}", f"--window-size={max(width, 500)},6000",
                 f"--blink-settings=preferredColorScheme={0 if dark else 1}", *what, framed.as_uri()],
                check=True, capture_output=True, text=True, timeout=120).stdout

    # Scripts are forbidden to the page.
    asking = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("</body>", SCRIPT + "</body>")
    backgrounds, wrong = set(), []
    for width in WIDTHS:
        for dark in (False, True):
            label = f"{width} {'dark' if dark else 'light'}"
            picture = folder / f"report-{label.replace(' ', '-')}.png"
            browse(text, width, dark, f"--screenshot={picture}")
            found = re.search(r"RESULT(\{.*\})END", browse(asking, width, dark, "--dump-dom"), re.S)
            if not found:
                wrong.append(f"{label}: the page's own script did not run")
                continue
            seen = json.loads(html.unescape(found[1]))
            backgrounds.add((dark, seen["background"]))
            print(label, {**seen, "clash": len(seen["clash"]), "beyond": len(seen["beyond"])}, picture.stat().st_size, "bytes")
            if seen["width"] != width or seen["texts"] < 100:
                wrong.append(f"{label}: {seen['texts']} texts on a page {seen['width']} wide")
            if seen["scroll"] > seen["width"]:
                wrong.append(f"{label}: the page is {seen['scroll']} wide")
            wrong += [f"{label}: cut off: {text}" for text in seen["beyond"]]
            wrong += [f"{label}: overlap: {texts}" for texts in seen["clash"]]
    if len({background for _, background in backgrounds}) != 2:
        wrong.append(f"light and dark look alike: {backgrounds}")
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
