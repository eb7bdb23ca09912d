# limma on two groups of cells. The matrix is genes x cells; genes go by position. With `voom` it holds counts, else
# values on a log scale.

# The first `n_first` cells against the others.
compare <- function(matrix, n_first, voom) {
  table <- fit(methods::as(matrix, "matrix"), n_first, voom)
  list(
    gene = table$gene, log_fold_change = table$logFC, mean_expression = table$AveExpr, t = table$t,
    p_value = table$P.Value, adjusted_p = table$adj.P.Val
  )
}

# The number of significant genes in each draw: `drawn` holds the cells of all draws, one draw after the other, each
# draw the first group and then the second.
negative_control <- function(matrix, drawn, n_first, n_second, voom, alpha) {
  matrix <- methods::as(matrix, "matrix")
  draws <- matrix(drawn, nrow = n_first + n_second)
  apply(draws, 2, function(cells) sum(fit(matrix[, cells], n_first, voom)$adj.P.Val < alpha))
}

fit <- function(values, n_first, voom) {
  varies <- which(rowSums(values != values[, 1]) > 0)
  values <- values[varies, , drop = FALSE]
  group <- factor(rep(c("G1", "G2"), c(n_first, ncol(values) - n_first)))
  design <- stats::model.matrix(~ 0 + group)
  if (voom) values <- limma::voom(values, design)
  fitted <- limma::contrasts.fit(limma::lmFit(values, design), c(1, -1))
  table <- limma::topTable(limma::eBayes(fitted), number = Inf, sort.by = "none", adjust.method = "BH")
  cbind(gene = varies, table)
}
