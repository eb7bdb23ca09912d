# A SummarizedExperiment's assay (genes x cells, sparse), with its names and one column of its colData. Objects of older
# versions of the package are brought up to date first.
read_summarized_experiment <- function(path, assay, column) {
  object <- readRDS(path)
  if (!methods::is(object, "SummarizedExperiment"))
    stop("the file holds a ", class(object)[1], ", expected a SummarizedExperiment")
  object <- BiocGenerics::updateObject(object)
  assays <- SummarizedExperiment::assayNames(object)
  if (!assay %in% assays)
    stop("there is no assay '", assay, "' (there are: ", paste(assays, collapse = ", "), ")")
  columns <- colnames(SummarizedExperiment::colData(object))
  if (!column %in% columns)
    stop("there is no column '", column, "' in colData (there are: ", paste(columns, collapse = ", "), ")")
  matrix <- SummarizedExperiment::assay(object, assay, withDimnames = FALSE)
  list(
    matrix = methods::as(methods::as(methods::as(matrix, "CsparseMatrix"), "generalMatrix"), "dMatrix"),
    genes = enc2utf8(rownames(object)), cells = enc2utf8(colnames(object)),
    column = enc2utf8(as.character(SummarizedExperiment::colData(object)[[column]]))
  )
}
