"""Safeconduct carries software safely from commit to cluster.

It knows what every release is made of, who vouches for it, what is wrong with it and where it runs, and lets
nothing pass that it cannot vouch for.
"""

__version__ = "0.1.0"
