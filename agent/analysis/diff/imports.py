"""Lines that only bring names into reach."""

from __future__ import annotations

import re

from agent.analysis.diff.languages import Language

_IMPORTS = {
    "go": r"import\b.*|(?:[\w.]+\s+)?\"[\w./-]+\"$|package \w+",
    "python": r"import\s.*|from\s+[\w.]+\s+import\b.*",
    "javascript": r"import\s+(?!['\"(]).*|export\s+(?:type\s+)?(?:\*|\{[^}]*\})\s+from.*|"
    r"(?:const|let|var)\s+[\w{}, :]+=\s*require\(.*",
    "java": r"import\s.*|package\s.*",
    "rust": r"(?:pub(?:\(\w+\))?\s+)?use\s.*|extern crate\s.*|mod \w+;",
    "csharp": r"(?:global\s+)?using\s+(?:static\s+)?[\w.]+(?:\s*=\s*[\w.<>]+)?;|namespace\s+[\w.]+;?",
    "c": r"#\s*include\b.*|using\s+(?:namespace\s+)?[\w:]+;",
    "php": r"use\s+[\w\\]+.*;|namespace\s.*;",
    "ruby": r"require(?:_relative)?\b.*",
    "swift": r"import\s.*",
}
_SAME = {"typescript": "javascript", "kotlin": "java", "scala": "java", "groovy": "java", "dart": "javascript"}
_COMPILED = {name: re.compile(pattern) for name, pattern in _IMPORTS.items()}
_ACTS = re.compile(
    r"import\s*['\"(]|\b_\s+\"|#\s*include|require|monkey|patch|\bside\b|import\s+\"|\bgevent\b|instrument",
    re.IGNORECASE,
)


def is_import(text: str, language: Language) -> bool:
    """Whether a line imports, and nothing else."""
    pattern = _COMPILED.get(_SAME.get(language.name, language.name))
    return bool(pattern and pattern.fullmatch(text.strip()))


def acts_on_import(text: str) -> bool:
    """An import that is made for what it does: order and presence then matter."""
    return bool(_ACTS.search(text))
