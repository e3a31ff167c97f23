"""Where artifacts live: OCI distribution client, image layouts, referrers."""
