"""What a path says about a file."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from agent.analysis.diff.languages import Role, is_file_name, language_of, role_of


@pytest.mark.parametrize(
    ("path", "language", "role"),
    [
        ("svc/a.go", "go", Role.PRODUCT),
        ("svc/a_test.go", "go", Role.TESTS),
        ("src/test/java/A.java", "java", Role.TESTS),
        ("src/main/java/OrderTest.java", "java", Role.TESTS),
        ("src/main/java/Latest.java", "java", Role.PRODUCT),
        ("web/a.spec.ts", "typescript", Role.TESTS),
        ("config/test.yaml", "yaml", Role.PRODUCT),
        ("README.md", "prose", Role.DOCUMENTATION),
        ("docs/setup.md", "prose", Role.DOCUMENTATION),
        ("CODEOWNERS", "prose", Role.DOCUMENTATION),
        ("src/security.ts", "typescript", Role.PRODUCT),
        ("src/history.py", "python", Role.PRODUCT),
        ("ai/prompts/system.md", "prose", Role.PRODUCT),
        ("emails/welcome.md", "prose", Role.PRODUCT),
        ("docs/templates/a.md", "prose", Role.DOCUMENTATION),
        ("web/a.css", "css", Role.STYLE),
        ("web/i18n/de.json", "json", Role.STYLE),
        (".github/workflows/test.yml", "yaml", Role.BUILD),
        (".github/workflows/deploy-prod.yml", "yaml", Role.PRODUCT),
        ("internal/github/client.go", "go", Role.PRODUCT),
        ("pkg/ci/runner.go", "go", Role.PRODUCT),
        ("ci/maven.yml", "yaml", Role.BUILD),
        (".golangci.yml", "yaml", Role.BUILD),
        ("requirements-dev.txt", "requirements", Role.BUILD),
        ("requirements.txt", "requirements", Role.DEPENDENCIES),
        ("go.mod", "gomod", Role.DEPENDENCIES),
        ("go.sum", "gomod", Role.LOCKFILE),
        ("web/package-lock.json", "json", Role.LOCKFILE),
        ("app/build.gradle.kts", "kotlin", Role.DEPENDENCIES),
        ("Dockerfile.prod", "dockerfile", Role.PRODUCT),
        (".dockerignore", "code", Role.PRODUCT),
        (".env.production", "env", Role.PRODUCT),
        ("charts/x/templates/a.yaml.tpl", "yaml", Role.PRODUCT),
        ("etc/cron.d/backup", "cron", Role.PRODUCT),
        ("etc/nginx/default", "conf", Role.PRODUCT),
        ("bin/run", "prose", Role.PRODUCT),
    ],
)
def test_language_and_role(path: str, language: str, role: Role) -> None:
    assert (language_of(path).name, role_of(path)) == (language, role)


@given(st.text(max_size=80))
def test_any_path_has_a_language_and_a_role(path: str) -> None:
    assert language_of(path) is language_of(path)
    assert isinstance(role_of(path), Role)


def test_names_of_files() -> None:
    assert is_file_name("a/b.yaml")
    assert is_file_name("Dockerfile")
    assert not is_file_name("cfg.load")
    assert language_of("a.go").line_comments == ("//",)
