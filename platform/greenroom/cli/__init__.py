"""The command line ``greenroom``: over the API, what a tester does in the portal.

It imports neither Django nor anything else of the house, so that it starts at once and works on a
machine where only this package is installed.
"""
