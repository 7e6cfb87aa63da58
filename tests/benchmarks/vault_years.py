"""Many years of daily backups: ``python -m tests.benchmarks.vault_years [years]``, 10,000 if none.

What happens in a year, and what is asked on each of its days: ``tests/support/vault_years.py``.
"""

import sys
import time
from concurrent.futures import ProcessPoolExecutor

from tests.support.vault_years import DAYS, live


def count_kept(seed: int) -> int:
    """Live through a year and return how many backups are left."""
    return len(live(seed).backups)


def main(words: list[str]) -> None:
    """Live through the years and print what was found."""
    years = int(words[0]) if words else 10_000
    start = time.perf_counter()
    with ProcessPoolExecutor() as pool:
        left = list(pool.map(count_kept, range(years), chunksize=50))
    print(
        f"{years:,} years of {DAYS} days in {time.perf_counter() - start:,.0f} s: a full good copy "
        f"on every day of every one; {min(left)} to {max(left)} backups were left at the end"
    )


if __name__ == "__main__":
    main(sys.argv[1:])
