"""A million rows of DESeq2, built twice: seconds, peak memory, and whether the bytes are the same.

python tests/benches/bench_tables.py [rows]
"""

from __future__ import annotations

import hashlib
import random
import resource
import sys
import tempfile
import time
from pathlib import Path

from biorlhf_plugins.datasets import tables
from biorlhf_plugins.datasets.tables.config import load_lab

LAB = """\
name: big
tables:
  - file: deseq2.csv
    tool: deseq2
    tissue: kidney
    condition: cisplatin
    contrast: {numerator: treated, denominator: untreated}
    thresholds: {padj: 0.05}
"""


def write_table(path: Path, rows: int) -> None:
    """A table as R's ``write.csv`` gives it, with the three kinds of NA, from a fixed seed."""
    draw = random.Random(1)
    with path.open("w") as file:
        file.write('"","baseMean","log2FoldChange","lfcSE","stat","pvalue","padj"\n')
        for number in range(rows):
            effect, p = draw.gauss(0, 1.5), draw.random() ** 4
            padj = "NA" if number % 10 == 0 else f"{min(1, 2 * p):.6g}"
            shown = "NA,NA,NA,NA" if number % 50 == 0 else f"{effect:.6f},0.3,{effect / 0.3:.4f},{p:.6g}"
            file.write(f'"ENSG{number:011d}",{draw.random() * 1e4:.3f},{shown},{padj}\n')


def main(rows: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_table(folder / "deseq2.csv", rows)
        (folder / "lab.yaml").write_text(LAB)
        digests = []
        for turn in ("first", "second"):
            start, busy = time.monotonic(), time.process_time()
            record = tables.stream(load_lab(folder / "lab.yaml")).write(folder / turn)
            seconds, busy = time.monotonic() - start, time.process_time() - busy
            files = sorted((folder / turn).iterdir())
            digests.append([hashlib.sha256(file.read_bytes()).hexdigest() for file in files])
            items = sum(record["counts"].values())
            print(f"{turn}: {rows:,} rows, {items:,} items in {seconds:.1f} s ({busy:.1f} s of CPU)")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MiB; the same bytes: {digests[0] == digests[1]}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000)
