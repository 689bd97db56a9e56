#!/usr/bin/env python3
"""Other engines on workloads written by the benchmark `lookup`: FAISS (flat, and exact multi-indexes) and threatexchange's
default index. One line each: microseconds per query (median and 99th percentile of the minimum of several passes), seconds
to build, recall. Each engine runs in a process of its own; one that takes too long is stopped, and the line says so.

    peers.py [--limit SECONDS] [--only WORD] WORKLOAD...
"""
import argparse
import os
import subprocess
import sys
import time

DISTANCE = 31
PASSES = 3
SECONDS = 8  # of queries for each engine, about


def multi_index(bands, bits, flips):
    import faiss

    index = faiss.IndexBinaryMultiHash(256, bands, bits)
    index.nflip = flips
    return index


def flat():
    import faiss

    return faiss.IndexBinaryFlat(256)


class Faiss:
    def __init__(self, make):
        self.make = make

    def build(self, hashes):
        import faiss

        faiss.omp_set_num_threads(1)
        self.index = self.make()
        self.index.add(hashes)

    def find(self, query):
        return self.index.range_search(query, DISTANCE + 1)[2].tolist()


class ThreatExchange:
    def build(self, hashes):
        from threatexchange.signal_type.pdq.pdq_index import PDQIndex

        self.index = PDQIndex()
        self.index.add_all((row.tobytes().hex(), number) for number, row in enumerate(hashes))

    def find(self, query):
        return [match.metadata for match in self.index.query(query[0].tobytes().hex())]


ENGINES = {
    "FAISS flat": Faiss(flat),
    "FAISS MultiHash 16 × 16, flip 1": Faiss(lambda: multi_index(16, 16, 1)),
    "FAISS MultiHash 11 × 23, flip 2": Faiss(lambda: multi_index(11, 23, 2)),
    "threatexchange PDQIndex": ThreatExchange(),
}


def measure(folder, engine):
    """What the process of one engine does. Its first line says that the index is built."""
    import numpy as np

    hashes, queries, expected = (
        np.fromfile(f"{folder}/{file}.bin", kind).reshape(-1, width)
        for file, kind, width in [("list", np.uint8, 32), ("queries", np.uint8, 32), ("expected", np.uint32, 3)]
    )
    start = time.process_time()
    engine.build(hashes)
    print(f"build {time.process_time() - start:.2f} s", flush=True)
    start = time.process_time()
    for number in range(5):
        engine.find(queries[number : number + 1])
    each = (time.process_time() - start) / 5
    count = int(max(20, min(len(queries), SECONDS / PASSES / max(each, 1e-6))))
    least, found = np.full(count, np.inf), set()
    for _ in range(PASSES):
        for number in range(count):
            query = queries[number : number + 1]
            start = time.perf_counter()
            indexes = engine.find(query)
            least[number] = min(least[number], (time.perf_counter() - start) * 1e6)
            found.update((number, index) for index in indexes)
    wanted = {(int(query), int(index)) for query, index, _ in expected if query < count}
    recall = len(wanted & found) / max(1, len(wanted))
    p50, p99 = np.percentile(least, 50), np.percentile(least, 99)
    print(f"p50 {p50:.1f} | p99 {p99:.1f} | {count} queries | recall {recall:.4f} | more {len(found - wanted)}", flush=True)


def run(folder, name, limit):
    """One engine in a process of its own; what it said, and what it did not get to."""
    command = [sys.executable, __file__, "--engine", name, folder]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}
    )
    try:
        said, wrong = process.communicate(timeout=limit)
        words = said.split("\n")[:-1]
        if process.returncode != 0:
            words.append(f"failed: {(wrong.strip().splitlines() or ['status %d' % process.returncode])[-1]}")
    except subprocess.TimeoutExpired:
        process.kill()
        said, _ = process.communicate()
        words = said.split("\n")[:-1] + [f"did not finish in {limit} s"]
    print(" | ".join([os.path.basename(folder.rstrip("/")), name, *words]), flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--limit", type=int, default=600, help="seconds for each engine and workload")
    parser.add_argument("--only", default="", help="engines with this word in their name")
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("workloads", nargs="+")
    arguments = parser.parse_args()
    if arguments.engine:
        return measure(arguments.workloads[0], ENGINES[arguments.engine])
    for workload in arguments.workloads:
        for name in ENGINES:
            if arguments.only in name:
                run(workload, name, arguments.limit)


if __name__ == "__main__":
    main()
