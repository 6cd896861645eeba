"""What a Prometheus says: whatever it is, an answer or a refusal, and never a verdict that the answer does not bear."""

from __future__ import annotations

import itertools
import json
import math
import time
import zlib
from dataclasses import replace
from functools import cache
from random import Random
from urllib.parse import parse_qs

from sloagent.evaluation.judge import judge
from sloagent.evaluation.reasons import reason
from sloagent.model.samples import Answer, Refusal
from sloagent.model.slo import SLO, LatencySLI, Limit, Objective, Override, RatioSLI, ValueSLI
from sloagent.model.verdict import Outcome, Quantile, SlotVerdict, Verdict
from sloagent.sources.connection import Reply
from sloagent.sources.http_config import PrometheusSettings
from sloagent.sources.prometheus import PrometheusSource
from sloagent.store.sqlite import SQLiteStore
from tests.fuzz import mutation, reading
from tests.fuzz.target import SEEDS, Target, expect

SLOT = 1_795_320_000
LATENCY = Objective(Limit(at_most=1.0, warn_at=0.5), 99.0, (Override((("resource", "pods"),), Limit(at_most=30.0)),))
SLOS = (
    SLO("f", "latency", LatencySLI(("a",), "", ()), LATENCY, 60, 300, min_events=10.0),
    SLO("f", "latency-any", LatencySLI(("a",), "", ()), Objective(Limit(at_most=0.7), 50.0), 60, 300, allow_partial=True),
    SLO("f", "latency-tbd", LatencySLI(("a", "b"), "", ()), None, 60, 300),
    SLO("f", "native", LatencySLI(("a",), "", (), native=True), LATENCY, 60, 300),
    SLO("f", "good", RatioSLI("good", "g", "t"), Objective(Limit(at_least=0.99, warn_at=0.995)), 60, 300, min_events=5.0),
    SLO("f", "bad", RatioSLI("bad", "b", "t"), Objective(Limit(at_least=0.9)), 60, 300),
    SLO("f", "bad-zero", RatioSLI("bad", "b", "t", bad_absent_is_zero=True), Objective(Limit(at_least=1.0)), 60, 300),
    SLO("f", "value", ValueSLI("v", "bytes"), Objective(Limit(at_most=8.0, warn_at=6.0)), 60, 300),
    SLO("f", "value-least", ValueSLI("v", "ratio"), Objective(Limit(at_least=0.5)), 60, 300),
    SLO("f", "value-grows", ValueSLI("v", "bytes"), Objective(Limit(), grows_at_most=1.0), 60, 300),
)  # fmt: skip
MOST_STORED = 500
"""Slots after which a new store is taken, so that its memory does not count as that of an input."""


class Recorded:
    """What a Prometheus says, without a socket: it stands where a connection sends a question and reads the answer."""

    def __init__(self) -> None:
        self.instant: dict[int, bytes] = {}
        self.range = b""

    def ask(self, _method: str, path: str, form: bytes, _content_type: str) -> Reply:
        """The answer to a question."""
        now = time.monotonic()
        if path == "/api/v1/query":
            return Reply(self.instant[int(parse_qs(form.decode())["time"][0])], None, now, now)
        body = self.range if path == "/api/v1/query_range" else b'{"status":"success","data":["up"]}'
        return Reply(body, None, now, now)


@cache
def _source() -> tuple[PrometheusSource, Recorded]:
    recorded = Recorded()
    source = PrometheusSource(PrometheusSettings(url="http://127.0.0.1:9", name="fuzzed"))
    source._connection._ask = recorded.ask
    return source, recorded


class _Stored:
    """A store in memory, taken anew after a while."""

    store: SQLiteStore | None = None
    slots = 0

    @classmethod
    def round_trip(cls, judged: SlotVerdict) -> None:
        """Keep a verdict and read it back."""
        if cls.store is None or cls.slots >= MOST_STORED:
            if cls.store is not None:
                cls.store.close()
            cls.store, cls.slots = SQLiteStore(":memory:"), 0
        cls.slots += 1
        kept = replace(judged, slot=SLOT + 300 * cls.slots)
        expect(cls.store.append("fuzzed", [kept]) == 1, "a verdict was not stored")
        back = list(cls.store.slots("fuzzed", kept.slo, (kept.slot, kept.slot)))
        expect(back == [replace(kept, distributions=None)], f"{kept} came back as {back}")
        tiles = dict(cls.store.tiles("fuzzed", kept.slo, (kept.slot, kept.slot)))
        expect((tiles.get(kept.slot) or None) == (kept.distributions or None), "distributions came back as others")


def check(content: bytes) -> None:
    """Judge the body as the answer to each kind of question, at an instant and over a range."""
    sample = zlib.crc32(content)
    for at, slo in enumerate(SLOS):
        judged = _judged(slo, content)
        _check_verdict(judged)
        _check_meaning(judged, content)
        if (sample + at) % 16 == 0 and not judged.pending:
            _Stored.round_trip(judged)
    chosen = SLOS[sample % len(SLOS)]
    _check_range(chosen, content)
    for slo in SLOS if b'"matrix"' in content else (chosen,):
        _any_range(slo, content)


def _judged(slo: SLO, content: bytes) -> SlotVerdict:
    source, recorded = _source()
    recorded.instant = {SLOT: content}
    found = source.at(slo, SLOT)
    if isinstance(found, Refusal):
        expect(found.message.isprintable(), f"a message that a terminal would obey: {found.message!r}")
    return judge(slo, SLOT, found)


def _check_verdict(judged: SlotVerdict) -> None:
    """Numbers are within their bounds, and the reason can be told in both languages."""
    slo = judged.slo
    for verdict in judged.verdicts:
        share = verdict.good_share
        expect(share is None or 0 <= share.lower <= share.upper <= 1, f"a share of {share}")
        expect(verdict.events is None or verdict.events >= 0, f"{verdict.events} events")
        expect(verdict.value is None or not math.isnan(verdict.value), f"a value of {verdict.value}")
        for quantile in verdict.quantiles:
            expect(quantile is None or _lies_inside(quantile), f"{quantile}")
        _check_gate(slo, verdict)
        for lang in ("en", "zh"):
            expect(reason(slo, verdict, lang), "no reason")
    for lang in ("en", "zh"):
        expect(reason(slo, judged, lang), "no reason")


def _lies_inside(quantile: Quantile) -> bool:
    """Whether it lies in its bucket, but for the last bit: it is interpolated by the formula of Prometheus itself."""
    lower, value, upper = quantile.lower, quantile.value, quantile.upper
    slack = 1e-12 * max(abs(n) for n in (lower, value, upper) if math.isfinite(n))
    return lower - slack <= value <= upper + slack


def _check_gate(slo: SLO, verdict: Verdict) -> None:
    decided = verdict.outcome in (Outcome.PASS, Outcome.WARN, Outcome.FAIL)
    expect(not decided or verdict.gates, "a decided series that does not gate")
    expect(slo.objective is not None or not verdict.gates, "a series gates that nothing is promised of")


def _check_meaning(judged: SlotVerdict, content: bytes) -> None:
    """A second reading of the same bytes must bear the verdict."""
    may = reading.of_slot(judged.slo, content)
    match judged.outcome:
        case Outcome.PASS:
            expect(may.stay_calm, f"{judged.slo.name} passes and must not")
        case Outcome.WARN:
            expect(may.keep, f"{judged.slo.name} is kept and must not be")
        case Outcome.FAIL:
            expect(may.fail, f"{judged.slo.name} fails and must not")
        case _:
            pass


def _check_range(slo: SLO, content: bytes) -> None:
    """A range answer says of each slot what an instant one says of it."""
    source, recorded = _source()
    slots = [SLOT, SLOT + slo.interval, SLOT + 2 * slo.interval]
    for body, instants in reading.slots_of(content, slots):
        recorded.range = body
        recorded.instant = dict(zip(slots, instants, strict=True))
        found = source.over(slo, slots)
        if isinstance(found, Refusal):
            continue
        for slot, one in zip(slots, found, strict=True):
            alone = source.at(slo, slot)
            if isinstance(alone, Answer):
                alone = replace(alone, warnings=())
            expect(_same(one, alone), f"{slo.name}: {one} over a range and {alone} alone")


def _same(one: Answer | Refusal, other: Answer | Refusal) -> bool:
    # By their texts, in which a NaN is equal to itself, and so is no negative zero to zero.
    return repr(one) == repr(other)


def _any_range(slo: SLO, content: bytes) -> None:
    """The same bytes as the answer to a range: an answer for each slot, or a refusal."""
    source, recorded = _source()
    recorded.range = content
    found = source.over(slo, slots := [SLOT, SLOT + 60, SLOT + 120])
    if isinstance(found, Refusal):
        expect(found.message.isprintable(), f"a message that a terminal would obey: {found.message!r}")
        return
    strange = [at for at in reading.times_of(content) if at not in slots]
    expect(not strange, f"what was said of {strange} is taken for what was asked")
    for slot, one in zip(slots, found, strict=True):
        _check_verdict(judge(slo, slot, one))


@cache
def seeds() -> tuple[bytes, ...]:
    """Answers as Prometheus writes them, one of each kind."""
    return tuple(path.read_bytes() for path in sorted((SEEDS / "answers").glob("*.json")))


def mutate(content: bytes, random: Random) -> bytes:
    """An answer made anew of odd numbers and labels, the same answer with nodes changed, sometimes bytes."""
    sort = random.random()
    return made(random) if sort < 0.3 else mutation.of_json(content, random) if sort < 0.9 else (
        mutation.of_bytes(content, random)
    )  # fmt: skip


def made(random: Random) -> bytes:
    """An instant answer with a few series: histograms, sides of a ratio, values, native histograms."""
    result: list[object] = []
    for _ in range(random.randint(0, 3)):
        labels = {random.choice(("resource", "verb", "")): random.choice(("pods", "nodes", "", "é\n"))}
        match random.randint(0, 3):
            case 0:
                bounds = [
                    random.choice(("0.1", "0.5", "0.7", "1", "1.0", "2", "30", "-1", "0", "NaN", "x")) for _ in range(4)
                ]
                counts = _counts(random, len(bounds) + 1)
                marks = [*sorted(bounds, key=_size), "+Inf"] if random.random() < 0.8 else bounds
                result += [_series({**labels, "le": le}, n) for le, n in zip(marks, counts, strict=False)]
            case 1:
                for side in ("part", "total", "other")[: random.randint(1, 3)]:
                    result.append(_series({**labels, "sloagent_side": side}, _number(random)))
            case 2:
                result.append(_series(labels, _number(random)))
            case _:
                edges = sorted(random.sample((-1.0, -0.5, 0.0, 0.1, 0.5, 0.7, 1.0, 2.0, 30.0), random.randint(1, 5)))
                pairs = itertools.pairwise(edges)
                buckets = [[random.randint(0, 3), str(low), str(high), _number(random)] for low, high in pairs]
                result.append({"metric": labels, "histogram": [SLOT, {"count": _number(random), "buckets": buckets}]})
    if random.random() < 0.2:
        random.shuffle(result)
    body = {"status": "success", "data": {"resultType": "vector", "result": result}}
    if random.random() < 0.1:
        body["warnings"] = [random.choice(("partial", "PromQL info: x", "\x1b[2J"))]
    return json.dumps(body).encode()


def _series(labels: dict[str, str], number: str) -> object:
    return {"metric": labels, "value": [SLOT, number]}


def _number(random: Random) -> str:
    return (
        random.choice(mutation.NASTY_NUMBERS)
        if random.random() < 0.3
        else str(random.choice((0, 1, 7.5, 99, 100, 0.1)))
    )


def _counts(random: Random, count: int) -> list[str]:
    """Counts that mostly ascend, with the shares 99 % and 50 % near them, and sometimes fall a little or are odd."""
    numbers = sorted(
        random.choice((0.0, 0.1, 1.0, 49.999999999, 50.0, 98.9, 99.0, 99.0000001, 100.0)) for _ in range(count)
    )
    if random.random() < 0.3:
        at = random.randrange(count)
        numbers[at] *= random.choice((0.0, 0.999, 1 - 1e-9, 1 - 1e-10, 2.0))
    texts = [repr(n) for n in numbers]
    if random.random() < 0.2:
        texts[random.randrange(count)] = random.choice(mutation.NASTY_NUMBERS)
    return texts


def _size(mark: str) -> float:
    try:
        return float(mark)
    except ValueError:
        return 0.0


TARGET = Target("answers", check, mutate, seeds)
