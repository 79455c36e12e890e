"""The chat page in headless Chromium: page_test.py FAKE_SERVER SCREENSHOT_FOLDER. 77: skipped."""
import pathlib
import subprocess
import sys

import devtools

MARKDOWN = r'''echo:## A plan
Some **bold**, *italic* and `code`, a [link](https://example.org/x) and [none](javascript:alert(1)).

1. first
2. second
   - inner

| a | b |
|---|---|
| 1 | 2 |

```python
print("<b>hi</b>")
```
<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>
> quoted'''

LAST = "document.querySelector('#log .message:last-child .body')"
IDLE = "document.getElementById('stop').hidden"


def expect(what, is_so):
    if not is_so:
        raise AssertionError(what)
    print("ok:", what, flush=True)


def send(page, text):
    page.run("document.getElementById('ask').focus()")
    page.type(text)
    page.press("Enter")


def converse(page, url, folder):
    page.open(url)
    expect("the message box has the focus", page.run("document.activeElement.id") == "ask")
    page.until("document.getElementById('facts').textContent.includes('everything: a hash')")
    expect("kernels are shown", True)

    send(page, "tell me a story")
    page.until(f"{LAST}.textContent.length > 3")
    expect("text appears while it streams", not page.run(IDLE))
    length = page.run(f"{LAST}.textContent.length")
    page.until(f"{LAST}.textContent.length > {length}")
    page.run("document.getElementById('stop').click()")
    page.until(IDLE)
    stopped = page.run(f"{LAST}.textContent")
    expect("stop stops", 3 < len(stopped) < 390)
    page.until("document.querySelector('.facts').textContent.includes('stopped')")

    page.run("[...document.querySelectorAll('.tools button')]"
             ".find(b => b.textContent === 'Regenerate').click()")
    expect("regenerate asks again", not page.run(IDLE))
    page.press("Escape")
    page.until(IDLE)
    expect("escape stops too", page.run("document.querySelectorAll('.message').length") == 2)

    page.run("[...document.querySelectorAll('.tools button')]"
             ".find(b => b.textContent === 'Edit').click()")
    page.run("document.activeElement.value = ''")
    page.type("echo:edited")
    page.press("Enter")
    page.until(f"{IDLE} && {LAST}.textContent === 'edited'")
    expect("an edited message is answered anew",
           page.run("document.querySelectorAll('.message').length") == 2)
    expect("tokens per second are shown",
           "tokens/s" in page.run("document.querySelector('.facts').textContent"))

    send(page, MARKDOWN)
    page.until(f"{IDLE} && document.querySelectorAll('.message').length === 4")
    for selector, count in (("h3", 1), ("strong", 1), ("em", 1), ("ol > li", 2), ("ul > li", 1),
                            ("td", 2), ("pre code", 1), ("blockquote", 1), ("a", 1), ("img", 0),
                            ("script", 0)):
        found = page.run(f"{LAST}.querySelectorAll('{selector}').length")
        expect(f"markdown: {count} of {selector}", found == count)
    expect("code stays text", page.run(f"{LAST}.querySelector('pre code').textContent")
           == 'print("<b>hi</b>")')
    expect("markup of the model stays text", page.run("window.hacked") is None)
    expect("and is seen", "<img src=x" in page.run(f"{LAST}.textContent"))

    page.call("Emulation.setDeviceMetricsOverride", width=1200, height=800, deviceScaleFactor=1,
              mobile=False)
    page.call("Emulation.setEmulatedMedia", features=[
        {"name": "prefers-color-scheme", "value": "light"}])
    page.screenshot(folder / "page_light.png")
    light = page.run("getComputedStyle(document.body).backgroundColor")
    page.call("Emulation.setEmulatedMedia", features=[
        {"name": "prefers-color-scheme", "value": "dark"}])
    expect("dark differs from light",
           page.run("getComputedStyle(document.body).backgroundColor") != light)
    page.call("Emulation.setDeviceMetricsOverride", width=390, height=800, deviceScaleFactor=2,
              mobile=True)
    expect("a phone needs no sideways scrolling",
           page.run("document.documentElement.scrollWidth <= innerWidth"))
    page.screenshot(folder / "page_phone_dark.png")
    page.run("document.getElementById('menu').click()")
    expect("the chats open on a phone", page.run(
        "getComputedStyle(document.getElementById('side')).visibility") == "visible")
    page.press("Escape")

    page.run("document.getElementById('settings').click()")
    page.run("document.querySelector('[name=system]').value = 'Be kind.';"
             "document.querySelector('[name=max_tokens]').value = '7';"
             "document.querySelector('[value=save]').click()")
    page.until("options.system === 'Be kind.'")  # a dialog's close event comes a task later
    send(page, "again")
    page.until(f"{IDLE} && document.querySelectorAll('.message').length === 6")
    expect("settings are used", "cut at its limit" in page.run(
        "document.querySelector('.message:last-child .facts').textContent"))

    page.open(url)
    page.until("document.querySelectorAll('#chats li').length === 2")
    page.run("document.querySelectorAll('#chats .open')[1].click()")
    expect("chats are remembered", page.run("document.querySelectorAll('.message').length") == 6)
    expect("settings too", page.run("options.system") == "Be kind.")
    page.run("document.querySelector('#chats li.now .drop').click()")
    expect("and can be deleted", page.run("document.querySelectorAll('#chats li').length") == 1
           and page.run("JSON.parse(localStorage.getItem('trit-chats')).length") == 0)
    expect(f"the page had no faults of its own: {page.faults}", not page.faults)


def main():
    server_path, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    browser = devtools.find_browser()
    if not browser:
        print("SKIPPED: no chromium on this machine (Debian package chromium)")
        return 77
    folder.mkdir(parents=True, exist_ok=True)
    server = subprocess.Popen([server_path, "8"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True)
    page = None
    try:
        port = int(server.stdout.readline())
        page = devtools.Browser(browser)
        converse(page, f"http://127.0.0.1:{port}/", folder)
    finally:
        if page:
            page.close()
        server.stdin.close()
        server.wait(timeout=60)
    return server.returncode


sys.exit(main())
