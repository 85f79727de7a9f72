"""Calls: callee, arguments, loops."""

from __future__ import annotations

import pytest

from agent.analysis.diff.callees import Work, takes_many, work_of
from agent.analysis.diff.calls import arguments
from agent.analysis.diff.hunks import Side
from tests.agent.analysis.diff.named_languages import named


def side(source: str, language: str) -> Side:
    return Side(source.split("\n"), named(language), "")


@pytest.mark.parametrize(
    ("source", "language", "expected"),
    [
        ("x := s.db.Query(ctx, q)", "go", ["s.db.Query"]),
        ("json.NewDecoder(r.Body).Decode(&req)", "go", ["json.NewDecoder", "json.NewDecoder.Decode"]),
        ("req, err := decode[Order](r)", "go", ["decode"]),
        ("func (s *Store) Get(id string) error {", "go", []),
        ("if (ready(x)) { go(); }", "java", ["ready", "go"]),
        ("const u = await http.get<User>('/u');", "typescript", ["http.get"]),
        ("stmt = select(Loan).where(a)", "python", ["select", "select.where"]),
        ("a?.b?.c(1)", "typescript", ["a.b.c"]),
        ("let x = Arc::new(v).load()?;", "rust", ["Arc.new", "Arc.new.load"]),
        ('info!("x");', "rust", ["info"]),
        ("@app.route('/x')", "python", ["app.route"]),
        ("conn.release", "ruby", ["conn.release"]),
        ("sleep 5", "ruby", ["sleep"]),
        ("scope.launch { load() }", "kotlin", ["scope.launch", "load"]),
        ("':'.join(xs)", "python", ["str.join"]),
    ],
)
def test_callees(source: str, language: str, expected: list[str]) -> None:
    assert [c.name for c in side(source, language).calls] == expected


@pytest.mark.parametrize(
    ("source", "language", "callee", "looped"),
    [
        ("for _, x := range xs {\n\tload(x)\n}", "go", "load", True),
        ("for _, x := range all() {\n\ty()\n}", "go", "all", False),
        ("xs.map(x => load(x))", "typescript", "load", True),
        ("xs.map(load)", "typescript", "load", True),
        ("ids.stream().map(repo::load)", "java", "load", True),
        ("optional.map(x -> load(x))", "java", "load", False),
        ("[load(x) for x in xs]", "python", "load", True),
        ("load(x for x in xs)", "python", "load", False),
        ("for x in xs:\n    load(x)\nafter()", "python", "load", True),
        ("for x in xs:\n    load(x)\nafter()", "python", "after", False),
        ("foreach (var x in xs)\n{\n    Load(x);\n}", "csharp", "Load", True),
        ("xs.each do |x|\n  load(x)\nend", "ruby", "load", True),
        ("xs.forEach {\n    load(it)\n}", "kotlin", "load", True),
        ("while (ok) load(x);", "java", "load", True),
        ("run(() => load(x))", "typescript", "load", False),
    ],
)
def test_loops(source: str, language: str, callee: str, looped: bool) -> None:
    found = side(source, language)
    call = next(c for c in found.calls if c.last == callee)
    assert (call.in_loop or found.loops(call.line)) is looped


def test_arguments_are_split_outside_of_brackets() -> None:
    found = side("f(a, g(b, c), {k: [1, 2]})", "typescript")
    call = next(c for c in found.calls if c.last == "f")
    given = [found.source(a[0], a[-1]) for a in arguments(call, found.tokens)]
    assert given == ["a", "g(b, c)", "{k: [1, 2]}"]


def test_unbalanced_brackets_do_no_harm() -> None:
    assert [c.last for c in side(") } f(a, (b\n] g(c)", "go").calls] == ["f", "g"]


@pytest.mark.parametrize(
    ("source", "language", "work"),
    [
        ("log.Info(x)", "go", Work.LOG),
        ("self.logger.debug(x)", "python", Work.LOG),
        ("hits.Inc()", "go", Work.METRIC),
        ("TimeSpan.FromSeconds(5)", "csharp", Work.TRIVIAL),
        ("time.Sleep(d)", "go", Work.SLEEP),
        ("mu.Lock()", "go", Work.LOCK),
        ("conn.Release()", "go", Work.RELEASE),
        ("cache.get(k)", "python", Work.CACHE),
        ("bufPool.Get()", "go", Work.PLAIN),
        ("db.QueryRow(q)", "go", Work.QUERY),
        ("repo.findByEmail(e)", "java", Work.QUERY),
        ("users.find(x => x.ok)", "typescript", Work.PLAIN),
        ("q.prefetch_related('a')", "python", Work.EAGER),
        ("router.get('/x', h)", "typescript", Work.ROUTE),
        ("requireRole(r)", "typescript", Work.GUARD),
        ("f().catch(e)", "typescript", Work.FALLBACK),
        ("len(x)", "go", Work.TRIVIAL),
        ("icc.Append(b, p)", "go", Work.PLAIN),
        ("strings.Contains(a, b)", "go", Work.TRIVIAL),
    ],
)
def test_work(source: str, language: str, work: Work) -> None:
    assert work_of(side(source, language).calls[-1]) is work


@pytest.mark.parametrize(
    ("name", "many"),
    [
        ("findAllById", True),
        ("getItems", True),
        ("forSites", True),
        ("findById", False),
        ("getItem", False),
        ("access", False),
    ],
)
def test_callees_that_take_many(name: str, many: bool) -> None:
    assert takes_many(side(f"x.{name}(y)", "java").calls[0]) is many
