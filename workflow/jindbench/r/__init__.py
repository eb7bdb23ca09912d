"""R code and the one module that runs it."""
