"""`chatctl check`: what the chart renders to, against schemas and invariants; start at run.py."""
