"""Numbers with their units, read from an expression as people write it in code and settings.

Base units are seconds and bytes (IEC 80000-13: Ki, Mi, Gi are powers of 1024; k, M, G powers of 1000). A figure
without a unit takes the one its setting's name ends in (`timeout_ms`, `maxSizeBytes`).
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

Unit = Literal["", "s", "bytes", "ratio"]


@dataclass(frozen=True, slots=True)
class Quantity:
    value: float
    unit: Unit = ""


_SECONDS = {
    1e-9: "ns nano nanos nanosec nanosecs nanosecond nanoseconds",
    1e-6: "us µs micro micros microsec microsecs microsecond microseconds",
    1e-3: "ms msec msecs milli millis millisecond milliseconds",
    1.0: "s sec secs second seconds",
    60.0: "m min mins minute minutes",
    3600.0: "h hr hrs hour hours",
    86400.0: "d day days",
    604800.0: "w week weeks",
}
_TIME = {word: factor for factor, words in _SECONDS.items() for word in words.split()}
_SIZE = {
    "b": 1.0,
    "byte": 1.0,
    "bytes": 1.0,
    **{f"{p}{s}": 1000.0 ** (i + 1) for i, p in enumerate("kmgtp") for s in ("", "b")},
    **{f"{p}i{s}": 1024.0 ** (i + 1) for i, p in enumerate("kmgtp") for s in ("", "b")},
    **{f"{p}{s}": 1000.0 ** (i + 1) for i, p in enumerate(("kilo", "mega", "giga", "tera")) for s in ("byte", "bytes")},
}
_NAME_UNITS = {
    word: factor
    for factor, words in {
        1e-9: "ns nanos",
        1e-6: "us micros",
        1e-3: "ms millis milliseconds msec msecs",
        1.0: "s sec secs second seconds",
        60.0: "minute minutes mins",
        3600.0: "hour hours",
        86400.0: "day days",
    }.items()
    for word in words.split()
}
"""Last words of names that announce a unit; `min` and `m` are left out, because they mean minimum as often."""

_NAME_SIZES = {"bytes": 1.0, "kb": 1e3, "kib": 1024.0, "mb": 1e6, "mib": 1024.0**2, "gb": 1e9, "gib": 1024.0**3}
_SIZED = re.compile(
    r"mem|heap|xm[xs]\b|size|storage|disk|buffer|bytes|quota|volume|segment|upload|body|ram\b|chunk", re.IGNORECASE
)
_CORES = re.compile(r"cpu|cores?\b", re.IGNORECASE)
_MAX_SHIFT = 62
"""Larger shifts are masks or mistakes, not settings."""

_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def words_of(name: str) -> list[str]:
    """`maxIdleTimeMs`, `max_idle_time_ms`, `max-idle.time_ms` -> the same lower-cased words."""
    return [w.lower() for w in re.split(r"[^A-Za-z0-9]+", _CAMEL.sub("_", name)) if w]


def unit_of_name(name: str) -> tuple[float, Unit] | None:
    """The factor to base units and the unit that the last word of a setting's name announces."""
    words = words_of(name)
    if "per" in words[-3:]:
        return None
    for word in reversed(words[-2:]):
        if len(words) > 1 and word in _NAME_UNITS:
            return _NAME_UNITS[word], "s"
        if word in _NAME_SIZES and len(words) > 1:
            return _NAME_SIZES[word], "bytes"
    return None


def read_quantity(text: str, name: str = "") -> Quantity | None:
    """The quantity that `text` says, in base units, or None when it is no number.

    `name` is the setting's name; it settles what `500m`, `64k` or a bare number means.
    """
    text = text.strip().rstrip(",;").strip()
    inner = re.fullmatch(r"\$\{[\w.-]+:-?([^{}]*)\}", text.strip("\"'"))
    text = (inner[1] if inner else text).strip()
    if not text or len(text) > 200 or _RANGE.fullmatch(text.strip("\"'")):
        return None
    pair = _WITH_UNIT.fullmatch(text)
    if pair and (unit := _named_unit(pair[2])) and (amount := _Evaluator(pair[1], name).run()):
        return Quantity(amount.value * unit[0], unit[1])
    found = _literal(text.strip("\"'`"), name) or _Evaluator(text, name).run()
    if found is None or not math.isfinite(found.value):
        return None
    if found.unit == "" and (named := unit_of_name(name)):
        return Quantity(found.value * named[0], named[1])
    return found


_RANGE = re.compile(r"\d+([-/]\d+)+")
"""`200-299`, `2026-01-31`, `1/2`: no figure."""

_WITH_UNIT = re.compile(r"([^,]+),\s*((?:TimeUnit|ChronoUnit|DurationUnit)\.\w+|[A-Z]{5,})")
"""Java's two arguments for one duration: `5000, TimeUnit.MILLISECONDS`."""

_PLAIN = re.compile(r"[-+]?(?:\d[\d_]*(?:\.\d[\d_]*)?|\.\d+)(?:[eE][+-]?\d+)?")
_INTEGER_SUFFIX = re.compile(
    r"(0[xX][0-9a-fA-F_]+|[-+]?\d[\d_]*(?:\.\d+)?)(?:[uUlLfFdDnN]{1,3}|[iu](?:8|16|32|64|size)|f(?:32|64))?"
)
_SUFFIXED = re.compile(r"([-+]?\d[\d_]*(?:\.\d+)?)\s?([A-Za-zµ]{1,12})")
_COMPOUND = re.compile(r"(?:\d+(?:\.\d+)?(?:h|ms|m|s|d|w)){2,6}")
_ISO = re.compile(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_PERCENT = re.compile(r"([-+]?\d+(?:\.\d+)?)\s?%")


def _literal(text: str, name: str) -> Quantity | None:
    """A single figure: `30`, `8_000`, `30s`, `512Mi`, `80%`, `PT5S`, `1h30m`, `12 hours`."""
    if _PLAIN.fullmatch(text):
        return Quantity(float(text.replace("_", "")))
    if match := _PERCENT.fullmatch(text):
        return Quantity(float(match[1]) / 100, "ratio")
    if (match := _SUFFIXED.fullmatch(text)) and (found := _suffixed(match[1], match[2], name)):
        return found
    if match := _INTEGER_SUFFIX.fullmatch(text):
        digits = match[1].replace("_", "")
        return Quantity(float(int(digits, 16)) if digits[:2].lower() == "0x" else float(digits))
    return _compound(text)


def _compound(text: str) -> Quantity | None:
    """`1h30m` and ISO 8601's `PT1H30M`."""
    if _COMPOUND.fullmatch(text):
        parts = re.findall(r"(\d+(?:\.\d+)?)([a-z]+)", text)
        return Quantity(sum(float(n) * _TIME[u] for n, u in parts), "s")
    match = _ISO.fullmatch(text) if len(text) > 2 else None
    if match is None or not any(match.groups()):
        return None
    days, hours, minutes, seconds = (float(group or 0) for group in match.groups())
    return Quantity(days * 86400 + hours * 3600 + minutes * 60 + seconds, "s")


def _suffixed(figure: str, suffix: str, name: str) -> Quantity | None:
    number = float(figure.replace("_", ""))
    lower = suffix.lower()
    if suffix == "m" and _CORES.search(name):
        return Quantity(number / 1000)
    if lower in _SIZE and (len(suffix) > 1 or suffix in "kKMgGtT" or _SIZED.search(name)):
        return Quantity(number * _SIZE[lower], "bytes")
    if lower in _TIME and (suffix == lower or len(suffix) > 2):
        return Quantity(number * _TIME[lower], "s")
    return None


_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xX][0-9a-fA-F_]+|\d[\d_]*(?:\.\d[\d_]*)?(?:[eE][+-]?\d+)?[A-Za-zµ]*)|"
    r"(?P<name>[A-Za-z_][\w]*(?:(?:\.|::|->)[A-Za-z_]\w*)*)|(?P<op><<|\*\*|[-+*/(){}=,%.])|"
    r"(?P<string>\"[^\"]*\"|'[^']*'))"
)
_OF = re.compile(
    r"(?:of|from|as|in|to)?_?(nano|micro|milli)?s?_?(second|sec|minute|min|hour|day|week|nano|micro|milli|ms|"
    r"mebibyte|megabyte|kilobyte|kibibyte|gigabyte|gibibyte|byte)s?",
    re.IGNORECASE,
)
_UNITS_IN_CODE: dict[str, tuple[float, Unit]] = {
    **{w: (1e-9, "s") for w in ("nano", "ns")},
    "micro": (1e-6, "s"),
    **{w: (1e-3, "s") for w in ("milli", "ms")},
    **{w: (1.0, "s") for w in ("second", "sec")},
    **{w: (60.0, "s") for w in ("minute", "min")},
    "hour": (3600.0, "s"),
    "day": (86400.0, "s"),
    "week": (604800.0, "s"),
    "byte": (1.0, "bytes"),
    **{f"{p}byte": (1000.0 ** (i + 1), "bytes") for i, p in enumerate(("kilo", "mega", "giga"))},
    **{f"{p}byte": (1024.0 ** (i + 1), "bytes") for i, p in enumerate(("kibi", "mebi", "gibi"))},
}
_UNIT_OWNER = re.compile(
    r"time|timeunit|chronounit|duration|durationunit|timespan|timedelta|datasize|chrono|unit|temporal", re.IGNORECASE
)


def _named_unit(dotted: str) -> tuple[float, Unit] | None:
    """What `time.Second`, `TimeUnit.MILLISECONDS`, `Duration.ofSeconds`, `Duration::from_millis` count in."""
    parts = re.split(r"\.|::|->", dotted)
    last = parts[-1]
    match = _OF.fullmatch(last)
    if last == "new" and parts[:-1] == ["Duration"]:
        return 1.0, "s"
    if not match or (match[1] and match[2].lower() not in {"second", "sec"}):
        return None
    if len(parts) == 1 and last.islower() and not last.startswith(("of", "from", "as", "in", "to")) and last[-1] != "s":
        return None
    if len(parts) > 1 and not any(_UNIT_OWNER.fullmatch(p) for p in parts[:-1]):
        return None
    return _UNITS_IN_CODE[(match[1] or match[2]).lower()]


def is_unit(dotted: str) -> bool:
    """Whether a callee only puts a unit to its argument (`Duration.ofSeconds`)."""
    return _named_unit(dotted) is not None or dotted in {"timedelta", "datetime.timedelta"}


def is_duration_pair(text: str) -> bool:
    """Whether two arguments are an amount and its unit: `5000, TimeUnit.MILLISECONDS`."""
    pair = _WITH_UNIT.fullmatch(text)
    return pair is not None and _named_unit(pair[2]) is not None


class _Evaluator:
    """A small recursive-descent reader of constant expressions; anything else makes it give up."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        self.parts: list[tuple[str, str]] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if not match or match.end() == position:
                self.parts = [("op", "?")] if text[position:].strip() else self.parts
                break
            self.parts.append((str(match.lastgroup), match[match.lastgroup or 0]))
            position = match.end()
        self.at = 0

    def run(self) -> Quantity | None:
        if not self.parts or len(self.parts) > 40 or self.parts[0] == ("op", "?"):
            return None
        try:
            found = self._sum()
        except (ValueError, ZeroDivisionError, OverflowError):
            return None
        return found if self.at == len(self.parts) else None

    def _peek(self) -> str:
        return self.parts[self.at][1] if self.at < len(self.parts) else ""

    def _take(self, text: str) -> None:
        if self._peek() != text:
            raise ValueError(text)
        self.at += 1

    def _sum(self) -> Quantity:
        left = self._shift_or_product()
        while self._peek() in {"+", "-"}:
            sign = 1 if self._peek() == "+" else -1
            self.at += 1
            right = self._shift_or_product()
            left = Quantity(left.value + sign * right.value, left.unit or right.unit)
        return left

    def _shift_or_product(self) -> Quantity:
        left = self._atom()
        while self._peek() in {"*", "/", "<<", "**"}:
            op = self._peek()
            self.at += 1
            right = self._atom()
            unit = left.unit or right.unit
            if op == "*":
                left = Quantity(left.value * right.value, unit)
            elif op == "/":
                left = Quantity(left.value / right.value, unit)
            elif right.value > _MAX_SHIFT or right.value < 0:
                raise ValueError(op)
            else:
                left = Quantity(left.value * 2**right.value if op == "<<" else left.value**right.value, unit)
        return left

    def _atom(self) -> Quantity:
        if self.at >= len(self.parts):
            raise ValueError("end")
        kind, text = self.parts[self.at]
        self.at += 1
        if kind == "number":
            return self._figure(text)
        if kind == "name":
            return self._word(text)
        if text in {"-", "+"}:
            inner = self._atom()
            return Quantity(-inner.value if text == "-" else inner.value, inner.unit)
        if text == "(":
            found = self._sum()
            self._take(")")
            return found
        raise ValueError(text)

    def _figure(self, text: str) -> Quantity:
        found = _literal(text, self.name)
        if found is None:
            raise ValueError(text)
        if self._peek() == "." and self.at + 1 < len(self.parts) and (unit := _suffix_unit(self.parts[self.at + 1][1])):
            self.at += 2
            if self._peek() == "(":
                self._take("(")
                self._take(")")
            return Quantity(found.value * unit, "s")
        return found

    def _word(self, text: str) -> Quantity:
        """A unit by itself, a constructor of a duration, or a conversion that leaves the figure alone."""
        unit = _named_unit(text)
        if self._peek() in {"(", "{"} and (unit or text.split(".")[-1].split("::")[-1] in _CONSTRUCTORS):
            return self._constructed(unit)
        if unit and (text.isupper() or not text.isidentifier()):
            return Quantity(*unit)
        raise ValueError(text)  # `days` alone is somebody's variable

    def _constructed(self, unit: tuple[float, Unit] | None) -> Quantity:
        """`Duration.ofSeconds(5)`, `timedelta(minutes=25)`, `Duration::new(5, 0)`, `seconds{5}`."""
        closer = ")" if self._peek() == "(" else "}"
        self.at += 1
        if self.at + 1 < len(self.parts) and self.parts[self.at + 1][1] == "=":
            total = 0.0
            while self._peek() not in {closer, ""}:
                word = self.parts[self.at][1]
                self.at += 1
                self._take("=")
                total += self._sum().value * _TIME[word] if word in _TIME else self._fail(word)
                if self._peek() == ",":
                    self.at += 1
            self._take(closer)
            return Quantity(total, "s")
        inner = self._sum()
        if self._peek() == ",":
            self.at += 1
            second = self._sum()
            unit = unit or ((second.value, second.unit) if second.unit and second.value != 0 else None)
        self._take(closer)
        return Quantity(inner.value * unit[0], unit[1]) if unit else inner

    @staticmethod
    def _fail(word: str) -> float:
        raise ValueError(word)


_CONSTRUCTORS = frozenset(
    {
        "timedelta",
        "Duration",
        "new",
        "of",
        "int",
        "float",
        "Integer",
        "Number",
        "parseInt",
        "valueOf",
        "Long",
        "double",
        "time",
    }
)


def _suffix_unit(word: str) -> float | None:
    """`5.seconds`, `30.minutes()`: the units of Kotlin, Scala, Ruby and Swift."""
    return _TIME.get(word) if len(word) > 3 else None
