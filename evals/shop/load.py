"""Visitors of the shop. They come when they come, whether or not those before them have been served (open loop)."""

from __future__ import annotations

import math
import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import requests

PER_SECOND = 10.0
SWING = 0.15
"""Of the rate, up and down, over `SWING_SECONDS`."""
SWING_SECONDS = 70.0
BUYERS = 0.25
LOOKERS = 0.4
"""Share of those who do not buy that see the home page; the others see a product."""
MOST_AT_ONCE = 400
PATIENCE_SECONDS = 10.0


class Visitors:
    """Sends requests until it is closed; `times` and `buyers` may be changed meanwhile."""

    def __init__(self, url: str, seed: int) -> None:
        self._url = url
        self._random = random.Random(seed)
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="visitor")
        self._local = threading.local()
        self.times = 1.0
        self.buyers = BUYERS
        self.answers: Counter[str] = Counter()
        self._thread = threading.Thread(target=self._come, daemon=True, name="visitors")

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _come(self) -> None:
        started = due = time.monotonic()
        while not self._over.is_set():
            swing = 1 + SWING * math.sin(2 * math.pi * (due - started) / SWING_SECONDS)
            due += self._random.expovariate(PER_SECOND * self.times * swing)
            if self._over.wait(max(0.0, due - time.monotonic())):
                return
            self._pool.submit(self._visit, *self._wish())

    def _wish(self) -> tuple[str, str, dict[str, object] | None]:
        product = self._random.randint(1, 2000)
        if self._random.random() < self.buyers:
            card = f"tok_{self._random.randrange(10**6):06d}"
            return "POST", "/orders", {"product": product, "pieces": self._random.randint(1, 3), "card": card}
        return (
            ("GET", "/", None)
            if self._random.random() < LOOKERS / (1 - BUYERS)
            else ("GET", f"/products/{product}", None)
        )

    def _visit(self, method: str, path: str, body: dict[str, object] | None) -> None:
        if not hasattr(self._local, "session"):
            self._local.session = requests.Session()
            self._local.session.trust_env = False
        try:
            answer = self._local.session.request(method, f"{self._url}{path}", json=body, timeout=PATIENCE_SECONDS)
            self.answers[str(answer.status_code)] += 1
        except requests.RequestException as error:
            self.answers[type(error).__name__] += 1
