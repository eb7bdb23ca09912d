"""The four networks (paper, Methods and Figures 6 and S5). Shapes: M genes, K types, 256-dimensional latent code."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.functional import linear

LATENT = 256


class Encoder(nn.Module):
    """F: expression x (n x M) to latent code h (n x 256), taken before the ReLU.

    The paper's dropout sits on the hidden layer. Applied before or after a ReLU it is the same thing, so it is
    applied here, where training the classifier and training it again (JIND+) both pass.
    """

    def __init__(self, n_genes: int, dropout: float, noise: float = 0.0):
        super().__init__()
        self.hidden = nn.Linear(n_genes, LATENT)
        self.dropout = nn.Dropout(dropout)
        self.noise = noise

    def forward(self, x: Tensor, input_shift: Tensor | None = None) -> Tensor:
        """F(x), or F(x + input_shift) with a shift of each gene (M)."""
        h = shifted_linear(self.hidden, x, input_shift)
        if self.training and self.noise > 0:
            h = h * (1 + self.noise * torch.randn_like(h))
        return self.dropout(h)


class Classifier(nn.Module):
    """P: latent code h (n x 256) to the logits of the K types; begins with the ReLU that ends the encoder."""

    def __init__(self, n_types: int):
        super().__init__()
        self.layers = nn.Sequential(nn.ReLU(), nn.Linear(LATENT, 256), nn.ReLU(), nn.Linear(256, n_types))

    def forward(self, h: Tensor) -> Tensor:
        return self.layers(h)


class Logits(nn.Module):
    """A linear model: expression x (n x M) to the logits of the K types, which are its latent code."""

    def __init__(self, n_genes: int, n_types: int):
        super().__init__()
        self.hidden = nn.Linear(n_genes, n_types)

    def forward(self, x: Tensor, input_shift: Tensor | None = None) -> Tensor:
        """The logits of x, or of x + input_shift with a shift of each gene (M)."""
        return shifted_linear(self.hidden, x, input_shift)


class Generator(nn.Module):
    """G(x, h) = S(x) * h + B(x): scales and shifts the target's latent codes.

    S and B have layers of 512, 512 and 256 neurons each. Their first layers read the same input and are computed as one
    layer of 1024. S is written as 1 + a network, so that zero weights, towards which the weight decay pulls, are the
    identity. With `identity_start` the last layers start at zero: at the start G(x, h) = h exactly.

    With `input_shift` a learned shift of each gene is added to x before the encoder, S and B (the authors' code). With
    `after_relu` the code is what the encoder's ReLU leaves of h (the paper's Table S3).
    """

    def __init__(
        self, n_genes: int, *, identity_start: bool = True, input_shift: bool = False, after_relu: bool = False
    ):
        super().__init__()
        self.first = nn.Linear(n_genes, 2 * 512)
        self.scale_offset = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, LATENT))
        self.shift = nn.Sequential(nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, LATENT))
        self.input_shift = nn.Parameter(torch.zeros(n_genes)) if input_shift else None
        self.after_relu = after_relu
        if identity_start:
            for network in (self.scale_offset, self.shift):
                nn.init.zeros_(network[-1].weight)
                nn.init.zeros_(network[-1].bias)

    def scale_and_shift(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """S(x) and B(x), each n x 256."""
        for_scale, for_shift = shifted_linear(self.first, x, self.input_shift).relu().chunk(2, dim=1)
        return 1 + self.scale_offset(for_scale), self.shift(for_shift)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        """G(x, h), where h is the code that the encoder gives with this generator's input shift."""
        return self.aligned(*self.scale_and_shift(x), h)

    def aligned(self, scale: Tensor, shift: Tensor, h: Tensor) -> Tensor:
        """The aligned code, where S(x) and B(x) are known."""
        return scale * (h.relu() if self.after_relu else h) + shift


class Rescaling(nn.Module):
    """G(h) = S * h + B with one scale S and shift B for all cells of the target, of as many values as the code has."""

    after_relu, input_shift = False, None  # as `Generator` has them

    def __init__(self, scale: Tensor, shift: Tensor):
        super().__init__()
        self.scale, self.shift = nn.Parameter(scale), nn.Parameter(shift)

    def scale_and_shift(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """S and B for each cell of x, n values of each dimension."""
        return self.scale.expand(len(x), -1), self.shift.expand(len(x), -1)

    def forward(self, x: Tensor, h: Tensor) -> Tensor:
        return self.aligned(self.scale, self.shift, h)

    def aligned(self, scale: Tensor, shift: Tensor, h: Tensor) -> Tensor:
        """The aligned code."""
        return scale * h + shift


class Discriminator(nn.Module):
    """D: latent code (n x 256) to the logit of "this code comes from the source" (n); D(h) is its sigmoid."""

    def __init__(self, leaky_slope: float):
        super().__init__()
        self.layers = nn.Sequential(
            nn.Linear(LATENT, 512),
            nn.LeakyReLU(leaky_slope),
            nn.Linear(512, 256),
            nn.LeakyReLU(leaky_slope),
            nn.Linear(256, 256),
            nn.LeakyReLU(leaky_slope),
            nn.Linear(256, 1),
        )

    def forward(self, h: Tensor) -> Tensor:
        return self.layers(h).squeeze(1)


def shifted_linear(layer: nn.Linear, x: Tensor, input_shift: Tensor | None) -> Tensor:
    """W (x + s) + b, as W x + (W s + b): the gradient for s then costs no product with the whole mini-batch."""
    if input_shift is None:
        return layer(x)
    return linear(x, layer.weight, layer.weight @ input_shift + layer.bias)


def frozen(network: nn.Module) -> nn.Module:
    """The same network, in evaluation mode and without gradients for its parameters."""
    return network.eval().requires_grad_(False)


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Context in which torch's random numbers follow `seed`; the caller's random state is left as it was."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        yield
