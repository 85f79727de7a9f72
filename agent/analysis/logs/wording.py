"""What the text of a log line or an error message speaks of: failure, slowness, a resource, a start, a cancellation.

The words are those that runtimes, operating systems, databases and proxies print themselves; no product's name and no
service's name is among them. Text decides how a deviation is read, never whether there is one.
"""

from __future__ import annotations

import re
from functools import lru_cache

from agent.incident import GoldenSignal, Resource

SEVERE = ("WARN", "ERROR", "FATAL")
"""Severities from which on a line is bad news by its own word."""

_NOTHING_WRONG = re.compile(
    r"\b(?:no|0|zero|without)\s+(?:\w+\s+)?(?:errors?|failures?|exceptions?|warnings?|retries|timeouts?)\b"
    r"|\b(?:errors?|err|failed|failures?|exception|retries|dropped|lost)\s*[=:]\s*(?:0|null|none|nil|false|\"\")(?![\w.])"
    r"|\bon-?error\b|\berror[ _-]?(?:rate|budget|handler|page)\b",
    re.IGNORECASE,
)
_FAILURE = re.compile(
    r"\bfail(?:s|ed|ing|ures?)?\b|\berrors?\b|error\b|\bexception|exception\b|\bpanic|\bfatal\b|\bcrash|\bsegfault"
    r"|\brefused?\b|\bdenied\b|\bforbidden\b|\bunauthori[sz]ed\b|timed? ?-?out|\btime-?outs?\b|deadline.?exceeded"
    r"|unavailable\b|\bunreachable\b|\bunhealthy\b|\breset by peer\b|\bbroken pipe\b|\bexhausted\b|\boverload"
    r"|\boverflow|\bsaturated\b|\bcannot\b|\bcan't\b|\bcould not\b|\bunable to\b|\brejected\b|\babort(?:s|ed|ing)?\b"
    r"|\bcancell?ed\b|\bkilled\b|\boom\b|out of memory|no space left|read-only file|\bcorrupt|\bdead ?lock"
    r"|\bthrottl|\bshedding\b|\bdead.?letter|\bdlq\b|\bnull pointer|\bnil pointer|\btraceback\b|\bstack ?overflow"
    r"|\bnot (?:valid|accepted|permitted|authorized)\b|\bhandshake (?:error|failure)|\bcertificate has expired|<5xx>",
    re.IGNORECASE,
)
_SLOW = re.compile(
    r"\bslow(?:ly|er)?\b|\blatency\b|\blate\b|timed? ?-?out|\btime-?outs?\b|deadline|\btook too long\b"
    r"|\bexceed(?:s|ed)?\b|\bwait(?:s|ed|ing)?\b|\bdelay(?:s|ed)?\b|\bstall(?:s|ed)?\b|\bduration\b"
    r"|\blong (?:task|running|pause)\b|\blag\b"
    r"|\bpause\b|\bdegraded\b|\bhang(?:s|ing)?\b|\bhung\b",
    re.IGNORECASE,
)
_DEADLINE = re.compile(r"timed? ?-?out|\btime-?out|deadline|\betimedout\b", re.IGNORECASE)
_CANCELLED = re.compile(
    r"\bcancell?ed\b|\bcancell?ation\b|client (?:closed|disconnected|went away|gone)|closed by (?:the )?client"
    r"|request aborted|\baborted by (?:the )?(?:client|caller)|\b499\b",
    re.IGNORECASE,
)
_LIFECYCLE = re.compile(
    r"\bstart(?:ed|ing|up)?\b|\bready\b|\blistening\b|\blistener\b|\bboot(?:ed|ing|strap)?\b|\bup\b|\bbegin\b"
    r"|\binitiali[sz](?:ed|ing)\b|\bloaded\b|\bserving\b|\bshut(?:ting)? ?down\b|\bstopp(?:ed|ing)\b|\bexiting\b"
    r"|\breload(?:ed|ing)?\b|\bregistered\b|\bdrain(?:ed|ing)\b|\bapplied\b|\baccepting\b",
    re.IGNORECASE,
)

_RESOURCES: tuple[tuple[Resource, re.Pattern[str]], ...] = tuple(
    (resource, re.compile(words, re.IGNORECASE))
    for resource, words in (
        (Resource.CERTIFICATE, r"\bcertificate|\bx509\b|\btls\b|\bssl\b"),
        (Resource.THREADS, r"\b(?:worker|thread)[ _-]?pool\b"),
        (
            Resource.CONNECTIONS,
            r"pool(?:s|ed)?\b|too many (?:clients|connections|open files)|\bdescriptors?\b",
        ),
        (
            Resource.DISK,
            r"no space left|\bdisks?\b|read-only file|\bfile ?system|\bvolume (?:is )?(?:full|mount)|\bmount\b"
            r"|\binodes?\b",
        ),
        (Resource.MEMORY, r"\bmemory\b(?! address)|\boom\b|oomkilled|\bheap\b|\bgc\b|\bevict"),
        (
            Resource.QUEUE,
            r"\bqueue|\bbacklog\b|\bconsumer lag\b|\blag\b|\bbuffer(?:s|ing)? (?:is )?(?:near|full|over)|\bdlq\b",
        ),
        (Resource.THREADS, r"(?<![\w-])(?:threads?|workers?|executor|goroutines?)(?![\w-])"),
        (Resource.CPU, r"\bcpu\b|\bthrottled\b"),
        (Resource.CACHE, r"\bcache\b"),
        (Resource.REPLICAS, r"\breplicas\b|\bpods? pending\b|\bunschedulable\b|\bautoscal"),
        (
            Resource.NETWORK,
            r"connection (?:refused|reset)|reset by peer|\bunreachable\b|no route|\bdns\b|\bpackets?\b"
            r"|broken pipe|\bresolve\b|no such host|\bi/o timeout\b|\bsocket\b|\bprobe\b.{0,80}\blost\b",
        ),
        (
            Resource.DATABASE,
            r"\bquer(?:y|ies)\b|\bstatement\b|\bsql\b|\bdead ?lock|\btransaction|lock\b|\bdatabase\b|\bselect\b",
        ),
    )
)
_FULL = frozenset(
    {
        Resource.CONNECTIONS,
        Resource.DISK,
        Resource.MEMORY,
        Resource.QUEUE,
        Resource.THREADS,
        Resource.CPU,
        Resource.REPLICAS,
    }
)
"""Resources whose trouble is saturation rather than errors or slowness."""


@lru_cache(maxsize=8192)
def speaks_of_failure(text: str) -> bool:
    """Whether a text reports something that did not work; "0 errors" and "error=null" do not."""
    return bool(_FAILURE.search(_NOTHING_WRONG.sub(" ", text)))


@lru_cache(maxsize=8192)
def resource_of(text: str) -> Resource | None:
    """The resource a text speaks of; the more specific one when it names several."""
    return next((resource for resource, words in _RESOURCES if words.search(text)), None)


def golden_of(text: str, severity: str = "") -> GoldenSignal | None:
    """Which golden signal a line is about: what runs out, then slowness, then errors; None for a line about neither."""
    severe = severity in SEVERE or speaks_of_failure(text)
    if severe and resource_of(text) in _FULL:
        return GoldenSignal.SATURATION
    if severe and _SLOW.search(text):
        return GoldenSignal.LATENCY
    if severity in {"ERROR", "FATAL"} or speaks_of_failure(text):
        return GoldenSignal.ERRORS
    return None


def speaks_of_deadline(text: str) -> bool:
    """Whether a text says that somebody's patience ran out."""
    return bool(_DEADLINE.search(text))


def speaks_of_cancellation(text: str) -> bool:
    """Whether a text says that the caller gave up, so that the work was broken off."""
    return bool(_CANCELLED.search(text))


def speaks_of_lifecycle(text: str) -> bool:
    """Whether a text belongs to the start or the orderly stop of a process."""
    return bool(_LIFECYCLE.search(text))
