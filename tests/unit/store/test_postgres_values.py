from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sloagent.store.postgres_values import ESCAPE, escaped, unescaped

awkward = st.text(st.sampled_from(["\0", ESCAPE, "0", "a", "\n", "限"]))


@given(st.text() | awkward)
def test_every_text_comes_back_and_holds_no_nul_in_between(text):
    assert "\0" not in escaped(text)
    assert unescaped(escaped(text)) == text


@given(awkward, awkward)
def test_two_texts_are_never_written_alike(one, other):
    assert (escaped(one) == escaped(other)) == (one == other)


@pytest.mark.parametrize("text", ["", "plain", 'verb=~"POST|PUT"', "限 \x01"])
def test_a_text_without_nul_is_written_as_it_is(text):
    assert escaped(text) is text
