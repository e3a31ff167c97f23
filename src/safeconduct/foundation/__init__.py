"""What every room stands on: errors, settings, HTTP, store, clock."""
