"""What the user's own code has put into classes and objects of the package."""

import pdeflow as pf
from pdeflow._core.patches import has_users_code, put_into, put_on


def test_nothing_is_put_into_what_the_package_defines():
    for kind in (pf.grid.ChangCooper, pf.laws.Gaussian, pf.laws.GaussianMixture, pf.Problem, pf.Study, pf.Trajectory):
        assert put_into(kind) == {}, kind
    for thing in (pf.grid.ChangCooper(10), pf.laws.Gaussian(0, 1), pf.problems.ou(), pf.problems.ou().initial):
        assert put_on(thing) == {}, thing


def test_what_is_put_into_a_class_or_a_base_of_it_is_found(monkeypatch):
    monkeypatch.setattr(pf.laws.Gaussian, "sample", pf.laws.GaussianMixture.sample)  # of the package, but elsewhere
    assert put_into(pf.laws.Gaussian) == {"Gaussian.sample": pf.laws.GaussianMixture.sample}
    setting = property(lambda self: 1)
    monkeypatch.setattr(pf.laws.Gaussian.__mro__[1], "new_setting", setting, raising=False)
    assert setting in put_into(pf.laws.Gaussian).values()


def test_what_is_put_on_an_object_is_found():
    law = pf.laws.Gaussian(0, 1)
    law.sample = len
    assert put_on(law) == {"sample": len}


def test_wrappers_are_looked_through():
    assert has_users_code(staticmethod(lambda: 1)) and has_users_code(property(lambda self: 1))
    assert not has_users_code(len) and not has_users_code(staticmethod(len)) and not has_users_code(3)
