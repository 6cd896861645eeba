from __future__ import annotations

from dataclasses import replace

from hypothesis import given

from sloagent.model.slo import Text
from sloagent.store.spec import slo_from, spec_text
from tests.unit.store.strategies import LATENCY, slos


@given(slos)
def test_an_slo_comes_back_with_all_that_its_fingerprint_covers(slo):
    back = slo_from(slo.set, slo.name, spec_text(slo))
    assert back == replace(slo, title=Text(""))
    assert back.fingerprint() == slo.fingerprint()


def test_titles_and_places_are_not_kept():
    retold = replace(LATENCY, title=Text("Latency", "时延"), note=Text("a lower bound"), place="a.yaml:3", section="x")
    assert spec_text(retold) == spec_text(LATENCY)
