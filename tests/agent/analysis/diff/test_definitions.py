"""What a line defines."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agent.analysis.diff.definitions import Definition, definition_of, section_name
from tests.agent.analysis.diff.named_languages import named


@pytest.mark.parametrize(
    ("line", "language", "expected"),
    [
        ("func (s *Store) Get(ctx context.Context) error {", "go", Definition("function", "Get", "Store")),
        ("type Order struct {", "go", Definition("type", "Order")),
        ("async def load(self):", "python", Definition("function", "load")),
        ("class Order(Base):", "python", Definition("type", "Order")),
        ("export async function load(id: string) {", "typescript", Definition("function", "load")),
        ("const load = async (id: string) => {", "typescript", Definition("function", "load")),
        ("  async load(id: string): Promise<X> {", "typescript", Definition("function", "load")),
        ("export type Reason = 'A' | 'B';", "typescript", Definition("union", "Reason")),
        ("interface Props {", "typescript", Definition("type", "Props")),
        ("    public List<Row> find(String tenant) throws IOException {", "java", Definition("function", "find")),
        ("    @Override public int size() {", "java", Definition("function", "size")),
        ("public enum Status {", "java", Definition("enum", "Status")),
        ("record Row(String a, Instant b) {}", "java", Definition("type", "Row")),
        ("    override suspend fun load(id: Id): Row {", "kotlin", Definition("function", "load")),
        ("data class User(val id: Long)", "kotlin", Definition("type", "User")),
        ("pub async fn remote_start(&self) -> Result<()> {", "rust", Definition("function", "remote_start")),
        ("impl SeasonStore {", "rust", Definition("type", "SeasonStore")),
        ("void Store::close(int fd)", "c", Definition("function", "close", "Store")),
        ("def perform(id)", "ruby", Definition("function", "perform")),
        ("message Order {", "proto", Definition("type", "Order")),
        ('resource "aws_sg" "x" {', "hcl", Definition("resource", "aws_sg.x", "resource")),
        ("[database]", "toml", Definition("section", "database")),
        ("CREATE OR REPLACE FUNCTION f() RETURNS int", "sql", Definition("function", "f")),
    ],
)
def test_definition(line: str, language: str, expected: Definition) -> None:
    assert definition_of(line, named(language)) == expected


@pytest.mark.parametrize(
    ("line", "language"),
    [
        ("return count(rows);", "java"),
        ("int n = count(rows);", "java"),
        ("} else if (ok) {", "java"),
        ("await load(id);", "typescript"),
        ("if (ok) {", "typescript"),
        ("x := f()", "go"),
        ("replicas: 3", "yaml"),
        ("", "go"),
    ],
)
def test_no_definition(line: str, language: str) -> None:
    assert definition_of(line, named(language)) is None


def test_section_names() -> None:
    assert section_name("func (a *A) Do(ctx) {", named("go")) == "Do"
    assert section_name("hikari:", named("yaml")) == "hikari"
    assert section_name("package client", named("go")) == ""
    assert section_name("// just words, with a comma", named("go")) == ""


@given(st.text(max_size=120), st.sampled_from("go java typescript python rust c yaml toml hcl sql proto".split()))
def test_any_line(line: str, language: str) -> None:
    found = definition_of(line, named(language))
    assert found is None or found.name
