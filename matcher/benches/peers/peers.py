#!/usr/bin/env python3
"""Other engines on workloads written by the benchmark `lookup`: FAISS (flat, and the fastest exact multi-index) and
threatexchange's default index. One line each: microseconds per query (median and 99th percentile of the minimum of several
passes), seconds to build, recall."""
import os
import sys
import time

os.environ["OMP_NUM_THREADS"] = "1"
import faiss
import numpy as np

DISTANCE = 31
PASSES = 3
SECONDS = 8  # for each engine, about


def multi_index(bands, bits, flips):
    index = faiss.IndexBinaryMultiHash(256, bands, bits)
    index.nflip = flips
    return index


class Faiss:
    def __init__(self, make):
        self.make = make

    def build(self, hashes):
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
    "FAISS flat": Faiss(lambda: faiss.IndexBinaryFlat(256)),
    "FAISS MultiHash 16 × 16, flip 1": Faiss(lambda: multi_index(16, 16, 1)),
    "FAISS MultiHash 11 × 23, flip 2": Faiss(lambda: multi_index(11, 23, 2)),
    "threatexchange PDQIndex": ThreatExchange(),
}


def measure(folder, name, engine):
    hashes, queries, expected = (
        np.fromfile(f"{folder}/{file}.bin", kind).reshape(-1, width)
        for file, kind, width in [("list", np.uint8, 32), ("queries", np.uint8, 32), ("expected", np.uint32, 3)]
    )
    start = time.process_time()
    engine.build(hashes)
    build = time.process_time() - start
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
    print(
        f"{os.path.basename(folder)} | {name} | build {build:.2f} s | p50 {p50:.1f} | p99 {p99:.1f} | {count} queries"
        f" | recall {recall:.4f} | more {len(found - wanted)}",
        flush=True,
    )


faiss.omp_set_num_threads(1)
for workload in sys.argv[1:]:
    for name, engine in ENGINES.items():
        measure(workload, name, engine)
