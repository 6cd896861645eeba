"""The sentences that say why, in each language. Numbers are filled in by `reasons`; a language lacks none."""

from __future__ import annotations

LANGUAGES = ("en", "zh")

PHRASES: dict[str, tuple[str, str]] = {
    # One series at one slot, or over a whole stretch.
    "within": ("{share} within {limit}, {promised} promised", "{share} 在 {limit} 以内，承诺 {promised}"),
    "warned": ("; not shown to keep the warn level of {warn}", "；未能证明满足警告线 {warn}"),
    "inside_bucket": (
        "{low} within {lower} and {high} within {upper}, {promised} promised: the limit of {limit} lies inside that bucket",
        "{low} 在 {lower} 以内，{high} 在 {upper} 以内，承诺 {promised}：限值 {limit} 落在该桶内部",
    ),
    "inside_first_bucket": (
        "between {low} and {high} within {limit}, {promised} promised: the limit lies inside the first bucket, ≤ {upper}",
        "{limit} 以内的占比介于 {low} 与 {high}，承诺 {promised}：限值落在首个桶（≤ {upper}）内部",
    ),
    "inside_some_bucket": (
        "between {low} and {high} within {limit}, {promised} promised: the limit lies inside a bucket",
        "{limit} 以内的占比介于 {low} 与 {high}，承诺 {promised}：限值落在桶内部",
    ),
    "beyond": (
        "{low} within {lower}, the last bound; the limit of {limit} lies beyond it, so {promised} is open",
        "{low} 在最后一个桶边界 {lower} 以内；限值 {limit} 超出该边界：{promised} 无法判定",
    ),
    "only_infinity": (
        "the histogram has no bucket but +Inf, which tells nothing about {limit}",
        "直方图只有 +Inf 桶，无法说明 {limit}",
    ),
    "falling": (
        "between {low} and {high} within {limit}, {promised} promised: the counts fall too far from bound to bound",
        "{limit} 以内的占比介于 {low} 与 {high}，承诺 {promised}：累计计数在桶边界之间下降，幅度超出判定所需",
    ),
    "despite_fall": (
        "; counts fall from bound to bound, which does not change the verdict",
        "；累计计数在桶边界之间有下降，但不影响判定",
    ),
    "too_few": ("{events} events, {least} needed to judge", "{events} 个事件，至少需要 {least} 个才能判定"),
    "no_events": ("no events", "没有事件"),
    "no_series": ("no such series", "没有该时间序列"),
    "not_a_number": ("the answer is NaN, not a number", "结果为 NaN，不是数值"),
    "measured": ("{value}; no objective yet", "{value}；尚无目标"),
    "measured_growth": ("{value}; only its growth is limited, judged from 1 h on", "{value}；仅限制其增长，满 1 h 起判定"),
    "malformed": ("unusable answer: {detail}", "无法使用的结果：{detail}"),
    "bad_absent": (
        "{events} events, but the query for the bad ones gives no series: a typo, or none was bad yet (`bad_absent: zero`)",
        "共 {events} 个事件，但坏事件的查询没有返回时间序列：拼写错误，或尚无坏事件（`bad_absent: zero`）",
    ),
    "total_absent": (
        "{sort} events without their total: the two queries do not give the same series",
        "{sort} 事件没有对应的总数：两个查询返回的时间序列不一致",
    ),
    "part_exceeds": (
        "{times} times as many {sort} events as there are in all: the two queries do not count the same events",
        "{sort} 事件数是总数的 {times} 倍：两个查询统计的不是同一批事件",
    ),
    "part_without_total": (
        "{sort} events where the total counts none: the two queries do not count the same events",
        "总数为零却有 {sort} 事件：两个查询统计的不是同一批事件",
    ),
    "good_share": ("{value} of {events} events good, {limit} promised", "{events} 个事件中 {value} 为好，承诺 {limit}"),
    "at_most": ("{value}, at most {limit} promised", "{value}，承诺不超过 {limit}"),
    "at_least": ("{value}, at least {limit} promised", "{value}，承诺不低于 {limit}"),
    "past_warn": ("; past the warn level of {warn}", "；已越过警告线 {warn}"),
    "stated": ("stated, not measured here: {reason}", "由他人给出，并非在此测量：{reason}"),
    "only_stated": ("stated, not measured here; no objective yet", "由他人给出，并非在此测量；尚无目标"),
    "not_stated": ("the percentile that is promised was not stated", "未给出所承诺的百分位"),
    "not_run": ("not run", "未运行"),
    "bounded": (
        "judged by {histogram}, a part of what is measured, which takes at least that long",
        "依据 {histogram} 判定，它只是被测过程的一部分：全过程至少需要这么久",
    ),
    "bounded_no_pass": (
        "judged by {histogram}, a part of what is measured, which takes at least that long: no pass is proven;"  # noqa: ISC004
        " {wanted} has no series",
        "依据 {histogram} 判定，它只是被测过程的一部分：全过程至少需要这么久，因此不能证明达标；{wanted} 没有时间序列",
    ),
    "bounded_partly": (
        "a part of the stretch was judged by a lower bound alone, so this proves no pass",
        "该时段的一部分仅依据下界判定，因此不能证明达标",
    ),
    "refused": ("refused: {detail}", "查询失败：{detail}"),
    "pending": ("no answer yet: {detail}", "尚无结果：{detail}"),
    # Several series.
    "count_fail": ("{count} of {all} series fail", "{all} 条序列中 {count} 条不达标"),
    "count_error": ("{count} of {all} series in error", "{all} 条序列中 {count} 条出错"),
    "count_inconclusive": ("{count} of {all} series inconclusive", "{all} 条序列中 {count} 条无法判定"),
    "count_warn": ("{count} of {all} series past the warn level", "{all} 条序列中 {count} 条越过警告线"),
    "count_pass": ("{count} of {all} series pass", "{all} 条序列中 {count} 条达标"),
    "count_measured": ("{count} series measured; no objective yet", "已测量 {count} 条序列；尚无目标"),
    "count_measured_growth": (
        "{count} series measured; only their growth is limited, judged from 1 h on",
        "已测量 {count} 条序列；仅限制其增长，满 1 h 起判定",
    ),
    "count_too_few": ("{count} with too few events to judge", "{count} 条事件过少，无法判定"),
    "count_no_data": ("{count} without data", "{count} 条没有数据"),
    "no_series_at_all": (
        "no such series in these windows: the metric or its labels do not exist here, or nothing was scraped then",
        "这些窗口内没有该时间序列：指标或其标签不存在，或当时没有抓取",
    ),
    # A range.
    "no_slots": ("no slot lies in this stretch of time", "该时段内没有评估时刻"),
    "all_excluded": ("every slot of this stretch is excluded", "该时段内的所有评估时刻均被排除"),
    "windows": ("{good} of {judged} windows good ({promised} needed)", "{judged} 个窗口中 {good} 个达标（需 {promised}）"),
    "windows_all": ("{good} of {judged} windows good (all needed)", "{judged} 个窗口中 {good} 个达标（需全部达标）"),
    "undecided": ("{count} undecided", "{count} 个未判定"),
    "windows_warned": ("{count} past the warn level", "{count} 个越过警告线"),
    "whole": ("over the whole stretch: {reason}", "整个时段：{reason}"),
    "whole_unknown": (
        "the events of the whole stretch are not known", "整个时段的事件数未知",
    ),
    "too_little": (
        "{count} of {all} slots undecided: at least {least} must have been evaluated",
        "{all} 个时刻中 {count} 个未判定：至少须评估 {least}",
    ),
    "too_little_evaluated": (
        "only {count} of {all} slots evaluated, at least {least} needed",
        "{all} 个时刻中仅评估 {count} 个，至少需要 {least}",
    ),
    "grows": (
        "grows by {slope} ({lower} to {upper}), at most {limit} promised",
        "增长 {slope}（{lower} 至 {upper}），承诺不超过 {limit}",
    ),
    "worst": ("worst at {at}: {reason}", "最差时刻 {at}：{reason}"),
    # A number beside the baseline's.
    "change": ("{change} ({lower} to {upper})", "{change}（{lower} 至 {upper}）"),
    "change_at_least": ("at least {change}", "至少 {change}"),
    "change_to": ("{baseline} before, {current} now", "之前 {baseline}，现在 {current}"),
    "change_of_percentile": ("P{percentile}: {change}", "P{percentile}：{change}"),
    "change_at_bound": ("around {bound}, beyond P{percentile}: {change}", "{bound} 附近（P{percentile} 之外）：{change}"),
    "moved_decided": ("{change}, surely more than {tolerance}", "{change}，可以确定超过 {tolerance}"),
    "moved_from_nothing": ("{change}, surely not the same", "{change}，可以确定不同"),
    "moved_same": ("{change}, surely within {tolerance}", "{change}，可以确定在 {tolerance} 以内"),
    "moved_within_budget": (
        "{change}, surely a difference within {tolerance} of the error budget",
        "{change}，可以确定差异不超过错误预算的 {tolerance}",
    ),
    "moved_straddles": (
        "{change}, which may be within {tolerance} or beyond it", "{change}，可能在 {tolerance} 以内，也可能超出",
    ),
    "moved_noise": (
        "{change}, beyond {tolerance}, but two runs of the same thing may differ by as much",
        "{change}，超过 {tolerance}，但同一对象的两次运行也可能相差这么多",
    ),
    "moved_inside_bucket": (
        "both lie in {bucket}: a shift inside a bucket cannot be seen", "两者都在 {bucket} 内：桶内的变化不可见",
    ),
    "moved_inside_one_bucket": (
        "both lie in one bucket: a shift inside it cannot be seen", "两者都在同一个桶内：桶内的变化不可见",
    ),
    "moved_too_few_events": ("too few events to compare", "事件过少，无法比较"),
    "moved_too_few_parts": ("too short a run to compare", "运行过短，无法比较"),
    "moved_other_bounds": (
        "the two histograms share no bound at which they could be compared", "两个直方图没有可供比较的共同桶边界",
    ),
    "moved_lower_bound": (
        "a lower bound beside what is not the same part: the two cannot be compared", "下界与另一种测量无法比较",
    ),
    "moved_stated": (
        "{change}; numbers that were written down do not tell how sure that is",
        "{change}；人工记录的数值无法说明其可信程度",
    ),
    "moved_stated_only": ("numbers that were written down tell no change", "人工记录的数值无法说明变化"),
    "not_run_before": ("not run in the baseline", "基线中未运行"),
    "not_run_now": ("not run now", "本次未运行"),
    "not_run_ever": ("run in neither", "两次均未运行"),
}  # fmt: skip
"""Key to (English, Chinese)."""


def phrase(key: str, lang: str, **numbers: object) -> str:
    """The sentence of a key, filled in. Raises ValueError for a language that there is not."""
    if lang not in LANGUAGES:
        raise ValueError(f"no such language: {lang!r}, only {', '.join(LANGUAGES)}")
    return PHRASES[key][LANGUAGES.index(lang)].format(**numbers)


def joined(parts: list[str], lang: str) -> str:
    """Clauses as one sentence."""
    return ("; " if lang == "en" else "；").join(parts)
