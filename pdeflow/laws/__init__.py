"""Probability laws on R^d: the exchange currency of pdeflow."""

from .._core.lazy import missing_name
from .barenblatt import Barenblatt
from .base import Law, OneDimensional
from .chi import Chi
from .density_at_points import DensityAtPoints
from .from_quantile import FromQuantile
from .gaussian import Gaussian
from .grid import GridLaw
from .kernel_density import KernelDensity
from .log_weights import GaussianLikelihood
from .maps import AffineMap, Certificate, Map, register_map
from .metropolis_hastings import CrankNicolson, Independence, MetropolisHastings
from .mixture import GaussianMixture
from .mixture_of_laws import Mixture
from .particles import Particles
from .product import Product
from .push_forward import PushForward
from .quantiles import Quantiles
from .radial import Radial
from .reweighted import Reweighted, Reweighting, Stratified, reweighted, reweighting
from .ring import Ring
from .semicircle import Semicircle
from .spec import from_spec
from .uniform import Uniform

__all__ = [
    "AffineMap",
    "Barenblatt",
    "Certificate",
    "Chi",
    "CrankNicolson",
    "DensityAtPoints",
    "FromQuantile",
    "Gaussian",
    "GaussianLikelihood",
    "GaussianMixture",
    "GridLaw",
    "Independence",
    "KernelDensity",
    "Law",
    "Map",
    "MetropolisHastings",
    "Mixture",
    "OneDimensional",
    "Particles",
    "Product",
    "PushForward",
    "Quantiles",
    "Radial",
    "Reweighted",
    "Reweighting",
    "Ring",
    "Semicircle",
    "Stratified",
    "Uniform",
    "from_spec",
    "register_map",
    "reweighted",
    "reweighting",
]


def __getattr__(name: str):
    raise missing_name(__name__, name, __all__)
