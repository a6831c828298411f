"""What a host program has set in torch changes no result, is left as it was, and a random energy is refused.

Of the kind of gmboquet/mixle#509, SeanNaren/warp-ctc#5 and dbolya/yolact#727.
"""

import contextlib

import numpy as np
import pytest

import pdeflow as pf

torch = pytest.importorskip("torch")

SMALL = {"batch": 16, "training": pf.neural.Training(pool=64)}
DUAL = {"outer": 3, "dual": pf.neural.DualNetwork(width=2, depth=1)} | SMALL
FLOW = {"samples": 100, "integrator": pf.neural.Euler()}
METHODS = {
    "icnn": pf.neural.ICNNJKO(width=2, iterations=3, **SMALL),
    "stochastic": pf.neural.ICNNJKO(width=2, iterations=3, logdet="stochastic", particles="fresh", **SMALL),
    "convex": pf.neural.VariationalJKO(map=pf.neural.Convex(width=2), **DUAL),
    "residual": pf.neural.VariationalJKO(map=pf.neural.DeepResidual(width=2), **DUAL),
    "affine": pf.neural.VariationalJKO(map=pf.neural.Affine(), **DUAL),
    "planar": pf.neural.PWGF(map=pf.neural.Planar(layers=2), **FLOW),
    "layers": pf.neural.PWGF(map=pf.neural.Residual(layers=2, width=2), **FLOW),
    "ode": pf.neural.PWGF(map=pf.neural.NeuralODE(steps=2, width=2), **FLOW),
    "splines": pf.neural.PWGF(map=pf.neural.Coordinatewise(), **FLOW),
    "pfpe": pf.neural.PFPE(map=pf.neural.Planar(layers=2), features=5, **FLOW),
}


@contextlib.contextmanager
def setting(change, back):
    change()
    try:
        yield
    finally:
        back()


# two programs, as all that one has set at once costs one run
HOSTS = {
    "half precision, another device, autocast, no gradients, the debugger of gradients, coarse products": lambda: (
        setting(lambda: torch.set_default_dtype(torch.float16), lambda: torch.set_default_dtype(torch.float32)),
        setting(
            lambda: torch.set_float32_matmul_precision("medium"), lambda: torch.set_float32_matmul_precision("highest")
        ),
        torch.device("meta"), torch.autocast("cpu", dtype=torch.bfloat16), torch.no_grad(),
        torch.autograd.set_detect_anomaly(True),
    ),
    "inference, double precision, deterministic": lambda: (
        setting(lambda: torch.set_default_dtype(torch.float64), lambda: torch.set_default_dtype(torch.float32)),
        setting(
            lambda: torch.use_deterministic_algorithms(True), lambda: torch.use_deterministic_algorithms(False)
        ),
        torch.inference_mode(),
    ),
}  # fmt: skip
PROBLEM = pf.problems.mixture_ou(horizon=0.01)


def state():
    return (
        torch.get_default_dtype(), torch.get_default_device(), torch.is_grad_enabled(),
        torch.is_inference_mode_enabled(), torch.is_autocast_enabled("cpu"), torch.is_anomaly_enabled(),
        torch.are_deterministic_algorithms_enabled(), torch.get_float32_matmul_precision(), torch.get_num_threads(),
        torch.get_rng_state().tolist(),
    )  # fmt: skip


def numbers(method):
    """Points of the last law, its log density there where it has one, and those of the law kept in arrays and back."""
    law = pf.solve(PROBLEM, METHODS[method], dt=0.01, seed=2).final
    out = [law.sample(20, np.random.default_rng(0)).tobytes()]
    for kept in (law, pf.laws.PushForward.from_data(*law.to_data())):
        with contextlib.suppress(pf.NotAvailable):
            out += [part.tobytes() for part in kept.sample_with_log_density(5, np.random.default_rng(1))]
    return out


@pytest.mark.parametrize("method", METHODS)
def test_what_the_host_program_has_set_changes_no_bit_and_is_left_as_it_was(method):
    expected = numbers(method)
    for name, host in HOSTS.items():
        with contextlib.ExitStack() as stack:
            for part in host():
                stack.enter_context(part)
            before = state()
            assert numbers(method) == expected, name
            assert state() == before, name


class Network:
    """A potential by a torch module, in training mode as it comes."""

    dim = 1

    def __init__(self, *layers, dtype=torch.float64):
        generator = torch.Generator().manual_seed(0)
        self.module = torch.nn.Sequential(torch.nn.Linear(1, 4), *layers, torch.nn.Linear(4, 1)).to(dtype)
        for parameter in self.module.parameters():
            parameter.data = torch.randn(parameter.shape, generator=generator, dtype=dtype)

    def value(self, x):
        tensor = torch.as_tensor(x).to(next(self.module.parameters()).dtype)
        out = self.module(tensor)[:, 0] + (tensor**2).sum(1)
        return out if isinstance(x, torch.Tensor) else out.detach().numpy()

    def grad(self, x):
        tensor = torch.as_tensor(x).detach().clone()
        with torch.enable_grad():
            slope = torch.autograd.grad(self.value(tensor.requires_grad_()).sum(), tensor)[0]
        return slope if isinstance(x, torch.Tensor) else slope.numpy()


@pytest.mark.parametrize("method", ["icnn", "convex", "planar"])
def test_an_energy_that_is_no_function_of_a_point_is_refused(method):
    for layer in (torch.nn.Dropout(0.5), torch.nn.BatchNorm1d(4)):
        problem = pf.Problem(pf.Energy(Network(layer), pf.Entropy()), pf.laws.Gaussian(0.0, 1.0), 0.1)
        before = torch.get_rng_state()
        with pytest.raises(pf.Unsupported):
            pf.solve(problem, METHODS[method], dt=0.1, seed=0)
        assert torch.equal(before, torch.get_rng_state())
        problem.energy.potential.module.eval()
        one, two = (pf.solve(problem, METHODS[method], dt=0.1, seed=0).final for _ in range(2))
        same = [law.sample(5, np.random.default_rng(0)).tobytes() for law in (one, two)]
        assert same[0] == same[1]
