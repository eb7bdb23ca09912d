"""`make lock`: remember which files the first good downloads were, in `config/downloads.lock.tsv`.

Good is a download whose dataset came out and is what the paper describes. From then on a download of another file is
refused. Run it in the folder that Snakemake runs in, and commit the file.
"""

from pathlib import Path

from jindbench import io, registry
from jindbench.data import downloads
from jindbench.data.checks import check_content
from jindbench.errors import InputError

DATA = Path("results/data")


def main() -> None:
    """Add every good download that is not locked yet, and say which are not good."""
    records = []
    for path in sorted((DATA / "downloads").glob("*/record.json")):
        dataset = path.parent.name
        try:
            adata = io.read_h5ad(DATA / f"{dataset}.h5ad", backed=True)
            if dataset in registry.names("datasets"):
                content = registry.component("datasets", dataset).CONTENT
                check_content(adata, content, DATA / f"{dataset}.h5ad", accept=False)
            record = io.read_json(path)
            downloads.check_unchanged(path.with_name("file"), io.sha256(path.with_name("file")), record)
            records.append(record)
        except InputError as error:
            print(f"{dataset}: not locked: {error}")
    added = downloads.lock(records, downloads.LOCK)
    print(f"{downloads.LOCK}: {len(added)} added" + "".join(f"\n  {name}" for name in added))


if __name__ == "__main__":
    main()
