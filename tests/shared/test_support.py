"""What tests share lies in modules of support: no module of tests imports another's tests."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]


def test_no_module_of_tests_imports_from_another() -> None:
    found = [
        f"{path.relative_to(TESTS)}:{node.lineno} imports {module}"
        for path in sorted(TESTS.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        for module in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [name.name for name in node.names]
            if isinstance(node, ast.Import)
            else []
        )
        if module.rpartition(".")[2].startswith("test_")
    ]
    assert not found
