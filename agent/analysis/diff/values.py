"""What a changed value means: a limit, a reference to something else, the composition of a key, a rule, a text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.analysis.diff.comparing import Changed, differing_figures
from agent.analysis.diff.languages import Family, Language
from agent.analysis.diff.quantities import Quantity, read_quantity, words_of
from agent.analysis.edits import Edit, EditKind

LINE = 200
"""Characters of a line that an edit quotes; the contract of `Edit.line`."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a change stands."""

    path: str
    language: Language
    section: str
    line: str
    in_loop: bool = False


def edit(kind: EditKind, place: Place, name: str = "", before: str | None = None, after: str | None = None) -> Edit:
    """An edit at `place`, with the quantities that `before` and `after` say."""
    old = read_quantity(before, name) if before is not None else None
    new = read_quantity(after, name) if after is not None else None
    return Edit(
        kind=kind,
        path=place.path,
        name=name[:LINE],
        section=place.section[:LINE],
        before=before,
        after=after,
        number_before=old.value if old else None,
        number_after=new.value if new else None,
        unit=_unit(old, new),
        in_loop=place.in_loop,
        line=place.line.strip()[:LINE],
    )


def _unit(old: Quantity | None, new: Quantity | None) -> str:
    units = {q.unit for q in (old, new) if q}
    return units.pop() if len(units) == 1 else ""


_KEY_WORDS = frozenset(
    {"topic", "topics", "queue", "queues", "exchange", "prefix", "subject", "stream", "channel", "keyprefix"}
)
_KEY_NAMES = re.compile(
    r"(cache|partition|routing|shard|sort|hash|lock|redis|idempotency|dedup\w*|group|sharding|distribution|"
    r"message)[_.-]?key|"
    r"key[_.-]?(prefix|pattern|format|template|space)|consumer[_.-]?group|group[_.-]?id|routing|\blabels?\b|_label$",
    re.IGNORECASE,
)
_REFERENCE_WORDS = frozenset(
    "host hosts hostname url uri endpoint endpoints addr address addresses server servers broker brokers bootstrap "
    "dsn upstream "
    "backend domain image repository registry tag path file dir directory mount mountpath subpath bucket secret "
    "secretname "
    "secretref secretkeyref configmap configmapref claimname serviceaccountname property keyref existingsecret "
    "vault arn ami "
    "selector matchlabels matchexpressions query expr regex regexp pattern port ports containerport targetport "
    "hostport listen "
    "proxy_pass route target resolver nameserver zone dns cname ref source from command entrypoint cmd script jdbc "
    "region "
    "namespace serveraddress nodeport servicename ingressclassname storageclass storageclassname database dbname "
    "schema "
    "records record alias targets origin certificate cert cacert keystore truststore kubeconfig".split()
)
_PORT_WORDS = frozenset({"port", "ports", "containerport", "targetport", "hostport", "nodeport", "listen", "expose"})
_TEXT_WORDS = frozenset(
    "description title summary message msg label text help tooltip placeholder heading caption subtitle copy "
    "greeting subject "
    "body footer header banner displayname comment note notes runbook_url author owner team contact".split()
)
_URL = re.compile(r"^[a-z][a-z0-9+.-]*://|^jdbc:|^s3:|^arn:|^redis[s]?:", re.IGNORECASE)
_HOST = re.compile(r"^[\w-]+(\.[\w-]+)+(:\d+)?$|^[\w.-]+:\d{2,5}$")
_IMAGE = re.compile(r"^[\w.-]+(?:[:/][\w./-]+)*[:@][\w.-]+$")
_PATH = re.compile(r"^[.~]?/?[\w.@${}<>:*-]+(?:/[\w.@${}<>:*-]*)+$|^/$")
_REGEX = re.compile(r"\.\*|\\[dwsb.]|\[\^?\w-\w|\(\?|^\^|\$$")
_PROMQL = re.compile(
    r"\b(sum|rate|increase|avg|max|histogram_quantile|irate|count)\w*\s*(by\s*\(|\()|\{\w+\s*[=!]~?\s*[\"']"
)
_SENTENCE = re.compile(
    r"[A-Za-z]{2,}[ ,.!?]+[A-Za-z%{<]+.* |^[A-Z][a-z]+ [a-z]+|[a-z]{3,} [a-z]{2,} [a-z]{2,}|^[A-Z][^_/]*[a-z][.!?…]$"
)


def is_sentence(text: str) -> bool:
    """Words for a person rather than a name, an expression or a command."""
    plain = text.strip("\"'`")
    return bool(_SENTENCE.search(plain)) and not _URL.match(plain) and not re.search(r"[=;{}]|\|\||&&|--\w", plain)


def is_reference(text: str) -> bool:
    """A URL, host, image, path, regular expression or metric query."""
    plain = text.strip("\"'`")
    if (
        not plain
        or plain.replace(".", "").isdigit()
        or (" " in plain and not _PROMQL.search(plain) and not _URL.match(plain))
    ):
        return False
    return any(p.search(plain) for p in (_URL, _IMAGE, _PATH, _REGEX, _PROMQL)) or bool(
        _HOST.match(plain) and re.search(r"[a-z]", plain, re.IGNORECASE) and not read_quantity(plain)
    )


def value_edits(change: Changed, place: Place) -> Iterator[Edit]:
    """The edits that one changed value stands for."""
    before = change.before.value if change.before else None
    after = change.after.value if change.after else None
    name = change.binding.name
    if change.renamed and change.before and change.after and before == after:
        yield edit(EditKind.FIELD_RENAMED, place, change.before.name, change.before.key, change.after.key)
        return
    parts = differing_figures(before, after) if before is not None and after is not None else []
    if parts and _SCHEDULE.fullmatch(before or ""):
        parts = []
    whole = before is not None and after is not None and read_quantity(before, name) and read_quantity(after, name)
    if (
        parts
        and not whole
        and not _is_image(before or "")
        and not _HOST.match(before or "")
        and not is_version(before or "")
    ):
        for label, old, new in parts:
            full = f"{name}.{label}" if label and label != change.binding.key else name
            yield edit(EditKind.VALUE, place, full, old, new)
        return
    yield edit(kind_of_value(name, before, after, place.language), place, name, before, after)


_SCHEDULE = re.compile(r"(?:[\d*/,A-Za-z?#L-]+ +){4,6}[\d*/,A-Za-z?#L-]+|(?:rate|cron)\(.*\)")
"""A cron expression; its figures are no quantities."""


def _is_image(text: str) -> bool:
    return bool(_IMAGE.match(text)) and not text[-1:].isspace()


def is_version(text: str) -> bool:
    """`1.2.3`, `v2.0`, `^4.17.21`, `~> 5.0`."""
    return bool(re.fullmatch(r"[~^>=<!\s]*v?\d+(\.\d+){1,3}([.+-][\w.+-]+)?(,.*)?", text.strip("\"'` ")))


_SAYS = re.compile(r"(errorf|error|exception|wrapf?|newerror|fail|abort|bail|anyhow|raise|errors\.new)$", re.IGNORECASE)
"""Callees whose string is a message of an error."""


_LOOKS_UP = re.compile(
    r"(getenv|lookupenv|mustenv|environ(\.get)?|config\.get\w*|viper\.get\w*|settings\.get\w*)$", re.IGNORECASE
)
"""Callees whose string names a setting."""


def kind_of_value(name: str, before: str | None, after: str | None, language: Language) -> EditKind:
    """VALUE, REFERENCE_CHANGED, KEY_CHANGED or TEXT, from the setting's name and the looks of its values."""
    if before is None or after is None:
        return EditKind.VALUE
    words = words_of(name.rsplit(".", 1)[-1]) or [""]
    whole = "".join(words)
    if language.family is Family.CODE and _LOOKS_UP.search(name) and before[-1:] in "\"'`" and after[-1:] in "\"'`":
        return EditKind.REFERENCE_CHANGED
    if language.family is Family.CODE and _SAYS.search(name) and before[-1:] in "\"'`" and after[-1:] in "\"'`":
        return EditKind.TEXT
    path_words = set(words_of(name))
    if read_quantity(before, name) and read_quantity(after, name):
        return EditKind.REFERENCE_CHANGED if words[-1] in _PORT_WORDS or whole in _PORT_WORDS else EditKind.VALUE
    if _is_word_flag(before) and _is_word_flag(after):
        return EditKind.VALUE
    if path_words & {"selector", "matchlabels", "nodeselector"} or {"match", "labels"} <= path_words:
        return EditKind.REFERENCE_CHANGED
    if (
        words[-1] in _KEY_WORDS
        or whole in _KEY_WORDS
        or (_KEY_NAMES.search(name) and not path_words & {"secret", "remote"})
    ):
        return EditKind.KEY_CHANGED
    return _kind_of_text(words, whole, before, after, language)


def _is_word_flag(text: str) -> bool:
    return text.strip("\"'").lower() in {
        "true",
        "false",
        "on",
        "off",
        "yes",
        "no",
        "enabled",
        "disabled",
        "none",
        "null",
    }


def _kind_of_text(words: list[str], whole: str, before: str, after: str, language: Language) -> EditKind:
    if words[-1] in _TEXT_WORDS and is_sentence(before) and is_sentence(after):
        return EditKind.TEXT
    if language.family is Family.CODE and not ({before[-1:], after[-1:]} <= set("\"'`")):
        return EditKind.VALUE
    referring = words[-1] in _REFERENCE_WORDS or whole in _REFERENCE_WORDS or words[0] in {"secret", "image", "vault"}
    referring = referring or (words[-1] == "key" and language.family is Family.SETTINGS)
    if referring or (is_reference(before) and is_reference(after)):
        return EditKind.REFERENCE_CHANGED
    if language.family is Family.CODE and is_sentence(before) and is_sentence(after):
        return EditKind.TEXT
    if language.family is Family.SETTINGS and is_sentence(before) and is_sentence(after) and len(before.split()) > 2:
        return EditKind.TEXT
    return EditKind.VALUE
