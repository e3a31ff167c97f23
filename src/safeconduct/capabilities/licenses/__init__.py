"""Under which terms: SPDX expressions read and judged."""
