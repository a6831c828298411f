"""The same study by joblib's workers and on a local Dask cluster."""

import distributed
import joblib
import pytest
from study import sleepy
from study.test_study_store import bits


def test_two_joblib_workers_give_the_same_table():
    assert bits(sleepy.study().run(jobs=2)) == bits(sleepy.study().run())


@pytest.mark.filterwarnings("default::ResourceWarning")
def test_a_dask_cluster_of_two_workers_gives_the_same_table(tmp_path):
    study = sleepy.study()
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        table = study.run(store=tmp_path)
    assert bits(table) == bits(study.run())
    assert len(list(tmp_path.iterdir())) == len(table)
