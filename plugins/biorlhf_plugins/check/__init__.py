"""The audit of training text: what contradicts a fact table, the text itself, or another text of the file."""

from biorlhf_plugins.check.engine import audit, audit_path, read_texts
from biorlhf_plugins.check.findings import Finding
from biorlhf_plugins.check.sources import load_facts
from biorlhf_plugins.check.table import FactTable, Figure

__all__ = ["FactTable", "Figure", "Finding", "audit", "audit_path", "load_facts", "read_texts"]
