"""The case for a digest and a policy, judged to one decision."""
