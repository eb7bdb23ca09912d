"""JIND (Goyal et al. 2020), to be read beside the paper's Methods, in this order.

`parameters`     every hyper-parameter, with its value in the paper and in the authors' two codes
`expression`     data preprocessing: genes matched, transformed, in blocks
`networks`       encoder, classifier, generator (scale S and shift B), discriminator
`classifier`     training stage: the prediction model, Eq. 1 and 2
`thresholds`     filtering: one confidence threshold for each type
`alignment`      inference stage: adversarial alignment of the target, Eq. 3 to 5
`moments`        alignment of the presets `robust` and `consensus`, not the paper's
`linear`         their linear model of the source, which judges that alignment
`self_training`  JIND+
`profiles`       how unlike its type a cell is, for the novelty of `robust`
`model`          the fitted model: prediction, latent codes, save and load
`optimizers`     Adam and RMSprop in fused kernels
`estimator`      the class for Python users
`speed`          seconds, memory and GFLOP of each stage
"""
