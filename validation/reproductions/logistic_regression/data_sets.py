"""The nine sets of the published table, as far as they can be had, and what was published for them."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pdeflow.applications import logistic


@dataclass(frozen=True)
class Published:
    """Accuracy and log-likelihood on the one published split: the authors' result files, and the printed SVGD.

    `later` is the accuracy of SW-JKO with RealNVP on that split (Bonet et al. 2022), mean of five trainings.
    """

    accuracy: float
    log_likelihood: float
    svgd_accuracy: float
    svgd_log_likelihood: float
    later: float


@dataclass(frozen=True)
class Source:
    """Where a set comes from.

    `classes` are those that become +1, `remark` says why it is, or is not, the published data.
    """

    read: Callable[[Path], logistic.DataSet]
    published: Published | None
    remark: str


def _keel(name: str, classes: tuple[str, ...]) -> Callable[[Path], logistic.DataSet]:
    return lambda folder: logistic.read_table(folder / f"{name}.dat", classes)


def _generated(generator: Callable[..., logistic.DataSet], n: int) -> Callable[[Path], logistic.DataSet]:
    return lambda folder: generator(n, np.random.default_rng(20_26))


SETS = {
    "banana": Source(
        _keel("banana", ("1.0",)), Published(0.5613, -0.6910, 0.54, -0.69, 0.559), "5,300 points, as published"
    ),
    "diabetis": Source(
        _keel("pima", ("tested_positive",)),
        Published(0.7727, -0.4510, 0.78, -0.46, 0.7779),
        "`pima` of KEEL, the same 768 points; features standardised, no intercept",
    ),
    "german": Source(
        _keel("german", ("1",)),
        Published(0.6700, -0.5986, 0.65, -0.60, 0.680),
        "the same 1,000 points, categories by the order of their names",
    ),
    "image": Source(
        _keel("segment", ("1", "2", "3", "6")),
        Published(0.8182, -0.4441, 0.815, -0.44, 0.8211),
        "`segment` of KEEL: the published two classes of seven are not known. Of the 35 choices of four the one that "
        "scores most alike, classes 1, 2, 3 and 6: agreement with the published numbers is no evidence. Five "
        "directions of the weights are seen by no feature: methods run on the others, these are drawn exactly given α",
    ),
    "ringnorm": Source(
        _keel("ring", ("1",)),
        Published(0.7399, -0.4994, 0.74, -0.50, 0.7409),
        "`ring` of KEEL, whose values lost their trailing zeros: a tenth of them are too small by ten",
    ),
    "splice": Source(
        _keel("splice", ("N",)),
        Published(0.8347, -0.3661, 0.85, -0.355, 0.8497),
        "3,190 sequences, N against the others, letters as 1 to 4 in the order of the alphabet; 2,991 and other codes "
        "were published",
    ),
    "twonorm": Source(_keel("twonorm", ("1",)), Published(0.9818, -0.0579, 0.98, -0.062, 0.9808), "other draws"),
    "waveform": Source(
        _generated(logistic.waveform, 5000),
        Published(0.7810, -0.4868, 0.765, -0.465, 0.7760),
        "5,000 points of the published generator",
    ),
    "ringnorm-generated": Source(_generated(logistic.ringnorm, 400), None, "400 points of the published generator"),
    "waveform-generated": Source(_generated(logistic.waveform, 400), None, "400 points of the published generator"),
}
QUICK = ("ringnorm-generated", "waveform-generated")  # they need no files
