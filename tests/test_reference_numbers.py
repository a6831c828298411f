"""The numbers of reference_numbers.json that laws, flows, JKO sequences, energies and metrics reach.

Closed forms to 1e-10 relative, the others to the digits stated in docs/math.md's appendix B. Each constant below is
the file's
own, under its name there.
"""

from itertools import pairwise

import numpy as np
import pytest
from problems.closed_forms import ConfinedPorousMediumFlow, entropic_jko_variance
from scipy.integrate import quad
from scipy.optimize import fsolve

import pdeflow as pf
from pdeflow.energies.interactions import LogRepulsion, PowerLaw
from pdeflow.energies.potentials import Quadratic, StyblinskiTang
from pdeflow.laws import Barenblatt, Gaussian, Semicircle, Uniform
from pdeflow.problems.aggregation import quartic_second_moment, ring_radius

A2, B2 = [[1.5, 0.5], [0.5, 0.8]], [1.0, -0.5]
OU2 = pf.problems.ou(dim=2, matrix=A2, center=B2, initial=Gaussian([0, 0], 1.0))
NC = pf.problems.ou(
    dim=2, matrix=A2, center=B2, temperature=0.5, initial=Gaussian([0.5, 1.0], [[2.0, 0.9], [0.9, 0.6]])
)
OU1 = pf.problems.ou(matrix=2.0, center=1.0, initial=Gaussian(0.0, 1.0))
MCKEAN = pf.problems.mckean_vlasov_ou()  # the default entry is the one of the table
PME = pf.problems.porous_medium()  # d = 1, m = 2 from t = 0.002, horizon 0.02


def _ten():
    """docs/math.md 9: the block [[5, -3], [-3, 5]]/8 and the diagonal 1, 1, 1, 1/4, 1, 1, 1/4, 1/4."""
    sigma = np.diag([0, 0, 1, 1, 1, 0.25, 1, 1, 0.25, 0.25])
    sigma[:2, :2] = [[5 / 8, -3 / 8], [-3 / 8, 5 / 8]]
    center = np.array([1.0, 1, 0, 0, 1, 2, 0, 0, 2, 3])
    return pf.problems.ou(
        dim=10, matrix=np.linalg.inv(sigma), center=center, initial=Gaussian(np.zeros(10), 1.0)
    ), Gaussian(center, sigma)


TEN, TEN_LIMIT = _ten()


def jko(problem, dt, t):
    return pf.exact_jko(problem, dt=dt, times=[t]).final


def sym_kl(problem, dt, t):
    return pf.metrics.sym_kl(jko(problem, dt, t), problem.exact(t)).value


def w2(one, two):
    return pf.metrics.bures(one, two).value


CLOSED = {
    "baren_C_d1_m2": (0.3605623925768521, lambda: Barenblatt(1, 2, 1.0).constant),
    "baren_exact_R_d1_m2_t.022": (0.5828476683251456, lambda: Barenblatt(1, 2, 0.022).radius),
    "baren_jko20_W2err": (0.0030001640062206833, lambda: pf.metrics.w2(jko(PME, 0.001, 0.02), PME.exact(0.02)).value),
    "baren_C_d2_m2.4": (0.13708955130687345, lambda: Barenblatt(2, 2.4, 1.0).constant),
    "baren_M2_d2_m2.4_t0.1": (0.31844656340934224, lambda: Barenblatt(2, 2.4, 0.1).second_moment),
    "baren_M2_d2_m2.4_t0.6": (0.671840613872076, lambda: Barenblatt(2, 2.4, 0.6).second_moment),
    "baren_F_d2_m2.4_t0.6": (
        0.0833135681885015,
        lambda: pf.Energy(internal=pf.Power(2.4)).evaluate(Barenblatt(2, 2.4, 0.6)).value,
    ),
    "baren_C_d5_m3": (0.03678395805379977, lambda: Barenblatt(5, 3, 1.0).constant),
    "baren_R_d5_m3_t1.0": (1.150748664972848, lambda: Barenblatt(5, 3, 1.0).radius),
    "baren_M2_d5_m3_t1.5": (0.8855019460544132, lambda: np.trace(Barenblatt(5, 3, 1.5).cov())),
    "baren_F_d5_m3_t1.5": (
        0.004919455255857851,
        lambda: pf.Energy(internal=pf.Power(3)).evaluate(Barenblatt(5, 3, 1.5)).value,
    ),
    "baren_W2_d5_m3": (0.03126443068434826, lambda: pf.metrics.w2(Barenblatt(5, 3, 1.0), Barenblatt(5, 3, 1.5)).value),
    "baren_C_d15_m2": (0.03480705722128956, lambda: Barenblatt(15, 2, 1.0).constant),
    "baren_R_d15_m2_t1.0": (1.5384667338124962, lambda: Barenblatt(15, 2, 1.0).radius),
    "baren_M2_d15_m2_t1.0": (1.8685893876692292, lambda: Barenblatt(15, 2, 1.0).second_moment),
    "baren_M2_d15_m2_t1.5": (1.9598845834036085, lambda: Barenblatt(15, 2, 1.5).second_moment),
    "baren_F_d15_m2_t1.5": (0.005123881263800283, lambda: Barenblatt(15, 2, 1.5).energy()),
    "ring_R_4_2_d2": (0.5773502691896258, lambda: ring_radius(4, 2, 2)),
    "ring_R_4_2_d10": (0.6741998624632425, lambda: ring_radius(4, 2, 10)),
    "ring_R_3_2_d2": (0.5890486225480863, lambda: ring_radius(3, 2, 2)),
    "ou2_m2_t0.5": (-0.012570856782990636, lambda: OU2.exact(0.5).mean()[1]),
    "ou2_S11_t0.5": (0.794503910579109, lambda: OU2.exact(0.5).cov()[0, 0]),
    "ou2_S12_t0.5": (-0.29221226622500457, lambda: OU2.exact(0.5).cov()[0, 1]),
    "ou2_jko_S12_t0.5": (-0.28457426307848027, lambda: jko(OU2, 0.05, 0.5).cov()[0, 1]),
    "ou2_jko_symkl_t0.5": (0.0002976791215856646, lambda: sym_kl(OU2, 0.05, 0.5)),
    "ou2_jko_W2_t0.5": (0.012655254821258182, lambda: w2(jko(OU2, 0.05, 0.5), OU2.exact(0.5))),
    "ou2_m1_t0.9": (0.6234247054820351, lambda: OU2.exact(0.9).mean()[0]),
    "ou2_S12_t0.9": (-0.38661162687983563, lambda: OU2.exact(0.9).cov()[0, 1]),
    "ou2_jko_symkl_t0.9": (0.00020471582092084878, lambda: sym_kl(OU2, 0.05, 0.9)),
    "ou2_jko_W2_t0.9": (0.011082792557915392, lambda: w2(jko(OU2, 0.05, 0.9), OU2.exact(0.9))),
    "ou2nc_S22": (0.5363640624587391, lambda: NC.exact(0.7).cov()[1, 1]),
    "ou2nc_jko1_S12": (0.46728083916113744, lambda: jko(NC, 0.2, 0.2).cov()[0, 1]),
    "ou2nc_jko1_m1": (0.5126835781041388, lambda: jko(NC, 0.2, 0.2).mean()[0]),
    "ou2nc_W2": (1.0807725934227568, lambda: w2(NC.initial, NC.exact(0.7))),
    "ou1_jko_symkl_a2_t0.5": (0.0007365559946160444, lambda: sym_kl(OU1, 0.05, 0.5)),
    "ou1_jko_symkl_a2_t0.9": (0.0004507010207814274, lambda: sym_kl(OU1, 0.05, 0.9)),
    "pwgf10_mean5": (1.9993290747441943, lambda: TEN.exact(2.0).mean()[5]),
    "pwgf10_mean8": (1.9993290747441943, lambda: TEN.exact(2.0).mean()[8]),
    "pwgf10_mean9": (2.9989936121162915, lambda: TEN.exact(2.0).mean()[9]),
    "pwgf10_S00": (0.6250000422006906, lambda: TEN.exact(2.0).cov()[0, 0]),
    "pwgf10_S55": (0.25000008440138105, lambda: TEN.exact(2.0).cov()[5, 5]),
    "pwgf10_S88": (0.25000008440138105, lambda: TEN.exact(2.0).cov()[8, 8]),
    "pwgf10_KL_t0": (41.72741127776022, lambda: pf.metrics.kl(TEN.initial, TEN_LIMIT).value),
    "pwgf10_W2_t2": (0.13534318252901664, lambda: w2(TEN.exact(2.0), TEN_LIMIT)),
    "plaw_R_b0_d1": (1.4142135623730951, lambda: pf.problems.log_repulsion().exact(60.0).radius),
    "semicirc_var_t.5": (
        0.6839397205857212,
        lambda: pf.problems.log_repulsion(initial=Semicircle(2.0)).exact(0.5).cov()[0, 0],
    ),
    "E_uniform_1d": (
        -0.16666666666666666,
        lambda: pf.Energy(interaction=PowerLaw(2, 1)).evaluate(Uniform(-1, 1)).value,
    ),
    "E_semicircle": (
        0.5482867951399863,
        lambda: pf.Energy(interaction=LogRepulsion()).evaluate(Semicircle(np.sqrt(2))).value,
    ),
    "fdiv_KL": (0.18622232615985693, lambda: pf.metrics.kl(Gaussian(0.3, 0.64), Gaussian(-0.2, 1.21)).value),
    "pmedrift_scale": (
        0.7399201699656482,
        lambda: ConfinedPorousMediumFlow(2.5, 1.0, 1.1, Barenblatt.of_scale(3, 2.5, 0.8))(0.6).scale,
    ),
    "mckean_mean": (0.8394570207692074, lambda: MCKEAN.exact(0.35).mean()[0]),
    "mckean_jko1_var": (0.2834059375154416, lambda: jko(MCKEAN, 0.1, 0.1).cov()[0, 0]),
    "semicirc_jko10_sigma": (0.9308966311931485, lambda: jko(pf.problems.log_repulsion(), 0.1, 1.0).radius / 2),
    "newt1d_q.9_t.5": (1.7807259469881802, lambda: pf.problems.newtonian_1d().exact(0.5).quantile(0.9)),
    "entjko_var": (0.9912222051674879, lambda: entropic_jko_variance(1.0, 1.3, 1.0, 0.05, 0.02)),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name):
    value, compute = CLOSED[name]
    # symmetric KL of 2e-4 is a difference of numbers of size one: 2e-14 there is 1e-10 of it
    assert compute() == pytest.approx(value, rel=1e-10, abs=0)


def test_radial_characteristics_to_eleven_digits():
    values = quartic_second_moment(2, 0.25, [0.5, 2.0])
    assert values == pytest.approx([0.33505715050134044, 0.31619301950324175], rel=1e-11)  # ring_m2_t0.5, ring_m2_t2.0


def test_equilibrium_of_the_quartic_logarithmic_kernel():
    """eq_4log_m2_d2: ρ = (2/π)(|x|² + m_2) on |x| <= R for W = |x|⁴/4 - log|x|; mass one and E|x|² = m_2 fix R and
    m_2."""

    def balance(z):
        radius, m2 = z
        return radius**4 + 2 * m2 * radius**2 - 1, 2 * radius**6 / 3 + m2 * radius**4 - m2

    radius, m2 = fsolve(balance, (0.8, 0.4), xtol=1e-14)
    assert m2 == pytest.approx(0.39331989319032823, rel=1e-10)
    # and that it is the equilibrium: the force W'*ρ vanishes inside (nodes of the disc: Gauss in r², uniform in angle)
    z, w = np.polynomial.legendre.leggauss(60)
    kernel = PowerLaw(4.0, 0.0)
    angle = 2 * np.pi * (np.arange(400) + 0.5) / 400
    for at in (0.2, 0.5):
        force = 0.0
        for low, high in ((0.0, at), (at, radius)):  # the force of a circle jumps where it passes the point
            r = low + (high - low) * (z + 1) / 2
            weight = np.repeat(w * (high - low) / 2 * r * (2 / np.pi) * (r * r + m2), 400) * 2 * np.pi / 400
            points = np.stack([np.outer(r, np.cos(angle)).ravel(), np.outer(r, np.sin(angle)).ravel()], axis=1)
            force += weight @ kernel.grad(np.array([[at, 0.0]]) - points)[:, 0]
        assert abs(force) < 2e-4  # 400 angles resolve circles up to R/400 from the point


ST = {0.06: StyblinskiTang(1, 3 / 50), 0.02: StyblinskiTang(1, 1 / 50)}


def _mean(scale, function):
    """∫ function(x) e^(-V) dx over the line, split at the wells."""

    def integrand(x):
        return function(x) * np.exp(-ST[scale].value(np.array([[x]]))[0])

    ends = (-9.0, -5.0, -2.9, 0.15673125678034, 2.75, 5.0, 9.0)
    return sum(quad(integrand, a, b, epsabs=1e-13, epsrel=1e-13)[0] for a, b in pairwise(ends))


def _variance(scale):
    z, first = _mean(scale, lambda x: 1.0), _mean(scale, lambda x: x)
    return _mean(scale, lambda x: (x - first / z) ** 2) / z


def _kl_start(scale):
    """KL(N(0, I)‖ρ*) in dim 30: the energy at the start is E V - entropy, and log Z is added."""
    energy = pf.Energy(ST[scale], pf.Entropy(1.0)).evaluate(Gaussian(0.0, 1.0)).value
    return 30 * (energy + np.log(_mean(scale, lambda x: 1.0)))


@pytest.mark.parametrize(
    "value, compute",
    [
        pytest.param(172.51356097955667, lambda: _mean(0.06, lambda x: 1.0), id="st_3_50_Z1"),
        pytest.param(
            -1.8414879224961034, lambda: _mean(0.06, lambda x: x) / _mean(0.06, lambda x: 1.0), id="st_3_50_mean"
        ),
        pytest.param(
            0.17060175406215947,
            lambda: _mean(0.06, lambda x: float(x > 0.15673125678034)) / _mean(0.06, lambda x: 1.0),
            id="st_3_50_pright",
        ),
        pytest.param(88.54611943653106, lambda: _kl_start(0.06), id="st_3_50_KL0_d30"),
        pytest.param(87.70826106233349, lambda: 30 * np.log(_mean(0.02, lambda x: 1.0)), id="st_1_50_logZ30"),
        pytest.param(6.326985385452234, lambda: _variance(0.02), id="st_1_50_var"),
        pytest.param(
            0.3754900655327999,
            lambda: _mean(0.02, lambda x: float(x > 0.15673125678034)) / _mean(0.02, lambda x: 1.0),
            id="st_1_50_pright",
        ),
        pytest.param(37.3401050661933, lambda: _kl_start(0.02), id="st_1_50_KL0_d30"),
    ],
)
def test_styblinski_tang_constants(value, compute):
    assert compute() == pytest.approx(value, rel=1e-10)


def test_the_constants_of_the_papers_have_the_wrong_mass():
    """fan2022iclr prints C = (3/16)^(1/3) for d = 1, m = 2 (mass 2), jin2025 a d in the denominator (mass 1/d)."""
    law = Barenblatt(1, 2, 1.0)
    for constant, mass in ((law.constant, 1.0), ((3 / 16) ** (1 / 3), 2.0)):
        radius = np.sqrt(constant / law.k)
        assert quad(lambda x, c=constant: max(c - law.k * x * x, 0), -radius, radius)[0] == pytest.approx(
            mass, rel=1e-12
        )


def test_energy_of_the_quadratic_in_ten_dimensions_decays_to_its_limit():
    """F - F* = KL for temperature one: the number pwgf10_KL_t0 also as a difference of energies."""
    energy = pf.Energy(Quadratic(TEN.energy.potential.matrix, TEN.energy.potential.center), pf.Entropy())
    gap = energy.evaluate(TEN.initial).value - energy.evaluate(TEN_LIMIT).value
    assert gap == pytest.approx(41.72741127776022, rel=1e-12)
