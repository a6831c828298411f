"""Random draws of the catalogue: the matrices and the means that a seed stands for."""

import zlib

import numpy as np

from .._core.errors import BadInput
from .._core.shapes import Matrix, Points


def haar_rotation(dim: int, rng: np.random.Generator) -> Matrix:
    """An orthogonal matrix drawn by Haar measure, (dim, dim)."""
    basis, upper = np.linalg.qr(rng.standard_normal((dim, dim)))
    return basis * np.sign(np.diag(upper))


def uniform_matrix(dim: int, rng: np.random.Generator) -> Matrix:
    """A of `ou` with eigenvalues uniform in [0.2, 3] and a rotation drawn by Haar measure, (dim, dim)."""
    basis = haar_rotation(dim, rng)
    matrix = (basis * rng.uniform(0.2, 3.0, dim)) @ basis.T
    return (matrix + matrix.T) / 2


def mokrov_matrix(dim: int, rng: np.random.Generator) -> Matrix:
    """A of `ou` as the code of [mokrov2021] draws it, (dim, dim)."""
    x = rng.random((dim, dim))
    u, _, vt = np.linalg.svd(x.T @ x)
    cov = u @ (1.0 + np.diag(rng.random(dim))) @ vt
    matrix = np.linalg.inv((cov + cov.T) / 2)
    return (matrix + matrix.T) / 2


def uniform_means(shape: tuple[int, int], half_width: float, seed: int) -> Points:
    """Means of `mixture_target`, uniform in [-half_width, half_width]^dim, (components, dim)."""
    return np.random.default_rng(seed).uniform(-half_width, half_width, shape)


MOKROV = {  # (dim, components, half width): the key of the published configuration
    (2, 5, 5.0): "venus",
    (4, 6, 5.0): "earth",
    (6, 7, 5.0): "mars",
    (8, 8, 5.0): "saturn",
    (10, 9, 5.0): "jupiter",
    (12, 10, 5.0): "uran",
    (13, 10, 5.0): "mercury",
    (32, 10, 3.0): "earth",
}


def mokrov_means(shape: tuple[int, int], half_width: float, seed: int) -> Points:
    """The first uniform numbers of torch in single precision, seeded by the crc32 of key, dimension and experiment:
    24 bits of MT19937 each."""
    (components, dim), most = shape, 0 if shape[1] in (13, 32) else 4
    key = MOKROV.get((dim, components, half_width))
    if key is None or seed > most:
        raise BadInput(
            f"ensemble='mokrov' with (dim, components, half_width) = {(dim, components, half_width)} and seed = "
            f"{seed}. The published runs "
            f"are {', '.join(map(str, MOKROV))}, seeds 0 to 4 (13 and 32 dimensions: 0). Take one of them, or "
            "ensemble='uniform'."
        )
    name = f"{key}@{dim}@{seed}pytorch" if most else f"{key}@{dim}pytorch"
    bits = np.random.RandomState(zlib.crc32(name.encode())).randint(0, 2**32, shape, dtype=np.uint32)
    uniform = (bits & 0xFFFFFF).astype(np.float32) * np.float32(2.0**-24)
    return (uniform * np.float32(2 * half_width) - np.float32(half_width)).astype(float)
