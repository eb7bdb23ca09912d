"""Names of what annotation tells of a cell and adds to a file, apart from all that is slow to import."""

from jindbench.names import CONFIDENCE, LABEL, NOVELTY, RAW_LABEL, THRESHOLD

STATUS = "status"
SECOND_LABEL, SECOND_PROBABILITY = "second_label", "second_probability"  # the second most probable type
BROAD_LABEL, DEPTH = "broad_label", "depth"  # the label of a group of types, where a cell has none of its own
CLUSTER_LABEL, CLUSTER_SHARE = "cluster_label", "cluster_share"  # the vote of a cell's cluster
OTHER_LABEL = "other_label"  # by the bake-off's next best method
TERM = "cell_type_ontology_term_id"  # with a table of them; the name is that of the CELLxGENE schema
PROBABILITY = "probability of "  # and a type

# Columns of every table, and by all of its columns those of `obs`.
CELLS = (LABEL, BROAD_LABEL, DEPTH, RAW_LABEL, CONFIDENCE, THRESHOLD, SECOND_LABEL, SECOND_PROBABILITY, NOVELTY, STATUS)
OBS = {name: f"jind_{name}" for name in (*CELLS, CLUSTER_LABEL, CLUSTER_SHARE, OTHER_LABEL)} | {TERM: TERM}
CODES, TSNE, PROBABILITIES = "X_jind", "X_jind_tsne", "X_jind_probabilities"  # of `obsm`
RECORD = "jindbench"  # of `uns`
