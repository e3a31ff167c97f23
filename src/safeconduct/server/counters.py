"""Counters for ``/metrics``: few names, fixed labels, nothing that a stranger can make up."""

from collections import Counter

_HELP = {
    "safeconduct_admissions_total": "Admission reviews answered, by phase and outcome.",
    "safeconduct_admission_seconds_total": "Time from a review's last byte to its answer, summed, by phase.",
    "safeconduct_events_total": "Events taken from receivers, by kind.",
    "safeconduct_refused_total": "Requests refused before anybody looked at them, by reason.",
}


class Counters:
    """Sums by name and labels. Only the event loop's thread adds to them."""

    def __init__(self) -> None:
        self._sums: Counter[tuple[str, str]] = Counter()

    def add(self, name: str, value: float = 1, **labels: str) -> None:
        """Add ``value``; labels come from fixed sets in our own code, never from a request."""
        text = ",".join(f'{key}="{labels[key]}"' for key in sorted(labels))
        self._sums[f"safeconduct_{name}", text] += value  # type: ignore[assignment] # seconds are fractions

    def render(self) -> str:
        """Return all sums in the Prometheus text format, sorted."""
        lines = []
        for name, explained in _HELP.items():
            lines += [f"# HELP {name} {explained}", f"# TYPE {name} counter"]
            found = sorted((labels, value) for (known, labels), value in self._sums.items() if known == name)
            lines += [f"{name}{{{labels}}} {value:.6g}" for labels, value in found]
        return "\n".join(lines) + "\n"
