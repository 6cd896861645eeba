"""What is read after this process did not run was not seen when it came."""

from __future__ import annotations

from sloagent.probes.attention import AFTER_SECONDS, BEAT_SECONDS, Attention


def test_attention_is_lacking_during_a_stall_and_shortly_after_it():
    now = [0.0]
    attention = Attention(clock=lambda: now[0])
    for _ in range(10):
        now[0] += BEAT_SECONDS
        attention.beat()
        assert not attention.lacking(now[0])
    now[0] += 3.0
    assert attention.lacking(now[0])  # read before the beat that notices
    attention.beat()
    assert attention.lacking(now[0])  # read after it, and it may have waited all the same
    now[0] += BEAT_SECONDS
    attention.beat()
    assert attention.lacking(now[0])
    while attention.lacking(now[0]):
        now[0] += BEAT_SECONDS
        attention.beat()
    assert 3.2 + AFTER_SECONDS <= now[0] < 3.4 + AFTER_SECONDS
