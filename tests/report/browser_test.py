"""Reports in headless Chromium: browser_test.py TRITFORGE SAMPLE_RECORDS FOLDER. 77: skipped.

The page's numbers are read from the page as shown and compared with medians that are computed here
from the record files, and with `tritforge compare` of the same files.
"""
import csv
import io
import json
import pathlib
import shutil
import statistics
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "serve"))
import devtools  # noqa: E402


def expect(what, is_so):
    if not is_so:
        raise AssertionError(what)
    print("ok:", what, flush=True)


def run(*command, codes=(0,)):
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True)
    if done.returncode not in codes:
        raise AssertionError(f"{command}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout


def records(folder):
    """workload -> samples and record, as tritforge names workloads."""
    out = {}
    for path in sorted(folder.glob("*.jsonl")):
        for line in path.read_text().splitlines():
            r = json.loads(line)
            w, how = r["workload"], r["run"]
            name = (f"{w['suite']} {w['name']} m={w['m']} n={w['n']} k={w['k']} "
                    f"threads={how['threads']} {how['mode']}")
            out[name] = r
    return out


def shown_us(ns):
    return f"{ns / 1e3:.2f}" if ns < 1e5 else f"{ns / 1e3:.1f}" if ns < 1e8 else f"{ns / 1e3:.0f}"


ROWS = """[...document.querySelectorAll('#workloads tr[data-workload]')].map(r => ({
  workload: r.dataset.workload, change: r.dataset.change, cells: [...r.cells].map(c => c.innerText),
  base: r.querySelector('[data-base-ns]')?.dataset.baseNs,
  head: r.querySelector('[data-head-ns]').dataset.headNs,
  ratio: r.querySelector('[data-ratio]')?.dataset.ratio,
  shares: [...r.querySelectorAll('[data-share]')].map(c => c.dataset.share),
  record: r.querySelector('[data-head-ns] a').getAttribute('href')}))"""


def check_numbers(page, tritforge, folder):
    base, head = records(folder / "base"), records(folder / "head")
    rows = page.run(ROWS)
    expect("one row for each workload", sorted(r["workload"] for r in rows) == sorted(head))
    said = {r["workload"]: r for r in csv.DictReader(io.StringIO(run(
        tritforge, "compare", folder / "base", folder / "head", "--format", "csv", codes=(1,))))}
    counts = page.run("Object.fromEntries([...document.querySelectorAll('[data-count]')]"
                      ".map(b => [b.dataset.count, +b.innerText]))")
    for change in ("faster", "slower", "same", "unsure"):
        count = sum(r["change"] == change for r in said.values())
        expect(f"{count} {change}", counts[change] == count)
    expect("one slower and one faster were planted",
           (counts["slower"], counts["faster"]) == (1, 1))
    expect("the slower one is named first", "n=192" in rows[0]["workload"]
           and "n=192" in page.run("document.querySelector('#worst li').innerText"))
    for row in rows:
        name = row["workload"]
        before = statistics.median(base[name]["run"]["samples_ns"])
        after = statistics.median(head[name]["run"]["samples_ns"])
        how = head[name]["run"]
        shares = [how["bytes"] / after * 1e9 / how["roof_bytes_per_s"],
                  how["ops"] / after * 1e9 / how["roof_ops_per_s"]]
        good = (abs(float(row["base"]) - before) < 0.06 and abs(float(row["head"]) - after) < 0.06
                and row["cells"][2] == shown_us(before) and row["cells"][3] == shown_us(after)
                and abs(float(row["ratio"]) - after / before) < 2e-6
                and row["cells"][4].startswith(f"{after / before:.4f} [")
                and row["change"] == said[name]["change"] == row["cells"][0]
                and all(abs(float(a) - b) < 1e-4 for a, b in zip(row["shares"], shares))
                and [c for c in row["cells"][6:8]] == [f"{100 * s:.0f} %" for s in shares])
        expect(f"numbers of {name} are the records'", good)
        shown = page.run(f"document.querySelector('{row['record']} .samples').textContent")
        expect("and its link leads to them",
               [float(x) for x in shown.split()] == head[name]["run"]["samples_ns"])


def check_charts(page):
    expect("a bar for each workload", page.run(
        "document.querySelectorAll('.ratios svg.bar').length") == 6)
    expect("bars lie inside their place", page.run(
        "[...document.querySelectorAll('.ratios svg .interval')].every(l => {"
        "const a = l.getBoundingClientRect(), b = l.ownerSVGElement.getBoundingClientRect();"
        "return a.left >= b.left && a.right <= b.right && a.width > 0})"))
    expect("roofs and points of two thread counts", page.run(
        "[document.querySelectorAll('.wide path.dashed').length,"
        "document.querySelectorAll('.wide a circle').length].join()") == "2,6")
    expect("six histories", page.run("document.querySelectorAll('.history svg').length") == 6)
    expect("with twelve points each", page.run(
        "[...document.querySelectorAll('.history')]"
        ".every(h => h.querySelectorAll('circle').length === 12)"))
    steps = page.run("[...document.querySelectorAll('.history')].filter(h => "
                     "h.querySelector('.change')).map(h => h.innerText + h.querySelector("
                     "'g.slower text').textContent)")
    expect(f"the step is marked, alone: {steps}",
           len(steps) == 1 and "n=128" in steps[0] and "+8" in steps[0])
    expect("no link leads nowhere", page.run(
        "[...document.querySelectorAll('a[href]')].every(a => a.getAttribute('href')[0] === '#' && "
        "document.querySelector(a.getAttribute('href')))"))
    expect("texts stay texts", page.run("document.querySelector('mt')") is None and page.run(
        "document.body.innerText.includes('<mt>=1 & \"more\"')"))


def look(page, folder, name):
    def size(width, height, mobile):
        page.call("Emulation.setDeviceMetricsOverride", width=width, height=height,
                  deviceScaleFactor=1, mobile=mobile)

    def media(kind, scheme):
        page.call("Emulation.setEmulatedMedia", media=kind,
                  features=[{"name": "prefers-color-scheme", "value": scheme}])
    background = "getComputedStyle(document.body).backgroundColor"
    size(1000, 1400, False)
    media("screen", "light")
    page.screenshot(folder / f"{name}_light.png")
    light = page.run(background)
    media("screen", "dark")
    expect("dark differs from light", page.run(background) != light)
    media("print", "dark")
    expect("print is black on white", page.run(background) == "rgb(255, 255, 255)")
    pdf = page.call("Page.printToPDF")["data"]
    expect("and prints", len(pdf) > 10000)
    media("screen", "dark")
    size(390, 1400, True)
    expect("a phone needs no sideways scrolling",
           page.run("document.documentElement.scrollWidth <= innerWidth"))
    page.screenshot(folder / f"{name}_phone_dark.png")
    size(1000, 1400, False)


def main():
    tritforge, sample_records, folder = (pathlib.Path(a) for a in sys.argv[1:4])
    browser = devtools.find_browser()
    if not browser:
        print("SKIPPED: no chromium on this machine (Debian package chromium)")
        return 77
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    run(sample_records, folder)
    html = folder / "report.html"
    run(tritforge, "report", folder / "old", folder / "base", folder / "head", "-o", html)
    results = pathlib.Path(__file__).parent.parent.parent / "results"
    page = devtools.Browser(browser)
    try:
        page.call("Network.enable")
        page.open(html.as_uri())
        check_numbers(page, tritforge, folder)
        check_charts(page)
        look(page, folder, "report")
        # The pages of real runs that the project shows.
        for shown in sorted(results.glob("*.html")):
            page.open(shown.as_uri())
            expect(f"{shown.name} draws", page.run("document.querySelectorAll('svg').length") > 0)
            look(page, folder, shown.stem)
        expect("nothing was fetched", page.run(
            "performance.getEntriesByType('resource').length") == 0)
        expect(f"the pages had no faults of their own: {page.faults}", not page.faults)
    finally:
        page.close()
    return 0


sys.exit(main())
