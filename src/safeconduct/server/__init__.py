"""HTTP: admission webhook, API, event receivers."""
