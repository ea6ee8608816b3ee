"""``make bench``: run every script of the CPU set one after the other, then write RESULTS.md."""

from __future__ import annotations

import subprocess
import sys

from benchmarks.report import write_page
from benchmarks.splits import FILES

CPU_SET = [
    "startup", "step", "training", "ranking", "export", "annoy", "etl", "breakdown", "growth", "limits",
]  # fmt: skip
PAGE_ORDER = [*(f"quality-{split}" for split in FILES), "defaults", "parts", *CPU_SET, "gpu"]
# A processor has bfloat16 or not: the table of the other kind is kept from where it was measured.
PAGE_ORDER.insert(PAGE_ORDER.index("step") + 1, "step-float32")


def main() -> int:
    """Run what is named on the command line, or the whole CPU set; exit 1 if a script failed."""
    failed = []
    for name in sys.argv[1:] or CPU_SET:
        print(f"== {name}", flush=True)
        if subprocess.run([sys.executable, "-m", f"benchmarks.{name}"], check=False).returncode:
            failed.append(name)
    write_page(PAGE_ORDER)
    if failed:
        print(f"failed: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
