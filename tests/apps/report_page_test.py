#!/usr/bin/env python3
"""Reports in a browser: report_page_test.py PROGRAM FOLDER measures a little, makes the page of two runs, one as of two devices
and several models, and one as of suites by two drivers, and looks at them in Chromium, narrow and wide, light and dark. Nothing may be cut off or overlap. The
pictures stay in FOLDER. Exits 77 where there is no Chromium."""
import copy
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
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def measured(program, length):
    command = [program, "bench", "--json", "--prefill", length, "--decode", length, "--repeat", "3", "--kernels"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def as_if(bench, device, model, weights, factor, slower, driver="exampledrv"):
    """The run of a model that is so many times as large, on a slower device of that name: layouts need figures, not true ones."""
    out = copy.deepcopy(bench)
    out["device"].update(name=device, driver=driver)
    out.update(tuning={"used": slower > 1}, denied=["head.f16_subgroup", "project_block.q4_k_subgroup_few"])
    out["model"].update(name=model, weights=weights, parameters=int(bench["model"]["parameters"] * factor),
                        bytes_read_per_token=int(bench["model"]["bytes_read_per_token"] * factor), width=64 * int(factor))
    for result in out["results"]:
        speed, samples = result["tokens_per_second"], result["samples"]
        samples["tokens_per_second"] = [each / factor / slower for each in samples["tokens_per_second"]]
        speed.update((name, speed[name] / factor / slower) for name in speed)
    for kernel in out["kernels"]:
        kernel["microseconds"] *= factor * slower
        kernel["bytes"] = int(kernel["bytes"] * factor)
    return out


def as_suite(runs):
    return {"schema": "firefinch-suite/1", "score": 123.4, "scored_tests": 6, "tests": 8, "runs": runs,
            "cut": ["7-2.9b q4_k: would take too long on this device", "7-1.5b q4_k: a prompt of 64 tokens, 16 decoded, 4 repeats, no batch"]}


def browse(chromium, folder, text, width, dark, *what):
    framed = folder / "framed.html"
    framed.write_text(FRAME.replace("WIDTH", str(width)).replace("PAGE", html.escape(text)), encoding="utf-8")
    with tempfile.TemporaryDirectory() as profile:
        return subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-quic",
             f"--user-data-dir={profile}", f"--window-size={max(width, 500)},6000",
             f"--blink-settings=preferredColorScheme={0 if dark else 1}", *what, framed.as_uri()],
            check=True, capture_output=True, text=True, timeout=120).stdout


def look_at(chromium, folder, name, text):
    """What is wrong with a page."""
    # Scripts are forbidden to the page.
    asking = re.sub('<meta http-equiv="Content-Security-Policy"[^>]*>', "", text).replace("</body>", SCRIPT + "</body>")
    backgrounds, wrong = set(), []
    for width in WIDTHS:
        for dark in (False, True):
            label = f"{name} {width} {'dark' if dark else 'light'}"
            picture = folder / f"{label.replace(' ', '-')}.png"
            browse(chromium, folder, text, width, dark, f"--screenshot={picture}")
            found = re.search(r"RESULT(\{.*\})END", browse(chromium, folder, asking, width, dark, "--dump-dom"), re.S)
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
        wrong.append(f"{name}: light and dark look alike: {backgrounds}")
    return wrong


def main():
    program, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    chromium = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not chromium:
        print("SKIPPED: no Chromium here (Debian: chromium-headless-shell)")
        return 77
    folder.mkdir(parents=True, exist_ok=True)
    runs = [measured(program, length) for length in ("16", "24")]
    models = (("7-0.1b", "f16", 20), ("7-0.4b", "f16", 50), ("7-1.5b", "q4_k", 60), ("7-2.9b", "q4_k", 120))
    several = [as_if(runs[0], device, *model, slower)
               for device, slower in (("NVIDIA GeForce RTX 4070 Laptop GPU", 1), ("AMD Radeon RX 7900 XTX (RADV NAVI31)", 1.3))
               for model in models]
    suites = [as_suite([as_if(runs[0], "AMD Radeon RX 7900 XTX", *model, slower, driver) for model in models])
              for driver, slower in (("AMD open-source driver", 1), ("radv", 1.3))]
    wrong = []
    for name, benches in (("two-runs", runs), ("two-devices", several), ("two-drivers", suites)):
        files = [folder / f"{name}-{i}.json" for i in range(len(benches))]
        for file, bench in zip(files, benches):
            file.write_text(json.dumps(bench), encoding="utf-8")
        page = folder / f"{name}.html"
        subprocess.run([program, "report", *map(str, files), "-o", str(page)], check=True)
        wrong += look_at(chromium, folder, name, page.read_text(encoding="utf-8"))
    print("\n".join(wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
