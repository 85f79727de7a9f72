"""The calls in a stretch of code: who is called, with what, and whether once per element of a collection."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.analysis.diff.languages import Language
from agent.analysis.diff.tokens import Token

_NO_CALLEE = frozenset(
    "if else elif elsif unless for foreach while until switch case when match catch except return in not and or throw "
    "yield await async defer new func function fn fun def lambda with using try do is as typeof sizeof instanceof super "
    "import from package class struct interface enum record trait impl type where assert raise del echo and var let "
    "const val".split()
)
"""Words before a bracket that call nothing."""

_LINKS = frozenset({".", "::", "->", "?.", "!!", "&."})
_LAMBDA_TAIL = frozenset({"kotlin", "scala", "groovy", "swift", "ruby"})
_BARE = frozenset({"ruby", "elixir", "groovy"})
ITERATORS = frozenset(
    "map flatmap foreach each eachwithindex eachslice filtermap mapasync concatmap mergemap switchmap select "
    "selectmany "
    "foreachasync collect times mapnotnull associatewith filter any all every some reduce fold partition arraymap "
    "starmap "
    "traverse partraverse apply submit foreachordered parallel findeach mapindexed mapvalues sortby groupby "
    "maptoobj".split()
)
_ITERATING_FUNCTIONS = frozenset({"map", "filter", "starmap", "arraymap", "pmap", "traverse"})
"""Those that iterate without a receiver; `select(x)` alone builds a query."""

_OPTIONAL = frozenset(
    {
        "optional",
        "ofnullable",
        "mono",
        "findfirst",
        "findbyid",
        "findone",
        "some",
        "ok",
        "option",
        "maybe",
        "single",
        "uni",
    }
)
_MARKS = frozenset({"=>", "->", "lambda", "|", "func", "function", "fn", "{"})
_OPEN, _CLOSE = {"(": ")", "[": "]", "{": "}"}, {")": "(", "]": "[", "}": "{"}
_LOOPS = frozenset({"for", "foreach", "while", "loop", "until"})


@dataclass(slots=True)
class Call:
    segments: tuple[str, ...]
    line: int
    at: int
    """Index of the callee's last name among the tokens."""
    start: int
    """Index of the first token of the callee (`a` in `a.b(`)."""
    open: int
    close: int = -1
    """Index of the closing bracket; -1 when the stretch ends before it, or when there are no brackets."""
    in_loop: bool = False
    """Inside the lambda of an iteration, a comprehension or the braces of a loop."""
    prefix: int = 0
    """Leading segments that belong to another call, of whose result this one is called."""
    decorator: bool = False
    reference: bool = False
    """Only named (`map(repo::load)`), to be called once per element."""
    inside: tuple[int, ...] = ()
    """`open` of the calls around it, outermost first."""

    @property
    def name(self) -> str:
        return ".".join(self.segments)

    @property
    def own_name(self) -> str:
        """The name without the calls before it: `setMax` of `Pool.builder().setMax(5)`."""
        return ".".join(self.segments[self.prefix :])

    @property
    def last(self) -> str:
        return self.segments[-1]

    @property
    def key(self) -> str:
        """What makes two calls the same when code moves: the callee and, where it says something, its receiver."""
        receiver = self.segments[-2] if len(self.segments) > 1 else ""
        return (
            self.last
            if len(receiver) < 2 or receiver in {"self", "this", "cls", "super"}
            else f"{receiver}.{self.last}"
        )


@dataclass(slots=True)
class _Frame:
    bracket: str
    open: int
    call: Call | None
    loop: bool
    first_call: int
    """Number of calls found before the bracket opened; those after it lie inside."""


@dataclass(slots=True)
class _Finder:
    tokens: Sequence[Token]
    language: Language
    defined: Mapping[int, str]
    calls: list[Call] = field(default_factory=list)
    frames: list[_Frame] = field(default_factory=list)
    matches: dict[int, int] = field(default_factory=dict)
    """Closing bracket -> opening bracket."""
    by_open: dict[int, Call] = field(default_factory=dict)
    loop_line: int = -1
    """Line on which the rest of a loop without braces stands."""
    pending: int = -1
    """Depth of frames at which a loop keyword waits for its braces, -1 when none does."""

    def run(self) -> tuple[Call, ...]:
        for index, token in enumerate(self.tokens):
            if token.kind == "op":
                if token.text in _OPEN:
                    self._opens(index, token)
                elif token.text in _CLOSE:
                    self._closes(index, token)
                elif token.text == ";" and self.pending == len(self.frames):
                    self.pending = -1
            elif token.kind == "name":
                self._name(index, token)
        return tuple(sorted(self.calls, key=lambda c: c.at))

    def _looping(self, line: int) -> bool:
        return line == self.loop_line or any(f.loop for f in self.frames)

    def _opens(self, index: int, token: Token) -> None:
        call = None
        loop = False
        if token.text == "(":
            call = self._callee(index)
        elif token.text == "{":
            if self.pending == len(self.frames):
                loop, self.pending = True, -1
            elif self.language.name in _LAMBDA_TAIL:
                call = self._before_lambda(index)
                loop = call is not None and _iterates(call)
        self.frames.append(_Frame(token.text, index, call, loop, len(self.calls)))

    def _closes(self, index: int, token: Token) -> None:
        wanted = _CLOSE[token.text]
        if not any(f.bracket == wanted for f in self.frames):
            return
        while self.frames:
            frame = self.frames.pop()
            if frame.bracket == wanted:
                self._finish(frame, index)
                return

    def _finish(self, frame: _Frame, index: int) -> None:
        self.matches[index] = frame.open
        if frame.call and frame.bracket == "(":
            frame.call.close = index
            self._references(frame.call, index)
        follows = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
        header = frame.bracket == "(" and frame.call is None and self.pending == len(self.frames)
        if header and follows is not None and follows.text != "{" and follows.line == self.tokens[index].line:
            self.loop_line, self.pending = follows.line, -1

    def _name(self, index: int, token: Token) -> None:
        text = token.text
        if text in _LOOPS and not self._is_member(index):
            if text == "for" and self.frames and self.language.name == "python":
                self._comprehension(self.frames[-1])
            elif self.language.name != "python":
                self.pending = len(self.frames)
        elif text.startswith("@") and self.language.name not in {"ruby", "php", "elixir"}:
            self._decorator(index)
        elif self.language.name in _BARE:
            self._bare(index)

    def _is_member(self, index: int) -> bool:
        return index > 0 and self.tokens[index - 1].text in _LINKS

    def _comprehension(self, frame: _Frame) -> None:
        for call in self.calls[frame.first_call :]:
            call.in_loop = True
        frame.loop = False

    def _add(self, segments: tuple[str, ...], at: int, start: int, opened: int, prefix: int = 0) -> Call:
        line = self.tokens[at].line
        around = tuple(f.open for f in self.frames if f.call)
        loop = self._looping(line) or any(
            f.call and f.bracket == "(" and _iterates(f.call) and self._in_lambda(f.open, at) for f in self.frames
        )
        call = Call(segments, line, at, start, opened, prefix=prefix, in_loop=loop, inside=around)
        self.calls.append(call)
        if opened >= 0:
            self.by_open[opened] = call
        return call

    def _in_lambda(self, opened: int, at: int) -> bool:
        return any(t.text in _MARKS for t in self.tokens[opened : min(at, opened + 200)])

    def _callee(self, index: int) -> Call | None:
        at = self._skip_generics(index - 1)
        if at < 0 or self.tokens[at].kind != "name":
            return None
        token = self.tokens[at]
        if token.text.lower() in _NO_CALLEE and not self._is_member(at):
            return None
        if self.defined.get(token.line) == token.text and not self._already(token.line, token.text):
            return None
        if token.text.startswith("@") and self.language.name not in {"ruby", "php"}:
            return next((c for c in reversed(self.calls) if c.at == at), None)
        segments, start, prefix = self._chain(at)
        if segments[0].startswith("@") and any(c.decorator and c.start == start for c in self.calls[-3:]):
            return self.calls[-1]
        if self.calls and self.calls[-1].at == at:
            self.calls[-1].open = index
            self.by_open[index] = self.calls[-1]
            return self.calls[-1]
        return self._add(segments, at, start, index, prefix)

    def _already(self, line: int, name: str) -> bool:
        """The definition's own name was passed on this line; what follows calls it (recursion on one line)."""
        return any(c.line == line and c.last == name for c in self.calls[-4:])

    def _skip_generics(self, at: int) -> int:
        """Step over `<T>`, `[T]` (Go) and `?.` between a callee and its bracket."""
        if at >= 0 and self.tokens[at].text == "?.":
            at -= 1
        text = self.tokens[at].text if at >= 0 else ""
        opener = {">": "<", "]": "["}.get(text)
        if opener is None or (text == "]" and self.language.name not in {"go", "scala"}):
            return at
        depth = 0
        for back in range(at, max(-1, at - 24), -1):
            token = self.tokens[back]
            depth += (token.text == text) - (token.text == opener)
            if depth == 0:
                before = back - 1
                return before - 1 if before >= 0 and self.tokens[before].text == "::" else before
            if token.kind in {"number", "string"} or token.text in {"(", ")", "{", "}", ";", "&&", "||"}:
                return -1
        return -1

    def _chain(self, at: int) -> tuple[tuple[str, ...], int, int]:
        """The dotted callee that ends at token `at`, where it starts, and how many segments another call's are."""
        segments = [self.tokens[at].text.rstrip("!")]
        start = at
        while start >= 2 and self.tokens[start - 1].text in _LINKS and len(segments) < 8:
            back = start - 2
            while back > 0 and self.tokens[back].text in {"!", "?", "await"}:
                back -= 1
            token = self.tokens[back]
            if token.text in {")", "]"}:
                opened = self.matches.get(back, -1)
                inner = self.by_open.get(opened)
                if inner:
                    whole = (*inner.segments, *segments)[-8:]
                    return whole, inner.start, len(whole) - len(segments)
                back, token = opened - 1, self.tokens[opened - 1] if opened > 0 else token
            if token.kind == "string" and back >= 0:
                return ("str", *segments), back, 0
            if back < 0 or token.kind != "name" or token.text in {"return", "await", "yield"}:
                break
            segments.insert(0, token.text.lstrip("@$"))
            start = back
        return tuple(segments), start, 0

    def _before_lambda(self, index: int) -> Call | None:
        """`forEach {`, `transaction(db) {`: the call that takes the braces as its last argument."""
        at = index - 1
        if at >= 0 and self.tokens[at].text == ")":
            return self.by_open.get(self.matches.get(at, -1))
        if at < 0 or self.tokens[at].kind != "name" or self.tokens[at].text in _NO_CALLEE:
            return None
        line = self.tokens[at].line
        if line in self.defined or self.tokens[at].line != self.tokens[index].line:
            return None
        if at > 0 and self.tokens[at - 1].text in {":", "->", "class", "object", "else", "extends", "<"}:
            return None
        segments, start, prefix = self._chain(at)
        return self._add(segments, at, start, -1, prefix) if segments[-1][:1].islower() else None

    def _decorator(self, index: int) -> None:
        """`@name` and `@a.b` at the beginning of a line or of a parameter."""
        segments = [self.tokens[index].text.lstrip("@")]
        at = index
        while at + 2 < len(self.tokens) and self.tokens[at + 1].text == "." and self.tokens[at + 2].kind == "name":
            at += 2
            segments.append(self.tokens[at].text)
        if segments[0]:
            call = self._add(tuple(segments), at, index, -1)
            call.decorator, call.in_loop = True, False

    def _bare(self, index: int) -> None:
        """Calls without brackets: `conn.release`, `sleep 5`, `redis.get key`."""
        token = self.tokens[index]
        follows = self.tokens[index + 1] if index + 1 < len(self.tokens) else None
        before = self.tokens[index - 1] if index else None
        if follows is not None and follows.text in {"(", ".", "&.", "::", "=", "{"}:
            return
        if before is not None and before.text in {".", "&."}:
            segments, start, prefix = self._chain(index)
            self._add(segments, index, start, -1, prefix)
            return
        first = before is None or before.line != token.line
        argument = (
            follows is not None and follows.line == token.line and (follows.kind != "op" or follows.text in {":", "["})
        )
        if (
            first
            and argument
            and token.text not in _NO_CALLEE
            and token.line not in self.defined
            and token.text.islower()
        ):
            self._add((token.text,), index, index, -1)

    def _references(self, call: Call, close: int) -> None:
        """`ids.map(load)`, `stream.map(repo::load)`: named once, called for each element."""
        if not _iterates(call) or call.open < 0:
            return
        # Python hands the collection over behind the function: map(load, ids).
        comma = next((i for i in range(call.open + 1, close) if self.tokens[i].text == ","), close)
        at = (comma if self.language.name == "python" else close) - 1
        inner = self.tokens[call.open + 1 : at + 1]
        if not 1 <= len(inner) <= 5 or inner[-1].kind != "name":
            return
        segments = tuple(t.text for t in inner if t.kind == "name")
        named = all(t.kind == "name" or t.text in _LINKS for t in inner)
        if named and (len(segments) > 1 or self.language.name in _PASSES_FUNCTIONS):
            line = self.tokens[at].line
            self.calls.append(Call(segments, line, at, call.open + 1, -1, in_loop=True, reference=True))


_PASSES_FUNCTIONS = frozenset({"javascript", "typescript", "scala", "python"})


def _iterates(call: Call) -> bool:
    folded = call.last.replace("_", "").lower()
    if folded not in ITERATORS or (len(call.segments) == 1 and folded not in _ITERATING_FUNCTIONS):
        return False
    return not any(s.lower() in _OPTIONAL for s in call.segments[:-1])


def find_calls(tokens: Sequence[Token], language: Language, defined: Mapping[int, str]) -> tuple[Call, ...]:
    """All calls in order; `defined` maps a line to the name it defines, which is no call there."""
    return _Finder(tokens, language, defined).run()


def arguments(call: Call, tokens: Sequence[Token]) -> list[list[Token]]:
    """The tokens of each argument; [] for a call without brackets or arguments."""
    if call.open < 0:
        return []
    end = call.close if call.close >= 0 else min(len(tokens), call.open + 200)
    found: list[list[Token]] = [[]]
    depth = 0
    for token in tokens[call.open + 1 : end]:
        if token.text in _OPEN and token.kind == "op":
            depth += 1
        elif token.text in _CLOSE and token.kind == "op":
            depth -= 1
        if token.text == "," and depth == 0:
            found.append([])
        else:
            found[-1].append(token)
    return found if found != [[]] else []
