#!/usr/bin/env python3
"""The Python packages `pdqhash` (the reference's C++) and Pillow (libjpeg-turbo, libpng) on what the benchmark `hashing`
wrote: whether `pdqhash` gets the same hash from the same pixels, and how long it takes; how long Pillow takes to decode. At last,
what a JPEG decoder would save that decodes nothing but brightness, and how far that moves the hash.

    hashing.py FOLDER
"""
import csv
import sys
import time

import numpy as np
import pdqhash
from PIL import Image

Image.MAX_IMAGE_PIXELS = None


def least(passes, work):
    times = []
    for _ in range(passes):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return min(times) * 1e3


def brightness_alone(folder, names):
    """JPEG files decoded to RGB, and to their brightness alone: time, and distance of the hashes."""

    def decode(name, mode):
        image = Image.open(f"{folder}/{name}")
        image.draft(mode, image.size)
        return np.asarray(image.convert("RGB"))

    print("JPEG | decode ms: RGB, brightness alone | bits apart")
    for name in names:
        bits = [pdqhash.compute(np.ascontiguousarray(decode(name, mode)))[0] for mode in ("RGB", "L")]
        times = [least(5, lambda mode=mode: decode(name, mode)) for mode in ("RGB", "L")]
        print(f"{name} | {times[0]:.2f}, {times[1]:.2f} | {int((bits[0] != bits[1]).sum())}", flush=True)


def main():
    folder = sys.argv[1]
    rows = list(csv.DictReader(open(f"{folder}/hashes.csv", encoding="utf-8")))
    same = 0
    print("file | decode ms: Pillow, ours | hash ms: pdqhash, ours | bits apart")
    for row in rows:
        width, height, channels = int(row["width"]), int(row["height"]), int(row["channels"])
        pixels = np.fromfile(f"{folder}/{row['pixels']}", np.uint8).reshape(height, width, channels)
        pixels = np.ascontiguousarray(np.repeat(pixels, 3, axis=2) if channels == 1 else pixels)
        bits, quality = pdqhash.compute(pixels)
        ours = np.unpackbits(np.frombuffer(bytes.fromhex(row["hash"]), np.uint8))
        apart = int((bits != ours).sum())
        same += apart == 0 and quality == int(row["quality"])
        passes = max(3, min(50, 20_000_000 // (width * height)))
        hashing = least(passes, lambda: pdqhash.compute(pixels))
        decoding = least(passes, lambda: Image.open(f"{folder}/{row['file']}").convert("RGB").load())
        print(
            f"{row['file']} | {decoding:.2f}, {float(row['decode']):.2f} | {hashing:.2f}, {float(row['hashing']):.3f} | {apart}",
            flush=True,
        )
    print(f"{same} of {len(rows)} hashes and qualities are the same, bit for bit")
    brightness_alone(folder, [row["file"] for row in rows if row["file"].endswith(".jpg")])
    sys.exit(same != len(rows))


main()
