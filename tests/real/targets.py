"""Real pairs of source and target, and targets of other composition, that the preset `robust` is judged on.

CHOSEN were looked at while its first version was built, KEPT_ASIDE and FRESH when it was done. All of these and LATER were
looked at for the second version. UNSEEN were written down after its last change, and looked at once, and once more for
novelty. All of these and BETWEEN_SPECIES were looked at for the guard by a linear model and for `consensus`; LAST were
written down after these, and looked at once, and once more for the next version of both (docs/robust-alignment.md).
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import anndata as ad
import numpy as np

from jindbench.data.preprocess import normalize_library_size
from jindbench.names import COUNTS, LABEL, X_KIND

DATA = Path(__file__).parents[3] / "shared/data"
PANCREAS, BARON = "pancreas_cross_study", "Baron2016_human1_indrop"
STUDIES = ["Muraro2016_celseq2", "Segerstolpe2016_smartseq2", "Grun2016_celseq", "Lawlor2017_fluidigmc1"]
PBMC, KANG, SPECIES = "pbmc_symphony_3p_5p", "pbmc_kang_8donors_ctrl", "pancreas_human_mouse"
DIRICHLET, N_REWEIGHTED, MIN_CELLS = 0.3, 400, 15


@dataclass(frozen=True)
class Target:
    """A target batch, whole or with a seeded choice of its types ("2", "3" types, or "dirichlet": other shares).

    Its source is a batch, or several that are taken together ("3pv1+3pv2").
    """

    file: str
    source: str
    target: str
    shift: str | None = None
    seed: int = 0

    @property
    def name(self) -> str:
        """Source, target and shift, for tables."""
        sources = "+".join(batch.split("_")[0] for batch in self.source.split("+"))
        name = f"{sources} to {self.target.split('_')[0]}"
        return name if self.shift is None else f"{name}, {self.shift} ({self.seed})"

    def cells(self) -> tuple[ad.AnnData, ad.AnnData]:
        """Source and target; a whole target and its source have the types that both have, others those of the source."""
        batches = read(self.file)
        source = ad.concat([batches[batch] for batch in self.source.split("+")], uns_merge="first")
        target = batches[self.target]
        target = target[target.obs[LABEL].isin(source.obs[LABEL].unique())]
        if self.shift is None:
            return source[source.obs[LABEL].isin(target.obs[LABEL].unique())], target
        return source, target[self.rows(target.obs[LABEL].to_numpy(dtype=str))]

    def rows(self, types: np.ndarray) -> np.ndarray:
        """The target's cells that are taken."""
        rng = np.random.default_rng(self.seed)
        names, counts = np.unique(types, return_counts=True)
        if self.shift != "dirichlet":
            kept = rng.choice(names[counts >= MIN_CELLS], int(self.shift), replace=False)
            return np.flatnonzero(np.isin(types, kept))
        shares = rng.dirichlet(np.full(len(names), DIRICHLET))
        wanted = np.minimum(counts, np.round(shares * N_REWEIGHTED).astype(int))
        chosen = [
            rng.choice(np.flatnonzero(types == name), n, replace=False) for name, n in zip(names, wanted, strict=True)
        ]
        return np.sort(np.concatenate(chosen))


@cache
def read(file: str) -> dict[str, ad.AnnData]:
    """The batches of a file, scaled to one library size as in the benchmark's tasks."""
    cells = ad.read_h5ad(DATA / f"{file}.h5ad")
    cells.obs[LABEL], cells.uns[X_KIND] = cells.obs["cell_type"].astype(str), COUNTS
    normalize_library_size(cells)
    return {batch: cells[cells.obs["batch"] == batch].copy() for batch in cells.obs["batch"].unique()}


def _shifted(first_seed: int, *batches: tuple[str, str, str]) -> list[Target]:
    kinds = ["2", "3", "dirichlet", "dirichlet"]
    every = [(batch, kind) for batch in batches for kind in kinds]
    return [Target(*batch, kind, first_seed + i) for i, (batch, kind) in enumerate(every)]


def _together(*batches: str) -> str:
    return "+".join(batches)


def _kang(*donors: int) -> tuple[str, str, str]:
    return KANG, *(f"donor{donor}" for donor in donors)


CHOSEN = [
    Target(PANCREAS, BARON, "Muraro2016_celseq2"),
    Target(PANCREAS, BARON, "Grun2016_celseq"),
    Target(PBMC, "3pv1", "3pv2"),
    Target(PBMC, "3pv2", "5p"),
    Target(PBMC, "5p", "3pv1"),
    *(Target(*_kang(*donors)) for donors in [(1015, 1256), (1016, 1488), (1244, 101)]),
    *_shifted(101, _kang(1015, 1256), _kang(1015, 1016), (PBMC, "3pv2", "5p"), _kang(1488, 101)),
]
KEPT_ASIDE = [
    Target(PANCREAS, BARON, "Segerstolpe2016_smartseq2"),
    Target(PANCREAS, BARON, "Lawlor2017_fluidigmc1"),
    Target(PBMC, "3pv2", "3pv1"),
    Target(PBMC, "5p", "3pv2"),
    Target(PBMC, "3pv1", "5p"),
    *(Target(*_kang(*donors)) for donors in [(1256, 1016), (1488, 1244), (101, 1015)]),
    *_shifted(201, _kang(1256, 1488), _kang(1256, 1244), (PBMC, "5p", "3pv2"), _kang(1016, 1015)),
]
FRESH = [
    *(Target(*_kang(*donors)) for donors in [(107, 1039), (1039, 107), (1015, 107), (1488, 1039)]),
    *_shifted(301, _kang(1244, 1015), _kang(1244, 1488), (PBMC, "3pv1", "3pv2"), _kang(101, 1256)),
]
LATER = [
    Target(PANCREAS, _together(*STUDIES), BARON),
    *(Target(PANCREAS, _together(BARON, *(other for other in STUDIES if other != study)), study) for study in STUDIES),
    Target(PBMC, _together("3pv1", "3pv2"), "5p"),
    Target(PBMC, _together("3pv1", "5p"), "3pv2"),
    Target(PBMC, _together("3pv2", "5p"), "3pv1"),
    *(Target(*_kang(*donors)) for donors in [(1016, 1256), (101, 1488), (1244, 1256), (1488, 1016), (1039, 1015)]),
    *_shifted(401, _kang(1256, 101), _kang(1039, 1244), (PBMC, "5p", "3pv1"), _kang(1488, 1256)),
]
UNSEEN = [
    *(Target(*_kang(*donors)) for donors in [(1016, 101), (101, 1016), (1256, 1015), (1015, 1488), (1244, 107)]),
    *_shifted(
        501, _kang(1016, 1244), (PBMC, "3pv1", "5p"), (PBMC, "3pv2", "3pv1"), (PANCREAS, _together(*STUDIES), BARON)
    ),
]
BETWEEN_SPECIES = [Target(SPECIES, "human", "mouse"), Target(SPECIES, "mouse", "human")]
LAST = [
    *(Target(*_kang(*donors)) for donors in [(1016, 107), (1244, 1039), (1488, 101), (1039, 1256), (1256, 1244)]),
    *_shifted(601, _kang(1488, 1015), (PBMC, "5p", "3pv2"), _kang(1039, 101), _kang(1256, 1016)),
    *_shifted(621, (SPECIES, "human", "mouse"), (SPECIES, "mouse", "human")),
]
