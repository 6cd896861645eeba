"""The daemon: a few jobs on APScheduler, one watch over the clock, and the signals."""

from __future__ import annotations

import logging
import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib.metadata import version
from pathlib import Path
from types import MappingProxyType

from apscheduler.events import EVENT_JOB_ERROR, EVENT_JOB_MAX_INSTANCES, JobExecutionEvent
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from starlette.applications import Starlette

from sloagent.app.alert_listing import alert_data
from sloagent.app.clock import STEP_SECONDS, ClockWatch, SlotTrigger
from sloagent.app.door import open_door
from sloagent.app.duties import Duties
from sloagent.app.footprint import give_back_what_is_freed, leave_out_character_detection
from sloagent.app.runs_over_http import RunsOverHTTP
from sloagent.app.telemetry import Telemetry
from sloagent.app.wiring import Agent, open_agent, store_name
from sloagent.errors import ConfigError, SloagentError
from sloagent.model.standing import Standing
from sloagent.report.plain import pending_data, slo_data, slot_data
from sloagent.sinks.log import LogSink
from sloagent.sinks.metrics import MetricsSink
from sloagent.sinks.standing import StandingMetrics
from sloagent.web.endpoints import View, application

log = logging.getLogger("sloagent")
logging.getLogger("apscheduler").setLevel(logging.ERROR)  # what it warns of, we count and say ourselves

WORKERS = {"live": 4, "past": 1, "house": 1}
"""Threads of each executor: what takes long must not keep the others waiting."""
CATCH_UP_SECONDS = 5.0
ALERT_SECONDS = 5.0
"""How often it is looked whether an alert is to be told; when slots were recorded at once."""
HOUSEKEEPING_SECONDS = 300.0
LOOK_AT_CLOCK_SECONDS = 1.0


class Daemon:
    """Runs until SIGTERM or SIGINT; SIGHUP loads the configuration anew. `web` stands in place of fields of its block."""

    def __init__(self, configuration: Path, *, web: Mapping[str, object] = MappingProxyType({})) -> None:
        give_back_what_is_freed()
        leave_out_character_detection()
        self._configuration = configuration.absolute()  # so that every message names files whole
        self._web = web
        self._telemetry = Telemetry()
        self._metrics = MetricsSink()
        self._said = LogSink()
        self._telemetry.registry.register(self._metrics)
        self._agent: Agent = self._open()
        self._alerts_woken = threading.Event()
        self._duties = Duties(self._agent, wake=self._alerts_woken.set)
        self._metrics.keep(self._agent.slos, lambda: self._duties.pending)
        self._telemetry.registry.register(StandingMetrics(self._standings))
        self._loaded()
        self._scheduler = BackgroundScheduler(
            timezone=UTC,
            executors={name: ThreadPoolExecutor(workers) for name, workers in WORKERS.items()},
            job_defaults={"coalesce": True, "max_instances": 1, "misfire_grace_time": None},
        )
        self._scheduler.add_listener(self._heard, EVENT_JOB_ERROR | EVENT_JOB_MAX_INSTANCES)
        self._clock = ClockWatch(time.time() - time.monotonic())
        self._woken = threading.Event()
        self._stopping = False
        self._reload_asked = False
        self._reloading = threading.Lock()

    def run(self, interrupted: Callable[[], bool] = lambda: False) -> None:
        """Serve and evaluate until told to end; returns after what was under way has been committed.

        `interrupted` says whether that was asked for before this took hold of the signals.
        """
        settings = self._agent.settings.web.model_copy(update=self._web)
        server = open_door(self._application(), settings, self._telemetry.web)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._wake(stop=True))
        signal.signal(signal.SIGHUP, lambda *_: self._wake(stop=False))
        if interrupted():
            self._wake(stop=True)
        server.start()
        log.info(
            "sloagent %s: %d SLOs of %s over %s, remembered in %s; listening on %s", version("sloagent"),
            len(self._agent.slos), self._configuration, self._agent.settings.prometheus.url,
            store_name(self._agent.settings.store, self._configuration), server.url,
        )  # fmt: skip
        self._plan()
        self._scheduler.start()
        alerting = threading.Thread(target=self._alert, name="alerts", daemon=True)
        alerting.start()
        try:
            while not self._stopping:
                self._woken.wait(LOOK_AT_CLOCK_SECONDS)
                self._woken.clear()
                self.look_at_clock()
                if self._reload_asked:
                    self._reload_asked = False
                    self._try_reload()
        finally:
            log.info("ending: waiting for the questions under way")
            self._duties.stop()
            self._scheduler.shutdown(wait=True)
            self._alerts_woken.set()
            alerting.join()
            server.stop()
            self._duties.alerting.close()
            self._agent.close()
        log.info("ended")
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)  # one more would only spoil the exit status from here on

    def look_at_clock(self) -> None:
        """After a step of the wall clock, set every job anew before the scheduler computes from the old times."""
        step = self._clock.stepped(time.time(), time.monotonic())
        now = datetime.now(UTC)
        if step != 0.0:
            self._telemetry.clock_jumps.inc()
            log.warning("the wall clock was set by %+.1f s; jobs are planned anew", step)
            self._metrics.forget_after(now.timestamp())
            self._duties.clock_was_set()
        for job in self._scheduler.get_jobs():
            # APScheduler reads the clock before it takes its lock: a round that read the wrong one may plan after us.
            if step != 0.0 or job.next_run_time > now + timedelta(seconds=job.trigger.interval + STEP_SECONDS):
                job.modify(next_run_time=now)

    def reload(self) -> None:
        """Load the configuration anew, all of it or nothing; raises ConfigError and keeps the old one."""
        with self._reloading:
            try:
                fresh = self._open(keep=self._agent)
            except SloagentError as error:
                self._telemetry.reload_successful.set(0)
                for problem in error.problems if isinstance(error, ConfigError) else ():
                    log.error("%s", problem.splitlines()[0])  # where and what; `sloagent validate` shows it whole
                log.error("%s; the old configuration stays in force", error.message.rstrip("."))
                if isinstance(error, ConfigError):
                    raise
                raise ConfigError(error.message, hint=error.hint) from error
            old = self._duties
            self._agent, self._duties = fresh, Duties(fresh, old, wake=self._alerts_woken.set)
            self._metrics.keep(fresh.slos, lambda: self._duties.pending)
            self._loaded()
            self._plan()
            old.retire(fresh)
            if fresh.settings.web != old.agent.settings.web:
                log.warning(
                    "web has changed in %s: it is read at the start only, so restart sloagent", self._configuration
                )
            log.info("configuration reloaded: %d SLOs", len(fresh.slos))

    def _open(self, keep: Agent | None = None) -> Agent:
        return open_agent(
            self._configuration, sinks=(self._metrics, self._said), telemetry=self._telemetry, keep=keep, resilient=True
        )

    def _standings(self) -> Sequence[Standing]:
        return self._duties.alerting.standings()

    def _loaded(self) -> None:
        self._telemetry.reload_successful.set(1)
        self._telemetry.reload_time.set(time.time())

    def _plan(self) -> None:
        """One tick per interval of the SLOs, and the jobs that belong to no interval."""
        delay = self._agent.settings.evaluation.delay
        jobs: dict[str, tuple[Callable[[], None], SlotTrigger, str]] = {
            f"tick-{interval}": (partial(self._tick, interval), SlotTrigger(interval, delay), "live")
            for interval in sorted({slo.interval for slo in self._agent.slos})
        }
        jobs["past"] = (self._past, SlotTrigger(CATCH_UP_SECONDS, 0.0), "past")
        jobs["house"] = (self._house, SlotTrigger(HOUSEKEEPING_SECONDS, 0.0), "house")
        known = {job.id for job in self._scheduler.get_jobs()}
        for gone in known - set(jobs):
            self._scheduler.remove_job(gone)
        for name, (work, trigger, executor) in jobs.items():
            if name not in known:
                # House-keeping finds nothing to do before the first round of catching up.
                first = datetime.now(UTC) + timedelta(seconds=CATCH_UP_SECONDS if executor == "house" else 0)
                self._scheduler.add_job(work, trigger, id=name, executor=executor, next_run_time=first)
            else:
                self._scheduler.reschedule_job(name, trigger=trigger)
        self._scheduler.modify_job("past", next_run_time=datetime.now(UTC))  # what a new SLO lacks

    def _tick(self, interval: int) -> None:
        self._duties.tick(interval)  # of the agent in force when the job begins

    def _past(self) -> None:
        self._duties.past()

    def _alert(self) -> None:
        """The alerts' own thread: no job, for the scheduler cannot be asked for a job from within one while it ends."""
        while not self._stopping:
            self._alerts_woken.wait(ALERT_SECONDS)
            self._alerts_woken.clear()
            if not self._stopping:
                try:
                    self._duties.alerts()
                except Exception:
                    log.exception("a look at the alerts failed; the next one follows")

    def _house(self) -> None:
        self._duties.house()

    def _application(self) -> Starlette:
        view = View(
            registry=self._telemetry.registry,
            not_ready=self._not_ready,
            verdicts=lambda: [row for slot in self._metrics.newest for row in slot_data(slot)],
            slos=lambda: [slo_data(slo) for slo in self._agent.slos],
            reload=self.reload,
            pending=lambda: [pending_data(one) for one in self._duties.pending if one.slots],
            alerts=self._alerts,
            runs=RunsOverHTTP(lambda: self._agent.store),
        )
        return application(view)

    def _alerts(self) -> tuple[list[object], list[object]]:
        alerts, unknown = self._duties.alerting.alerted()
        return [alert_data(*one) for one in alerts], [{"set": slo.set, "slo": slo.name} for slo in unknown]

    def _not_ready(self) -> str:
        if not self._duties.begun:
            return "sloagent is starting"
        return "" if self._duties.store_trouble == "" else f"the store cannot be written: {self._duties.store_trouble}"

    def _try_reload(self) -> None:
        with suppress(ConfigError):  # said in the log, and shown in /metrics
            self.reload()

    def _wake(self, *, stop: bool) -> None:
        if stop:
            self._stopping = True
            self._duties.stop()
        else:
            self._reload_asked = True
        self._woken.set()

    def _heard(self, event: JobExecutionEvent) -> None:
        if event.code == EVENT_JOB_MAX_INSTANCES:
            if str(event.job_id).startswith("tick-"):
                self._telemetry.missed.inc()
        else:
            log.error("job %s failed: %r", event.job_id, event.exception, exc_info=event.exception)
