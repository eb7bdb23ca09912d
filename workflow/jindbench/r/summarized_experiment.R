# A SummarizedExperiment's assay as the parts of a sparse matrix (genes x cells, column by column), with its names and
# one column of its colData. Objects of older versions of the package are brought up to date first.
function(path, assay, column) {
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
  if (!methods::is(matrix, "dgCMatrix")) matrix <- methods::as(matrix, "CsparseMatrix")
  list(
    data = as.double(matrix@x), indices = matrix@i, indptr = matrix@p,
    genes = enc2utf8(rownames(object)), cells = enc2utf8(colnames(object)),
    column = enc2utf8(as.character(SummarizedExperiment::colData(object)[[column]]))
  )
}
