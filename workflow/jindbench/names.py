"""Names that several files must agree on, written once."""

# AnnData: `obs` columns and `uns` keys of every file the workflow writes.
LABEL = "label"
BATCH = "batch"
X_KIND = "x_kind"
SOURCE = "source"
# A `var` column of cells whose genes were brought into another file's order: False for those that it lacked, now zeros.
MEASURED = "measured in the cells' file"

# Columns of a predictions table.
CELL_ID = "cell_id"
RAW_LABEL = "raw_label"
CONFIDENCE = "confidence"
THRESHOLD = "threshold"
NOVELTY = "novelty"

# The label of a rejected cell.
UNASSIGNED = "unassigned"

# What X holds. It is stated by the dataset and carried in `uns`, never guessed from the values.
COUNTS = "counts"
NORMALIZED = "normalized"
LOG = "log"
# Values of these two may be negative, and no method takes their logarithm.
SCALED = "scaled"  # each gene centred and scaled
INTEGRATED = "integrated"  # batches corrected towards each other
X_KINDS = (COUNTS, NORMALIZED, LOG, SCALED, INTEGRATED)

# Where an alignment is not kept: the end of its warning, by which the summary finds it.
STAYS_UNALIGNED = "the target stays unaligned"
