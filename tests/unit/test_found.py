"""What fuzzing once found stays found: every kept input is checked again, and a few new ones of each kind."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.run import NAMES, load
from tests.fuzz.target import FOUND

KEPT = sorted(path for path in FOUND.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_what_once_broke_a_promise_keeps_it(path):
    load(path.parent.name).check(path.read_bytes())


def test_what_is_kept_belongs_to_a_target():
    assert {path.parent.name for path in KEPT} <= set(NAMES)
    assert len(KEPT) >= 10


@pytest.mark.parametrize("name", NAMES)
def test_every_seed_keeps_every_promise(name):
    target = load(name)
    assert len(target.seeds()) > 5
    for seed in target.seeds():
        target.check(seed)


@pytest.mark.parametrize("name", NAMES)
def test_changed_seeds_keep_every_promise(name):
    target = load(name)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(target.seeds()), st.randoms(use_true_random=False))
    def changed(seed, random):
        target.check(target.mutate(seed, random))

    changed()
