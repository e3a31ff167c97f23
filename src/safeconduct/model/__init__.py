"""The words of the trade as frozen values. Imports nothing of ours, does no I/O."""
