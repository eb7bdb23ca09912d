"""`make lock`: remember which files the first good downloads were, in `config/downloads.lock.tsv`.

Good is a download whose dataset came out: its content is then what the paper describes. From then on a download of
another file is refused. Run it in the folder that Snakemake runs in, and commit the file.
"""

from pathlib import Path

from jindbench import downloads, io

DATA = Path("results/data")


def main() -> None:
    """Add every download that became a dataset and is not locked yet."""
    records = [
        io.read_json(path)
        for path in sorted((DATA / "downloads").glob("*/record.json"))
        if (DATA / f"{path.parent.name}.h5ad").is_file()
    ]
    added = downloads.lock(records, downloads.LOCK)
    print(f"{downloads.LOCK}: {len(added)} added" + "".join(f"\n  {name}" for name in added))


if __name__ == "__main__":
    main()
