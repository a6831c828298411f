"""Errors of the papers, each as one number: what is true, what the corrected formula gives, what the printed one gives.

`python validation/reproductions/errata.py` prints all of them, `python validation/reproductions/errata.py NAME ...`
some. The page docs/errata.md says for each name which paper and equation it concerns. Truth is obtained without the
formula in
question: by quadrature, by a spectrum, by minimisation or by simulation.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy import integrate, linalg, optimize, special
from scipy.sparse.linalg import minres
from scipy.stats import gaussian_kde, multivariate_normal, norm

import pdeflow as pf


@dataclass(frozen=True)
class Check:
    """One number three times. `relation` says how truth holds the formulas: "equal", "at most" or "at least" it."""

    quantity: str
    truth: float
    right: float
    printed: float
    tolerance: float = 1e-8
    relation: str = "equal"

    def holds(self, value: float) -> bool:
        """Whether a formula that gives `value` agrees with the truth."""
        difference = value - self.truth
        if self.relation == "at most":
            return difference <= self.tolerance
        if self.relation == "at least":
            return difference >= -self.tolerance
        return abs(difference) <= self.tolerance


ERRATA: dict[str, Callable[[], Check]] = {}


def erratum(function: Callable[[], Check]) -> Callable[[], Check]:
    ERRATA[function.__name__] = function
    return function


def _mean(function, density=norm.pdf, width=12.0):
    """∫ function · density over [-width, width]."""
    return integrate.quad(
        lambda x: function(x) * density(x), -width, width, epsabs=1e-13, epsrel=1e-12, limit=400, points=[0.0]
    )[0]


def _barenblatt_mass(dim, m, constant):
    """Mass of (C - k|x|²)_+^(1/(m-1)) in R^dim, by radial quadrature."""
    k = (m - 1) / (2 * m * (dim * (m - 1) + 2))
    edge = np.sqrt(constant / k)
    sphere = 2 * np.pi ** (dim / 2) / special.gamma(dim / 2)
    return sphere * integrate.quad(lambda r: r ** (dim - 1) * (constant - k * r * r) ** (1 / (m - 1)), 0, edge)[0]


@erratum
def barenblatt_fan() -> Check:
    right, printed = (_barenblatt_mass(1, 2, (3 / top) ** (1 / 3)) for top in (64, 16))
    return Check("mass of the Barenblatt profile, d = 1, m = 2", 1.0, right, printed)


@erratum
def barenblatt_jin() -> Check:
    dim, m = 5, 3
    beta = 1 / (dim * (m - 1) + 2)
    k, gamma = (m - 1) * beta / (2 * m), dim / 2 + 1 / (m - 1)
    inner = (k / np.pi) ** (dim / 2) * special.gamma(dim / 2) / special.beta(dim / 2, m / (m - 1))
    right, printed = (_barenblatt_mass(dim, m, (inner / factor) ** (1 / gamma)) for factor in (1, dim))
    return Check("mass of the Barenblatt profile, d = 5, m = 3", 1.0, right, printed)


@erratum
def ring_radius() -> Check:
    angle = 2 * np.pi * (np.arange(4096) + 0.5) / 4096

    def energy(radius):
        square = (2 * radius * np.sin(angle / 2)) ** 2
        return np.mean(square**2 / 4 - square / 2) / 2

    truth = optimize.minimize_scalar(energy, bounds=(0.1, 2.0), method="bounded", options={"xatol": 1e-12}).x
    return Check("radius of the ring of least energy in the plane, W = |x|⁴/4 - |x|²/2", truth, 3**-0.5, 0.5, 1e-6)


@erratum
def interaction_half() -> Check:
    x = np.array([-1.0, 1.0])  # two particles follow ∂tρ = ∇·(ρ∇W*ρ) with W = x²/2: x' = -(x - mean)
    truth = integrate.solve_ivp(lambda t, y: -(y - y.mean()), (0, 1), x, rtol=1e-11, atol=1e-12).y[1, -1]
    step = 1e-6
    right, printed = ((1 + factor * step) ** (-1 / step) for factor in (1, 2))
    return Check("contraction to t = 1 by small JKO steps, W = |x|²/2", truth, right, printed, 1e-6)


@erratum
def forward_sign() -> Check:
    # Q = N(1, 1/4), V = -log Q, P = N(0, 1); ∇Q/Q = -∇V
    truth = -_mean(lambda x: (4 * (x - 1)) ** 2)
    step = 1e-6

    def rate(sign):
        return _mean(lambda x: (2 * (x + sign * step * -4 * (x - 1) - 1) ** 2 - 2 * (x - 1) ** 2) / step)

    return Check("rate at which E V changes in a forward step", truth, rate(+1), rate(-1), 1e-3)


@erratum
def target_sign() -> Check:
    right, printed = (integrate.quad(lambda x, s=sign: np.exp(s * x * x / 2), -20, 20)[0] for sign in (-1, 1))
    return Check("mass of the target on [-20, 20], A = 1, b = 0", np.sqrt(2 * np.pi), right, printed)


@erratum
def gaussian_kl() -> Check:
    p, q = norm(0.3, 0.8), norm(-0.2, 1.1)
    truth = _mean(lambda x: p.logpdf(x) - q.logpdf(x), p.pdf)
    right, printed = (
        factor * np.log(1.1**2 / 0.8**2) + (0.8**2 / 1.1**2 + 0.5**2 / 1.1**2 - 1) / 2 for factor in (0.5, 5)
    )
    return Check("KL(N(0.3, 0.8²), N(-0.2, 1.1²))", truth, right, printed)


@erratum
def proposition_1() -> Check:
    p, q, mu = norm(0.3, 0.8), norm(-0.2, 1.1), norm(0.1, 0.9)
    truth = _mean(lambda x: p.logpdf(x) - q.logpdf(x), p.pdf)
    optimal = _mean(lambda x: p.logpdf(x) - mu.logpdf(x), p.pdf)  # E_P log h; E_μ h = 1
    right = 1 + optimal + _mean(lambda x: mu.logpdf(x) - q.logpdf(x), p.pdf) - 1
    printed = 1 + optimal + _mean(q.logpdf, p.pdf) - 1
    return Check("the variational formula at its optimal test function, against KL(P, Q)", truth, right, printed)


@erratum
def kernel_gradient() -> Check:
    z, h = 0.7, 1e-5

    def kernel(x):
        return -np.exp(-x * x) / np.pi

    truth = (kernel(z + h) - kernel(z - h)) / (2 * h)
    printed = 2 * np.exp(-z * z) / np.pi
    return Check("force of the kernel -exp(-|z|²)/π at z = 0.7", truth, z * printed, printed)


@erratum
def fixed_marginal() -> Check:
    old = np.array([0.0, 0.2, 0.6, 0.2, 0.0])
    spread = linalg.toeplitz([0.6, 0.2, 0.0, 0.0, 0.0])
    plan = spread * old  # row: new cell, column: old cell; columns sum to the old masses
    truth = np.sum((spread @ old) ** 2)
    right, printed = np.sum(plan.sum(axis=1) ** 2), np.sum(plan.sum(axis=0) ** 2)
    return Check("energy Σq² of the law that a transport plan leads to", truth, right, printed)


@erratum
def grid_locking() -> Check:
    """Needs cvxopt. The paper states neither domain nor number of steps; here ±0.8 and twenty."""
    problem = pf.problems.porous_medium()
    run = {"dt": 0.001, "times": [0.02]}

    def spread(trajectory):
        return np.sqrt(trajectory.final.cov()[0, 0])

    truth = spread(pf.exact_jko(problem, **run))
    right = spread(pf.solve(problem, pf.grid.QuantileJKO(points=400), **run)) / truth
    printed = spread(pf.solve(problem, pf.grid.CvxoptJKO(cells=300, lower=-0.8, upper=0.8), **run)) / truth
    return Check("√M2 after 20 JKO steps, relative to the exact JKO iterate", 1.0, right, printed, 1e-3)


@erratum
def log_sobolev_constant() -> Check:
    temperature = 3.0  # V = x²/2, no perturbation: K = 1, osc = 0; the law is the target moved by 1
    target, law = norm(0, np.sqrt(temperature)), norm(1, np.sqrt(temperature))
    entropy = _mean(lambda x: law.logpdf(x) - target.logpdf(x), law.pdf, 40)
    fisher = _mean(lambda x: (-(x - 1) / temperature + x / temperature) ** 2, law.pdf, 40)
    return Check(
        "constant in H <= constant · I, D = 3, K = 1", entropy / fisher, temperature / 2, 1.0, 1e-8, "at least"
    )


@erratum
def decay_rate() -> Check:
    # V = x²/4 + 6 exp(-x²), D = 1: K = 1/2, osc = 6. KL decays with twice the spectral gap in the end.
    x, h = np.linspace(-9, 9, 6001, retstep=True)
    slope = np.diff(x**2 / 4 + 6 * np.exp(-(x**2)))
    right, left = 1 / special.exprel(-slope) / h**2, 1 / special.exprel(slope) / h**2  # Chang-Cooper weights
    diagonal = -np.append(left, 0.0) - np.insert(right, 0, 0.0)
    gap = -linalg.eigh_tridiagonal(diagonal, np.sqrt(left * right), select="i", select_range=(5999, 5999))[0][0]
    return Check("bound for the rate of decay of KL", 2 * gap, np.exp(-6.0), 0.5 / 6, 1e-6, "at most")


@erratum
def energy_bound() -> Check:
    # V = x²/2 - 2, D = 1 from N(1, 1): the least energy F* is negative, delta0 = 0 and zeta = 2
    def energy(shift):
        return _mean(lambda x: x * x / 2 - 2 + norm.logpdf(x, shift), lambda x: norm.pdf(x, shift))

    t, least = 0.5, energy(0.0)
    truth = energy(np.exp(-t)) - least
    right, printed = ((energy(1.0) - offset) * np.exp(-2 * t) for offset in (least, 0.0))
    return Check("bound for F(ρ_t) - F* at t = 0.5", truth, right, printed, 1e-8, "at least")


@erratum
def slides_kl() -> Check:
    temperature, law = 2.0, norm(0.3, 0.8)
    truth = _mean(lambda x: x * x / 2 + temperature * law.logpdf(x), law.pdf)
    kl = _mean(lambda x: law.logpdf(x) - norm.logpdf(x, 0, np.sqrt(temperature)), law.pdf)
    log_normaliser = np.log(np.sqrt(2 * np.pi * temperature))
    return Check("∫Vρ + D∫ρ log ρ, D = 2", truth, temperature * (kl - log_normaliser), kl)


@erratum
def gaussian_prefactor() -> Check:
    gamma = 0.6
    right = 2 * np.pi * integrate.quad(lambda r: r * np.exp(-r * r / (2 * gamma)) / (2 * np.pi * gamma), 0, 20)[0]
    printed = 2 * np.pi * integrate.quad(lambda r: r * np.exp(-r * r / (2 * gamma**2)), 0, 20)[0]
    return Check("mass of the initial density in the plane", 1.0, right, printed / np.sqrt(2 * np.pi * gamma))


@erratum
def gaussian_prefactor_slides() -> Check:
    width = 0.6
    mass = 2 * np.pi * integrate.quad(lambda r: r * np.exp(-((r / width) ** 2)), 0, 20)[0]
    return Check(
        "mass of the initial density in the plane", 1.0, mass / (np.pi * width**2), mass / (np.sqrt(2 * np.pi) * width)
    )


@erratum
def descent_sign() -> Check:
    # F(θ) = |θ|²/2 and Ĝ = I: η = Ĝ⁻¹∇F = θ in the text of section 4, followed by θ + hη
    theta, h = 1.0, 1e-7
    right, printed = (((theta + h * eta) ** 2 - theta**2) / (2 * h) for eta in (-theta, theta))
    return Check("dF/dt along the flow, which is -|∇F|²", -(theta**2), right, printed, 1e-6)


@erratum
def styblinski_scale() -> Check:
    def divergence(scale):
        """KL(N(0, I), ρ*) in d = 30 from log Z by quadrature."""
        z = integrate.quad(lambda x: np.exp(-scale * (x**4 - 16 * x**2 + 5 * x)), -9, 9, points=[-2.9, 0.2, 2.7])[0]
        return 30 * (-13 * scale - 0.5 * np.log(2 * np.pi * np.e) + np.log(z))

    def log_ratio(x):
        return norm.logpdf(x) + 3 / 50 * (x**4 - 16 * x**2 + 5 * x)

    z = integrate.quad(lambda x: np.exp(norm.logpdf(x) - log_ratio(x)), -9, 9, points=[-2.9, 0.2, 2.7])[0]
    truth = 30 * (_mean(log_ratio) + np.log(z))
    return Check("KL(N(0, I), ρ*) in d = 30 with c = 3/50", truth, divergence(3 / 50), divergence(1 / 50), 1e-6)


@erratum
def minres_inconsistent() -> Check:
    rng = np.random.default_rng(0)
    jacobian = rng.normal(size=(20, 40))
    metric, force = jacobian.T @ jacobian / 20, rng.normal(size=40)  # the force is not in the range of the metric
    truth = np.linalg.norm(np.linalg.pinv(metric) @ force)
    right = np.linalg.norm(linalg.lstsq(metric, force)[0])
    printed = np.linalg.norm(minres(metric, force, rtol=1e-14, maxiter=400)[0])
    return Check("norm of the solution of least norm", truth, float(right), float(printed), 1e-6)


def _chain_mean(ratio):
    """Mean of the stationary law of a Metropolis chain on a grid, proposals from ξ, acceptance min(1, ratio(x, y))."""
    x = np.linspace(-5, 5, 201)
    proposal = norm.pdf(x, 0.5, 1.2)
    chain = np.minimum(1, ratio(x[:, None], x[None, :])) * proposal / proposal.sum()
    chain += np.diag(1 - chain.sum(axis=1))
    law = linalg.lstsq(np.vstack([chain.T - np.eye(201), np.ones(201)]), np.append(np.zeros(201), 1.0))[0]
    return float(law @ x)


def _posterior(x):
    return norm.pdf(x) * norm.pdf(1.5, x, 1)  # prior N(0, 1), one observation 1.5 of variance 1: the mean is 0.75


@erratum
def filtering_proposal() -> Check:
    right, printed = (
        _chain_mean(lambda x, y, q=q: _posterior(y) * q(x) / (_posterior(x) * q(y)))
        for q in (lambda x: norm.pdf(x, 0.5, 1.2), norm.pdf)
    )
    return Check(
        "posterior mean by Metropolis steps with proposals from ξ, which is not the prior", 0.75, right, printed, 1e-3
    )


@erratum
def filtering_push() -> Check:
    # two flow maps x ↦ x/2 within one segment: the second must be applied to points that the first has moved
    x = np.random.default_rng(0).normal(size=100_000)
    return Check(
        "standard deviation at the end of a segment of two maps", 0.25 * x.std(), np.std((x / 2) / 2), np.std(x / 2)
    )


@erratum
def filtering_clock() -> Check:
    gap, step = 1.0, 0.1
    clock, count = 0.0, 0
    while clock != gap and count < 1000:
        clock, count = clock + step, count + 1
    return Check("JKO steps of 0.1 in a gap of 1", 10, round(gap / step), count)


@erratum
def log_alpha_jacobian() -> Check:
    feature = np.array([0.5, -1.0, 1.5, 0.3, -0.7, 2.0])
    label = np.array([1.0, -1.0, 1.0, -1.0, -1.0, 1.0])
    w, eta = np.linspace(-30, 60, 6001)[:, None], np.linspace(-16, 12, 1401)[None, :]
    likelihood = -np.logaddexp(0, -label * feature * w).sum(axis=1)
    marginal = np.exp(likelihood) * (w[:, 0] ** 2 / 2 + 0.01) ** -1.5  # α integrated in closed form, p = 1, a0 = 1
    truth = marginal @ w[:, 0] / marginal.sum()

    def mean(jacobian):
        weight = np.exp(likelihood[:, None] - np.exp(eta) * w**2 / 2 + eta / 2 - 0.01 * np.exp(eta) + jacobian * eta)
        return float((weight * w).sum() / weight.sum())

    return Check("posterior mean of w in (w, log α)", truth, mean(1), mean(0), 1e-3)


@erratum
def convex_activation() -> Check:
    x = np.linspace(-2, 2, 401)

    def least_curvature(sign):
        """Of softplus(sign · x²): the activation is convex and monotone for both signs, nondecreasing for one."""
        return float(np.diff(np.logaddexp(0, sign * x**2), 2).min() / (x[1] - x[0]) ** 2)

    return Check(
        "least second derivative of a convex potential", 0.0, least_curvature(1), least_curvature(-1), 1e-9, "at least"
    )


@erratum
def kde_floor() -> Check:
    rng = np.random.default_rng(0)
    dim, size = 6, 1000
    exact, sample, test = multivariate_normal(np.zeros(dim)), rng.normal(size=(size, dim)), rng.normal(size=(1000, dim))

    def sym_kl(density, draws):
        return float(
            np.mean(exact.logpdf(test) - np.log(density(test.T)))
            + np.mean(np.log(density(draws.T)) - exact.logpdf(draws))
        )

    fitted = multivariate_normal(sample.mean(axis=0), np.cov(sample.T))
    right = sym_kl(lambda x: fitted.pdf(x.T), fitted.rvs(1000, random_state=rng))
    kernel = gaussian_kde(sample.T)
    return Check(
        "SymKL of a law from itself in d = 6, estimated from 1000 exact samples",
        0.0,
        right,
        sym_kl(kernel, kernel.resample(1000, seed=rng).T),
        0.1,
    )


def main(names: list[str]) -> int:
    unknown = [name for name in names if name not in ERRATA]
    if unknown:
        print(f"No erratum {', '.join(unknown)}. There are: {', '.join(ERRATA)}.", file=sys.stderr)
        return 2
    print(f"{'name':28}{'truth':>16}{'corrected':>16}{'printed':>16}  quantity")
    for name in names or ERRATA:
        check = ERRATA[name]()
        relation = "" if check.relation == "equal" else f" (must be {check.relation} the truth)"
        print(f"{name:28}{check.truth:16.9g}{check.right:16.9g}{check.printed:16.9g}  {check.quantity}{relation}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
