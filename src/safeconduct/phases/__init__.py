"""The four flows, thin: develop, build, deploy, operate."""
