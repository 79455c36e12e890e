"""Figures of a running server, on an otherwise idle machine: measure.py PORT [decode] [sampled] [gap]

  trit synth --preset 2b4t --head q6_k -o model.gguf
  trit serve model.gguf -p 8080 -t 2 --parallel 8 --log none &
  tests/serve/measure.py 8080 decode gap

decode   8 streams against one, greedy: tokens a second, with the prompts' time and without
sampled  the same with temperature, top_p and top_k
gap      time between a stream's tokens while another user's prompt of 2,000 tokens is read
A measurement, no test: nothing here fails because of a time.
"""
import json
import socket
import statistics
import sys
import threading
import time


def stream(port, prompt, count, results, start=None, **more):
    """One request; results gets (arrival times of its events, the server's timings)."""
    body = json.dumps(dict(prompt=prompt, max_tokens=count, stream=True, ignore_eos=True,
                           **more)).encode()
    connection = socket.create_connection(("127.0.0.1", port))
    if start:
        start.wait()
    connection.sendall(b"POST /v1/completions HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                       b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                       % len(body) + body)
    times, pieces = [], []
    while piece := connection.recv(65536):
        times += [time.monotonic()] * piece.count(b"data: {")
        pieces.append(piece)
    answer = b"".join(pieces)
    at = answer.rfind(b'"timings":')
    if at < 0:
        raise RuntimeError(f"no timings in the answer: {answer[:300]!r}")
    results.append((times, json.loads(answer[at + 10:answer.index(b"}", at) + 1])))


def together(port, streams, count, **more):
    """Tokens a second of `streams` requests begun at once: over all, and while decoding alone."""
    results, start = [], threading.Barrier(streams)
    threads = [threading.Thread(target=stream, kwargs=more, args=(
        port, [1000 + 37 * i + j for j in range(8)], count, results, start))
        for i in range(streams)]
    begin = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begin
    step_ms = statistics.mean(t["predicted_per_token_ms"] for _, t in results)
    return streams * count / seconds, 1e3 * streams / step_ms


def decode(port):
    best = {}
    for streams in (1, 8, 1, 8):
        rates = together(port, streams, 96, temperature=0)
        print(f"{streams} streams: {rates[0]:.2f} t/s over all, {rates[1]:.2f} t/s decoding")
        best[streams] = max(best.get(streams, rates), rates, key=lambda r: r[1])
    print(f"8 streams against one: {best[8][0] / best[1][0]:.2f} over all, "
          f"{best[8][1] / best[1][1]:.2f} decoding")


def sampled(port):
    for options in (dict(temperature=1), dict(temperature=.8, top_p=.95),
                    dict(temperature=.8, top_k=40)):
        rates = [together(port, streams, 48, **options)[1] for streams in (1, 8)]
        print(f"{options}: {rates[0]:.2f} t/s, 8 streams {rates[1]:.2f} t/s")


def gap(port):
    mine, theirs = [], []
    user = threading.Thread(target=stream, args=(port, list(range(900, 908)), 1200, mine),
                            kwargs=dict(temperature=0))
    user.start()
    time.sleep(3)
    begin = time.monotonic()
    stream(port, [7919 * i % 100000 for i in range(2000)], 1, theirs)
    end = time.monotonic()
    user.join()
    times = mine[0][0]
    if times[-1] < end:
        print("the stream ended before the prompt was read: figures are of its part")

    def gaps(first, last):
        inside = [t for t in times if first <= t <= last]
        return sorted(1e3 * (b - a) for a, b in zip(inside, inside[1:]))
    before, during = gaps(times[0], begin), gaps(begin, end)
    usual = statistics.median(before)
    for name, found in (("before", before), ("during", during)):
        p95 = found[int(.95 * (len(found) - 1))]
        print(f"{name}: median {statistics.median(found):.1f} ms, p95 {p95:.1f}, worst "
              f"{found[-1]:.1f}; against the median before: p95 {p95 / usual:.2f}, worst "
              f"{found[-1] / usual:.2f}")
    print(f"the prompt took {end - begin:.1f} s")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    for name in sys.argv[2:] or ["decode"]:
        {"decode": decode, "sampled": sampled, "gap": gap}[name](int(sys.argv[1]))
