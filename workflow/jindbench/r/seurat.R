# Seurat's label transfer and integration. Genes, cells and types are known by position: "g1", "s1" (source), "t1"
# (target), "type1". What Seurat draws at random it draws with fixed seeds of its own. Written for Seurat 4.3; v3 assays,
# whose slots are read directly, are what Seurat 5 has renamed.

transfer_labels <- function(source, target, types, n_types, x_kind, n_genes, n_components, k_filter, k_weight,
                            nn_method, threads) {
  set_up(threads)
  reference <- with_variable_genes(as_seurat(source, "s", x_kind), n_genes)
  query <- as_seurat(target, "t", x_kind)
  reference <- Seurat::ScaleData(reference, features = Seurat::VariableFeatures(reference), verbose = FALSE)
  fewest <- min(ncol(reference), ncol(query))
  possible <- min(length(Seurat::VariableFeatures(reference)), ncol(reference)) - 1
  # irlba, Seurat's default, is only for the first few of many components.
  approx <- n_components < possible / 2
  n_components <- at_most("components", n_components, possible)
  reference <- Seurat::RunPCA(reference, npcs = n_components, approx = approx, verbose = FALSE)
  anchors <- Seurat::FindTransferAnchors(
    reference, query,
    reduction = "pcaproject", reference.reduction = "pca", dims = seq_len(n_components),
    k.anchor = at_most("k.anchor", 5, fewest - 1), k.score = at_most("k.score", 30, fewest - 1),
    k.filter = if (is.null(k_filter)) NA else at_most("k.filter", k_filter, fewest),
    nn.method = nn_method, verbose = FALSE
  )
  scores <- Seurat::TransferData(
    anchors, paste0("type", types), dims = seq_len(n_components),
    k.weight = at_most("k.weight", k_weight, length(unique(anchors@anchors[, "cell2"]))), verbose = FALSE
  )
  columns <- paste0("prediction.score.type", seq_len(n_types))
  scores[setdiff(columns, colnames(scores))] <- 0  # with one type Seurat gives it no column of its own
  as.matrix(scores[colnames(query), columns])
}

integrate <- function(source, target, x_kind, n_genes, n_components, k_filter, k_weight, threads) {
  set_up(threads)
  batches <- list(as_seurat(source, "s", x_kind), as_seurat(target, "t", x_kind))
  batches <- lapply(batches, with_variable_genes, n_genes)
  fewest <- min(ncol(batches[[1]]), ncol(batches[[2]]))
  n_components <- at_most("components", n_components, min(fewest, nrow(batches[[1]])) - 1)
  anchors <- Seurat::FindIntegrationAnchors(
    batches,
    anchor.features = n_genes, dims = seq_len(n_components),
    k.anchor = at_most("k.anchor", 5, fewest - 1), k.score = at_most("k.score", 30, fewest - 1),
    k.filter = at_most("k.filter", k_filter, fewest), verbose = FALSE
  )
  anchored <- tapply(anchors@anchors$cell1, anchors@anchors$dataset1, function(cells) length(unique(cells)))
  k_weight <- at_most("k.weight", k_weight, min(anchored))
  joint <- Seurat::IntegrateData(anchors, dims = seq_len(n_components), k.weight = k_weight, verbose = FALSE)
  values <- joint@assays$integrated@data
  list(
    genes = as.integer(sub("g", "", rownames(values))),
    source = values[, colnames(batches[[1]])], target = values[, colnames(batches[[2]])]
  )
}

set_up <- function(threads) {
  options(Seurat.object.assay.version = "v3", future.globals.maxSize = Inf)
  if (threads > 1) future::plan("multicore", workers = threads) else future::plan("sequential")
}

as_seurat <- function(matrix, prefix, x_kind) {
  dimnames(matrix) <- list(paste0("g", seq_len(nrow(matrix))), paste0(prefix, seq_len(ncol(matrix))))
  assay <- Seurat::CreateAssayObject(counts = matrix)
  Seurat::Key(assay) <- "rna_"
  object <- Seurat::CreateSeuratObject(assay)
  if (x_kind == "counts") object <- Seurat::NormalizeData(object, verbose = FALSE)
  if (x_kind == "normalized") object@assays$RNA@data <- log1p(matrix)
  object
}

# The vst of the counts slot, as the authors used it whatever X was; it needs means above zero.
with_variable_genes <- function(object, n) {
  values <- object@assays$RNA@counts
  if (min(values@x, 0) < 0) {
    message("values are negative, so genes are chosen by their variance, not by vst")
    variances <- Matrix::rowMeans(values^2) - Matrix::rowMeans(values)^2
    Seurat::VariableFeatures(object) <- rownames(object)[head(order(-variances), n)]
    return(object)
  }
  Seurat::FindVariableFeatures(object, selection.method = "vst", nfeatures = n, verbose = FALSE)
}

at_most <- function(name, wanted, possible) {
  possible <- max(1, floor(possible))
  if (wanted > possible) message(name, ": ", possible, " instead of ", wanted, ", with so few cells, genes or anchors")
  min(wanted, possible)
}
