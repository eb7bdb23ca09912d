"""Inference stage: asymmetric alignment of a target by adversarial training (paper, Methods, 'Inference stage')."""

import copy
import logging
import math
from dataclasses import replace

import pandas as pd
import torch
from scipy import sparse
from torch import Tensor
from torch.nn.functional import softplus
from tqdm import tqdm

from jindbench.errors import InputError
from jindbench.jind import optimizers
from jindbench.jind.model import JINDModel, Rows, precision
from jindbench.jind.moments import align_moments
from jindbench.jind.networks import Discriminator, Generator, frozen, seeded
from jindbench.jind.parameters import AlignmentParameters

log = logging.getLogger(__name__)

COLLAPSED = 1e-6  # a loss below this is taken for zero

# With z the discriminator's logit and D = sigmoid(z): -log D = softplus(-z) and -log(1 - D) = softplus(z).


def generator_loss(logits_target: Tensor, scale: Tensor, penalty: float) -> Tensor:
    """Eq. 5: -E[log D(h_hat)] + lambda E||S(x) - 1||_2, with Eq. 3 as its first term.

    The paper's Eq. 5 has both terms inside -E(...), which would reward a large ||S - 1||; the text says that S is
    forced towards 1, which needs the plus sign used here.

    Parameters
    ----------
    logits_target
        Discriminator's logits of the aligned target codes, n.
    scale
        S(x), n x 256.
    """
    return softplus(-logits_target).mean() + penalty * torch.linalg.vector_norm(scale - 1, dim=1).mean()


def discriminator_loss(logits_source: Tensor, logits_target: Tensor) -> Tensor:
    """Eq. 4: -0.5 E[log D(h)] - 0.5 E[log(1 - D(h_hat))]."""
    return 0.5 * softplus(-logits_source).mean() + 0.5 * softplus(logits_target).mean()


class Mean:
    """Running mean of what was added since the epoch began; `start` before anything was."""

    def __init__(self, start: float):
        self.value, self.n = start, 0

    def add(self, value: float) -> None:
        """Take one more value into the mean."""
        self.n += 1
        self.value = value if self.n == 1 else self.value + (value - self.value) / self.n


class Game:
    """Generator and discriminator, their optimizers, and one step of each."""

    def __init__(self, model: JINDModel, X: sparse.csr_matrix, parameters: AlignmentParameters):
        self.model, self.X, self.parameters = model, Rows(X, model.device, again=True), parameters
        self.target_codes = model.latent_codes(self.X)  # the encoder is frozen: F(x) is computed once
        self.batch = min(parameters.batch_size, len(model.source_codes), X.shape[0])
        self.discriminator = Discriminator(parameters.leaky_slope).to(model.device)
        self.step_discriminator = optimizers.rmsprop(
            self.discriminator.parameters(), parameters.learning_rate, parameters.discriminator_weight_decay
        )
        self.start_generator()

    def start_generator(self) -> None:
        """Initialise the generator and its optimizer."""
        p = self.parameters
        generator = Generator(
            self.X.shape[1],
            identity_start=p.identity_start,
            input_shift=p.input_shift,
            after_relu=p.after_relu,
        )
        self.generator = generator.to(self.model.device)
        self.step_generator = optimizers.rmsprop(self.generator.parameters(), p.learning_rate, p.generator_weight_decay)

    def draw_source(self) -> Tensor:
        """Latent codes of a mini-batch of the source, drawn with replacement."""
        h = self.model.source_codes[torch.randint(len(self.model.source_codes), (self.batch,))]
        return h.relu() if self.parameters.after_relu else h

    def draw_target(self) -> tuple[Tensor, Tensor]:
        """Expression and latent codes of a mini-batch of the target, drawn with replacement."""
        rows = torch.randint(self.X.shape[0], (self.batch,))
        h = self.target_codes[rows]
        if self.generator.input_shift is not None:  # F(x + s) = F(x) + W s
            h = h + self.model.encoder.hidden.weight @ self.generator.input_shift
        return self.X[rows.numpy()], h

    def generator_step(self, train: bool) -> tuple[Tensor, float]:
        """One step of the generator, the discriminator fixed; without `train` only its loss.

        Returns
        -------
        The aligned codes that the loss was computed on, and the loss.
        """
        self.discriminator.requires_grad_(False)
        with precision(self.model.device, self.parameters.precision), torch.set_grad_enabled(train):
            x, h = self.draw_target()
            scale, shift = self.generator.scale_and_shift(x)
            aligned = self.generator.aligned(scale, shift, h)
            logits = self.discriminator(aligned)
        loss = generator_loss(logits.float(), scale.float(), self.parameters.penalty)
        if train:
            self.step_generator.zero_grad()
            loss.backward()
            self.step_generator.step()
        return aligned.detach(), loss.item()

    def discriminator_step(self, aligned: Tensor) -> tuple[float, float]:
        """One step of the discriminator, the generator fixed.

        Returns
        -------
        Its loss and its accuracy on the mini-batches.
        """
        self.discriminator.requires_grad_(True)
        with precision(self.model.device, self.parameters.precision):
            source, target = self.discriminator(torch.cat([self.draw_source(), aligned])).float().split(self.batch)
        loss = discriminator_loss(source, target)
        self.step_discriminator.zero_grad()
        loss.backward()
        self.step_discriminator.step()
        return loss.item(), ((source > 0).float().mean() + (target < 0).float().mean()).item() / 2

    def new_aligned(self) -> Tensor:
        """Aligned codes of a new mini-batch of the target."""
        with torch.no_grad(), precision(self.model.device, self.parameters.precision):
            return self.generator(*self.draw_target())

    def rejection_rate(self, generator: Generator | None) -> float:
        """Share of the target that the thresholds reject, aligned by `generator`."""
        model = replace(self.model, generator=generator)
        with precision(model.device, self.parameters.precision):
            return 1 - model.accepted(model.probabilities(self.X).float()).float().mean().item()


def align(
    model: JINDModel, X: sparse.csr_matrix, parameters: AlignmentParameters, seed: int, *, progress: bool = False
) -> tuple[JINDModel, pd.DataFrame]:
    """Learn the generator that maps the target's latent codes onto the source's.

    Parameters
    ----------
    model
        Before alignment; it is not changed. Encoder and classifier are shared with the result, and stay as they are.
    X
        Transformed expression of the target, N_t x M.
    progress
        Show a progress bar.

    Returns
    -------
    The aligned model, and a table with mean losses, the discriminator's accuracy and the target's rejection rate of
    each epoch; epoch 0 is the unaligned start. (Alignment by moments has one epoch, and a table of its own.)

    Raises
    ------
    InputError
        If the model is of several prediction models, and the alignment is not by moments.
    """
    p = parameters
    if p.method == "moments":
        return align_moments(model, X, p)
    if model.others:
        raise InputError(
            f"adversarial alignment is of one prediction model, not {len(model.members)}: set the classifier's members "
            "to 1 or the alignment's method to moments"
        )
    with seeded(seed):
        game = Game(model, X, p)
        # By the configured size, as in the authors' code, though mini-batches of a small side are smaller.
        iterations = math.ceil(X.shape[0] / p.batch_size)
        if iterations < p.short_epoch:
            iterations = p.short_epoch_iterations
        fewest, kept_epoch, kept, n_good, dry = game.rejection_rate(None), 0, None, 0, 0
        history = [{"epoch": 0, "rejection_rate": fewest, "good": False}]
        for epoch in tqdm(range(1, p.epochs + 1), desc="align", disable=not progress, unit="epoch"):
            # Before their first step, nothing keeps either side from being trained.
            loss_g, loss_d, accuracy_d = Mean(start=-math.inf), Mean(start=math.inf), Mean(start=math.nan)
            for _ in range(iterations):
                aligned, loss = game.generator_step(train=loss_g.n == 0 or loss_g.value > p.generator_floor)
                loss_g.add(loss)
                if (
                    p.generator_ceiling is None
                    or loss_g.value < p.generator_ceiling
                    or (p.discriminator_ceiling is not None and loss_d.value > p.discriminator_ceiling)
                ):
                    # The first step sees the codes that the generator was judged by, the others new ones.
                    for step in range(p.discriminator_steps):
                        loss, accuracy = game.discriminator_step(aligned if step == 0 else game.new_aligned())
                        loss_d.add(loss)
                        accuracy_d.add(accuracy)
                if p.restart_at_zero_loss and min(loss_g.value, loss_d.value) < COLLAPSED:
                    log.warning("a loss collapsed to zero in epoch %d; the generator starts anew", epoch)
                    game.start_generator()

            rejected = game.rejection_rate(game.generator)
            losses = (loss_g.value, loss_d.value)
            good = all(p.equilibrium_floor < loss < p.equilibrium_ceiling for loss in losses)
            if p.keep == "fewest_rejected":
                good = good and rejected < fewest
                take = good
            else:
                take = good or n_good == 0
            if take:
                fewest, kept_epoch, kept = rejected, epoch, copy.deepcopy(game.generator)
            n_good, dry = n_good + good, 0 if good else dry + 1
            history.append(
                {
                    "epoch": epoch,
                    "generator_loss": losses[0],
                    "discriminator_loss": losses[1],
                    "discriminator_accuracy": accuracy_d.value,
                    "rejection_rate": rejected,
                    "good": good,
                }
            )
            log.info(
                "epoch %d: generator loss %.4f, discriminator loss %.4f, rejected %.4f, good: %s",
                *(epoch, *losses, rejected, good),
            )
            if n_good == p.good_epochs or dry == p.dry_epochs:
                break

    if n_good == 0:
        log.warning(
            "alignment did not converge: no epoch was good (losses between %g and %g); %s is kept",
            *(p.equilibrium_floor, p.equilibrium_ceiling, "the last epoch" if kept else "the unaligned start"),
        )
    history = pd.DataFrame(history).assign(kept=lambda table: table["epoch"] == kept_epoch)
    return replace(model, generator=None if kept is None else frozen(kept)), history
