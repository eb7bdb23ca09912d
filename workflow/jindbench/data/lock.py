"""`make lock`: remember which files the first good downloads were, in `config/downloads.lock.tsv`.

A download is good if its dataset was prepared and holds what was published, where the dataset states that. From
then on any other file is refused. Run it in the folder that Snakemake runs in, and commit the file.
"""

from pathlib import Path

from jindbench import io, registry
from jindbench.data import downloads
from jindbench.data.checks import check_content
from jindbench.errors import InputError

DATA = Path("results/data")


def main() -> None:
    """Add every good download that is not locked yet, and say why others are not."""
    records = []
    for path in sorted((DATA / "downloads").glob("*/record.json")):
        dataset = path.parent.name
        prepared, download = DATA / f"{dataset}.h5ad", path.with_name("file")
        try:
            adata = io.read_h5ad(prepared, backed=True)
            if dataset in registry.names("datasets"):
                content = getattr(registry.component("datasets", dataset), "CONTENT", None)
                if content is not None:
                    check_content(adata, content, prepared, accept=False)
            record = io.read_json(path)
            downloads.check_unchanged(download, io.sha256(download), record)
            records.append(record)
        except (InputError, OSError) as error:
            print(f"{dataset}: not locked: {error}")
    added = downloads.lock(records, downloads.LOCK)
    print(f"{downloads.LOCK}: {len(added)} added" + "".join(f"\n  {name}" for name in added))


if __name__ == "__main__":
    main()
