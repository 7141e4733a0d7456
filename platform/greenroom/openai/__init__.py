"""The door ``/v1``: the OpenAI Videos API, so that its stock SDKs work unchanged.

Translation only: every deed is a command that the portal and ``/api/v1`` call as well.
"""
