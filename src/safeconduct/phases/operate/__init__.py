"""From new advisories and alerts to risks, and what the operator changes."""
