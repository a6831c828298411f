"""Table 2 of mokrov2022: Bayesian logistic regression, each method against a long exact chain on the same splits.

`make data`, then `python validation/reproductions/mokrov2022.py table2 --sets banana german --splits 3`. With --quick
two generated sets of 400 points and one split, which need no files (`make validate` runs these).
"""

import json
import time
from pathlib import Path

import numpy as np
from _report import REPORTS, command
from logistic_regression.data_sets import QUICK, SETS
from logistic_regression.report import lines_of, missed

import pdeflow as pf
from pdeflow.applications import logistic

MADE_BY = "python validation/reproductions/mokrov2022.py table2 --sets NAME --first SPLIT --methods NAME"
DRAWS = 4096  # of each method that has a law, as published
RATE = 0.01  # of the Gamma prior, as in the text; the code of the authors has 100
STEP, STEPS = 0.5, 6  # of the JKO methods; the steps are long, which an implicit scheme may take
CLOUD = 1024  # particles of SVGD and Langevin
BATCH = 500  # points of a score, of the sets with many
POOL = pf.neural.Training(pool=32_768)  # the same particles in all runs of a split, which begin with the same seed
MANY = 2000  # points, beyond which batches, iterations, clouds and chains are smaller, as a likelihood is dear
UNSEEN = 1e-6  # of the largest singular value: `image` has sums that are written in six digits
# Settings were tuned on split 0 of the sets, of image on split 1 too, of ringnorm on split 2, of splice on none. On
# those named here the usual ones diverge, or depend on the few draws of the prior that lie furthest out.
TAMED = ("image", "ringnorm", "twonorm", "splice", "ringnorm-generated")
ALIGNED = ("banana", "ringnorm", "waveform")  # neurons in random directions leave log α skew, beyond 3 in some split
THIN = {"twonorm": 10}  # sweeps between draws where 5 leave them too much alike


def icnn_jko(posterior, seed):
    """Six JKO steps of 0.5 from the prior."""
    batch, iterations = (256, 120) if len(posterior.labels) > MANY else (512, 200)
    method = pf.neural.ICNNJKO(32, iterations, batch, 0.05, training=pf.neural.Training(pool=65_536))
    return pf.solve(posterior.problem(), method, dt=STEP, times=[STEP * STEPS], seed=seed).final


def tamed_icnn_jko(posterior, seed):
    """Five JKO steps of 1 from the prior where it has no wide tails, and six where the posterior is round."""
    method = pf.neural.ICNNJKO(32, 120, 256, 0.03, training=POOL)
    return _where_round(posterior, _where_tame(posterior, seed), method, 1.0, 6, seed)


def aligned_icnn_jko(posterior, seed):
    """Five steps of 1 from the prior where it has no wide tails, and four of 3 where the posterior is round.

    The neurons of the last four lie along the axes in which the curvature varies, above all that of log α: of neurons
    in random directions none does, and they hardly turn. These steps may be long, as only their end counts.
    """
    network = pf.neural.Network(directions="curvature", signed=True)
    method = pf.neural.ICNNJKO(4 * posterior.dim, 150, 256, 0.06, network=network, training=POOL)
    return _where_round(posterior, _where_tame(posterior, seed), method, 3.0, 4, seed)


def _where_tame(posterior, seed):
    """The law after five steps of 1 from the prior, with weights in units of their prior spread."""
    tame, method = logistic.Scaled(posterior), pf.neural.ICNNJKO(32, 120, 256, 0.05, training=POOL)
    return tame.back(pf.solve(tame.problem(), method, dt=1.0, times=[5.0], seed=seed).final)


def _where_round(posterior, law, method, dt, steps, seed):
    """The law after steps of `method` from another law, in the coordinates in which the posterior is round."""
    well = logistic.whitened(posterior)
    return well.back(pf.solve(well.problem(law), method, dt=dt, times=[dt * steps], seed=seed).final)


def variational_jko(posterior, seed):
    """Five steps of 1 from the prior, and six where the posterior is round, by the variational formula."""
    training = pf.neural.Training(pool=32_768)
    law = None
    for potential, steps, rate in ((logistic.Scaled(posterior), 5, 0.05), (logistic.whitened(posterior), 6, 0.03)):
        method = pf.neural.VariationalJKO(outer=150, batch=256, learning_rate=rate, training=training)
        run = pf.solve(potential.problem(law), method, dt=1.0, times=[float(steps)], seed=seed)
        law = potential.back(run.final)
    return law


def plain_variational_jko(posterior, seed):
    """Six steps of 0.5 in the coordinates (w, log α), as the plain ones of ICNN-JKO."""
    method = pf.neural.VariationalJKO(batch=512, training=pf.neural.Training(pool=65_536))
    return pf.solve(posterior.problem(), method, dt=STEP, times=[STEP * STEPS], seed=seed).final


def _by_adagrad(posterior, particles, seed, steps, dt):
    """A cloud from the prior after AdaGrad steps of `SVGD`, with scores of batches where there are many points."""
    method, rng = pf.particle.SVGD(particles, step_rule="adagrad", dtype="float32"), np.random.default_rng([seed, 3])
    state, count = method.init(posterior.problem(), rng), len(posterior.labels)
    for _ in range(steps):
        some = posterior if count <= MANY else posterior.minibatch(rng.choice(count, BATCH, replace=False))
        state = method.step(some.problem(), state, dt, rng)
    return method.law(state)


def svgd(posterior, seed):
    """1,024 particles: 100 steps of AdaGrad from the prior, then 150 fixed ones where the posterior is round.

    The kernel has the width of the standard normal law there, ℓ = 2 d, in place of 2 d/log(n + 1): a narrow one sees
    only the particle itself, and the cloud shrinks.
    """
    well = logistic.whitened(posterior)
    near = well.problem(_by_adagrad(posterior, CLOUD, seed, 100, 0.1))
    method = pf.particle.SVGD(CLOUD, bandwidth=2.0 * posterior.dim, dtype="float32")
    return well.back(pf.solve(near, method, dt=2.0, times=[300.0], seed=seed).final)


def published_svgd(posterior, seed):
    """The rule of the public code: 600 steps of AdaGrad, ℓ = median²/log(n + 1), in (w, log α); 512 particles."""
    return _by_adagrad(posterior, 512, seed, 600, 0.05)


def langevin(posterior, seed):
    """Euler-Maruyama: 300 steps from the prior, the last by the curvature at the mode, and 400 in `whitened`.

    The first are a hundredth, then a tenth as long: where log α is large, labels draw weights out at once, and a long
    step makes of e^η |w|² a fall of log α by dozens, from which it comes back at a speed that does not grow with that.
    """
    well = logistic.whitened(posterior)
    largest = 0.25 / np.linalg.eigvalsh(np.linalg.inv(logistic.laplace(posterior).cov()))[-1]
    method = pf.particle.EulerMaruyama(CLOUD // 4 if len(posterior.labels) > MANY else CLOUD)
    law = posterior.prior()
    for number, share in enumerate((0.01, 0.1, 1.0)):
        dt = share * largest
        law = pf.solve(posterior.problem(law), method, dt=dt, times=[100 * dt], seed=seed + 1000 * number).final
    for number, (dt, end) in enumerate(((0.05, 10.0), (0.02, 4.0)), 3):
        law = well.back(pf.solve(well.problem(law), method, dt=dt, times=[end], seed=seed + 1000 * number).final)
    return law


def laplace(posterior, seed):
    """The Gaussian at the mode."""
    return logistic.laplace(posterior)


def dual_jko(posterior, seed):
    """Six steps of half the length, as entropic ones need, from the prior in `Scaled`, where it has no wide tails."""
    method = pf.neural.DualJKO(2048, bumps=20)
    return _drawn(logistic.Scaled(posterior), None, method, 0.25, seed)


def dual_jko_from_laplace(posterior, seed):
    """Six steps of 0.5 from Laplace's Gaussian, where the posterior is round: it does not run from the prior."""
    method = pf.neural.DualJKO(2048, bumps=20)
    return _drawn(logistic.whitened(posterior), logistic.laplace(posterior), method, 0.5, seed)


def _drawn(potential, start, method, dt, seed):
    """A cloud drawn from the `DualLaw` after six steps, which has no other draws, by importance sampling."""
    law, rng = pf.solve(potential.problem(start), method, dt=dt, times=[6 * dt], seed=seed).final, [seed, 4]
    weighted = law.importance_sample(16 * DRAWS, np.random.default_rng(rng))
    return potential.back(pf.laws.Particles(weighted.sample(DRAWS, np.random.default_rng([*rng, 1]))))


METHODS = {
    "ICNN-JKO": icnn_jko,
    "variational JKO": variational_jko,
    "DualJKO": dual_jko,
    "SVGD": svgd,
    "Langevin": langevin,
    "Laplace": laplace,
    "prior": lambda posterior, seed: posterior.prior(),
    "variational JKO, plain": plain_variational_jko,
    "SVGD, public rule": published_svgd,
    "DualJKO from Laplace": dual_jko_from_laplace,
}


def judged(draws, truth, test, rng):
    """The numbers of one cloud of draws: distances to the chain, and what it predicts."""
    cloud = pf.laws.Particles(draws)
    energy = pf.metrics.energy_distance(cloud, truth)
    spread = truth.x.std(axis=0)
    marginals = [
        pf.metrics.w2(pf.laws.Particles(mine), pf.laws.Particles(theirs)).value
        for mine, theirs in zip(draws.T, truth.x.T, strict=True)
    ]
    sliced = pf.metrics.sliced_w2(pf.laws.Particles(draws / spread), pf.laws.Particles(truth.x / spread), rng=rng)
    return {
        "energy": energy.value,
        "null": energy.null,
        "sliced": sliced.value,
        "marginal": float(np.max(marginals / spread)),
        "variance": float(np.median(draws.var(axis=0) / spread**2)),
        **predicted(draws, test),
    }


def predicted(draws, test):
    """Accuracy and log-likelihood on the test part, with the errors that come of labels and of draws."""
    found = logistic.predictions(draws, test.features, test.labels)
    return {
        "draws": len(draws),
        "accuracy": found.accuracy.value,
        "accuracy_of_labels": found.accuracy.stderr,
        "accuracy_of_draws": found.accuracy_of_draws,
        "log_likelihood": found.log_likelihood.value,
        "log_likelihood_of_labels": found.log_likelihood.stderr,
        "log_likelihood_of_draws": found.log_likelihood_of_draws,
    }


def timed(function, *arguments):
    """(what it returns, wall seconds, CPU seconds)."""
    wall, cpu = time.perf_counter(), time.process_time()
    found = function(*arguments)
    return found, time.perf_counter() - wall, time.process_time() - cpu


def kept_chain(folder, name, seed, posterior):
    """(chain, wall seconds, CPU seconds): from `folder` where an earlier run has left it there, else drawn and kept."""
    file = folder / f"{name}_{seed}_rate_{posterior.rate:g}.npz"
    if file.exists():
        with np.load(file) as kept:
            chain = logistic.Chain(kept["draws"], int(kept["thin"]), int(kept["warm_up"]))
            return chain, float(kept["seconds"]), float(kept["cpu"])
    draws = 512 if len(posterior.labels) > MANY else 2048
    rng = np.random.default_rng([seed, 1])
    chain, wall, cpu = timed(lambda: logistic.gibbs(posterior, rng, draws=draws, thin=THIN.get(name, 5)))
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(file, draws=chain.draws, thin=chain.thin, warm_up=chain.warm_up, seconds=wall, cpu=cpu)
    return chain, wall, cpu


def _of_icnn_jko(name, rate):
    """Which of the three runs a set has; with another rate than the usual one tails are wider on all."""
    if rate == RATE and name in ALIGNED:
        return aligned_icnn_jko
    return tamed_icnn_jko if rate != RATE or name in TAMED else icnn_jko


def one_split(name, seed, wanted, options):
    """Rows of one split of one set: the chain first, then the methods; a refused run is a row with its reason."""
    train, test = SETS[name].read(options.data).split(seed)
    posterior = logistic.Posterior(train.features, train.labels, rate=options.rate)
    same = {"set": name, "split": seed, "points": len(train) + len(test), "features": train.features.shape[1]}
    chain, wall, cpu = kept_chain(options.chains, name, seed, posterior)
    truth = chain.law()
    facts = {"r_hat": float(chain.r_hat().max()), "effective": float(chain.effective().min())}
    yield {**same, "method": "chain", "seconds": wall, "cpu": cpu, **facts, **predicted(truth.x, test)}
    rng, apart = np.random.default_rng([seed, 2]), logistic.seen_weights(posterior, UNSEEN)
    for method in wanted:
        try:
            function = _of_icnn_jko(name, options.rate) if method == "ICNN-JKO" else METHODS[method]
            law, wall, cpu = timed(function, apart.posterior, seed)
        except pf.PdeflowError as error:
            yield {**same, "method": method, "why": f"{type(error).__name__}: {error}"}
            continue
        atoms = law.atoms()
        draws = apart.completed(law.sample(DRAWS, rng) if atoms is None else atoms[0], rng)
        yield {**same, "method": method, "seconds": wall, "cpu": cpu, **judged(draws, truth, test, rng)}


def arguments(parser):
    """The options of this table on the command line."""
    parser.add_argument("--sets", nargs="*", choices=list(SETS), default=[name for name in SETS if name not in QUICK])
    parser.add_argument("--methods", nargs="*", choices=list(METHODS), default=list(METHODS))
    parser.add_argument("--splits", type=int, default=1, help="how many; split k has the seed k")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--data", type=Path, default=Path("data"), help="the folder that `make data` fills")
    parser.add_argument("--rate", type=float, default=RATE, help="of the Gamma prior; another one wants another --out")
    parser.add_argument("--chains", type=Path, default=Path("out") / "chains", help="where chains are kept")
    parser.add_argument("--out", type=Path, default=REPORTS / "logistic_regression" / "table2.md")
    parser.add_argument("--quick", action="store_true", help="two generated sets of 400 points, ICNN-JKO and Laplace")


def kept_rows(store):
    """The rows of earlier runs."""
    return json.loads(store.read_text(encoding="utf-8")) if store.exists() else []


def keep_rows(store, rows):
    """Write rows, a line each, so that the rows of two people can be merged."""
    store.write_text("[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n", encoding="utf-8")


def made_by(rate):
    """The command that adds rows to a report."""
    return MADE_BY + ("" if rate == RATE else f" --rate {rate:g} --out FILE")


def run(options):
    """Compute the rows that the report has not yet, and write it; 1 where a bar is missed."""
    if options.quick:
        options.sets, options.methods, options.splits = list(QUICK), ["ICNN-JKO", "Laplace"], 1
        options.out = options.out.with_name("quick.md")
    store = options.out.with_suffix(".json")
    store.parent.mkdir(parents=True, exist_ok=True)
    rows = [] if options.quick else kept_rows(store)
    for name in options.sets:
        for seed in range(options.first, options.first + options.splits):
            there = {row["method"] for row in rows if (row["set"], row["split"]) == (name, seed)}
            wanted = [method for method in options.methods if method not in there]
            if wanted:
                new = [row for row in one_split(name, seed, wanted, options) if row["method"] not in there]
                rows = [*(rows if options.quick else kept_rows(store)), *new]  # other runs may have added theirs
                rows.sort(key=lambda row: (list(SETS).index(row["set"]), row["split"]))
                keep_rows(store, rows)
                print(f"{name}, split {seed}: done", flush=True)
    lines = lines_of(rows, SETS, METHODS, command() if options.quick else made_by(options.rate), options.rate)
    options.out.write_text("\n".join(lines), encoding="utf-8")
    print("\n".join(lines))
    return 1 if missed(rows) else 0
