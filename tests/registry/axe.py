"""The accessibility checker axe, run in a page."""

from pathlib import Path

import axe_core_python

from tests.registry.pages import address as address
from tests.registry.proof import metrics as answers  # noqa: F401

AXE = (Path(axe_core_python.__file__).parent / "axe.min.js").read_text("utf-8")

ASK = """axe.run(document, {resultTypes: ['violations'], preload: false}).then(found => found.violations
  .filter(v => ['serious', 'critical'].includes(v.impact))
  .map(v => ({rule: v.id, impact: v.impact, help: v.help, nodes: v.nodes.slice(0, 4).map(n => [n.html, n.failureSummary])})))"""
