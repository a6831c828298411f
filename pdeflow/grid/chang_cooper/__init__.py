"""The Chang-Cooper scheme, its elimination, and what it tends to as the step goes to zero."""

from .limit import exponential, gibbs, richardson, spectrum
from .scheme import ChangCooper

__all__ = ["ChangCooper", "exponential", "gibbs", "richardson", "spectrum"]
