"""What a cluster asks and runs: admission reviews, workloads."""
