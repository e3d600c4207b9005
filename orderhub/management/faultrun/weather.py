"""What goes wrong, drawn with a fixed seed: answers, connections, page tokens, bounds, visibility, and our own clock."""

import random
from collections import Counter
from datetime import timedelta

from orderhub.management.faultrun.trade import Trade
from stores.simulator.faults import Fault
from stores.simulator.world import World

CHANCE = 0.2  # of a fault at one step
SEARCH, ANY = "searchOrders", ("searchOrders", "searchOrders", "searchOrders", "lwa")
# Kind: options to choose from. On the sign-in too where it makes sense there.
ANSWERS = {
    "429": ({}, {"retry_after": 60}, {"rate": 0.0056}), "500_before": ({},), "503": ({},), "500_after": ({},),
    "timeout_before": ({},), "timeout_after": ({},), "reset": ({},), "truncated_json": ({},), "html": ({},),
    "empty": ({},), "wrong_type": ({},), "garbled": ({},), "redirect": ({},), "slow": ({"rate": 400},),
    "date_wrong": ({"seconds": 3 * 3600}, {"seconds": -3 * 3600}),
}  # fmt: skip
PAGES = {
    "repeat_page": ({},), "endless": ({}, {"wrap": True}), "bad_page_token": ({},), "stale_echo": ({"orders": 60},),
    "bound_back": ({"seconds": 3 * 3600}, {"seconds": 60}), "bound_ahead": ({"seconds": 3 * 3600}, {"seconds": 200}),
}  # fmt: skip
LATE = (1, 3, 6, 9, 12, 14, 16, 40, 300)  # minutes; the last two only the daily look at seven days can find
# How far our clock stands off, and for how many steps.
OFF = (
    (timedelta(minutes=10), 6), (timedelta(minutes=-10), 6), (timedelta(hours=-2), 8), (timedelta(days=40), 4),
    (timedelta(seconds=-90), 3),
)  # fmt: skip
HOUR = 20  # steps


class Weather:
    """`step()` before each run of the jobs; `seen()` says how often each kind struck. `offset`: our clock's error."""

    def __init__(self, world: World, trade: Trade, source: random.Random) -> None:
        self.world, self.trade, self.source = world, trade, source
        self.offset, self._off_steps = timedelta(0), 0
        self._hour: tuple[Fault, int] | None = None
        self._armed: list[tuple[Fault, int]] = []
        self._struck: Counter[str] = Counter()

    def step(self) -> None:
        self._settle_clock()
        self._settle_hour()
        if self.source.random() < CHANCE:
            self._answer_fault()
        if self.source.random() < CHANCE:
            self._page_fault()
        if self.source.random() < CHANCE:
            self.trade.late_minutes.append(self._count("late visibility", self.source.choice(LATE)))
        if self.source.random() < CHANCE / 2:
            self.world.after_calls(SEARCH, 1, self._between_pages)

    def clear(self) -> None:
        """Fine from now on."""
        self._collect()
        self.world.faults.clear()
        self._armed, self._hour, self.offset, self._off_steps = [], None, timedelta(0), 0

    def seen(self) -> Counter[str]:
        self._collect()
        return self._struck

    def _count(self, kind: str, value):
        self._struck[kind] += 1
        return value

    def _answer_fault(self) -> None:
        kind = self.source.choice([*ANSWERS, "cut"])
        operation = self.source.choice(ANY)
        if kind == "cut":
            options = {"bytes": self.source.randrange(0, 4000), "head": self.source.random() < 0.2}
        else:
            options = self.source.choice(ANSWERS[kind])
        self._arm(operation, kind, times=self.source.choice((1, 1, 2, 5)), **options)

    def _page_fault(self) -> None:
        kind = self.source.choice(list(PAGES))
        options = self.source.choice(PAGES[kind])
        if kind == "bound_ahead" and self.offset > timedelta(minutes=5):
            return  # two clocks wrong by hours at once: nothing in one answer can tell that
        self._arm(SEARCH, kind, times=1, after=self.source.choice((0, 0, 1)), **options)

    def _arm(self, operation: str, kind: str, *, times: int | None, after: int = 0, **options) -> Fault:
        fault = self.world.faults.arm(operation, kind, times=times, after=after, **options)
        self._armed.append((fault, times or 0))
        return fault

    def _between_pages(self) -> None:
        """Orders change after the first page was read: on this one, on the next, or not yet on any."""
        self._struck["changed between pages"] += 1
        for _update in range(self.source.randrange(1, 30)):
            self.trade.one(self.world.clock.now())

    def _settle_clock(self) -> None:
        if self._off_steps:
            self._off_steps -= 1
            if not self._off_steps:
                self.offset = timedelta(0)
        elif self.source.random() < CHANCE / 10:
            self.offset, self._off_steps = self.source.choice(OFF)
            self._struck[f"our clock {self.offset.total_seconds() / 60:+.0f} min"] += 1
            self._calm("bound_ahead")

    def _settle_hour(self) -> None:
        """Once in a while an hour of refusals, with and without a word on when to come back."""
        if self._hour:
            fault, left = self._hour
            self._hour = (fault, left - 1) if left else None
            if not left:
                fault.times = 0
        elif self.source.random() < CHANCE / 50:
            self._struck["an hour of 429"] += 1
            options = self.source.choice(({}, {"retry_after": 1800}))
            self._hour = (self.world.faults.arm(SEARCH, "429", times=None, **options), HOUR)

    def _calm(self, kind: str) -> None:
        for fault, _times in self._armed:
            if fault.kind == kind:
                self._struck[kind] += _times - (fault.times or 0)
                fault.times = 0
        self._armed = [(fault, times) for fault, times in self._armed if fault.kind != kind]

    def _collect(self) -> None:
        """Count what struck, and let go what is spent."""
        for index, (fault, times) in enumerate(self._armed):
            self._struck[fault.kind] += times - (fault.times or 0)
            self._armed[index] = (fault, fault.times or 0)
        self._armed = [(fault, times) for fault, times in self._armed if times]
