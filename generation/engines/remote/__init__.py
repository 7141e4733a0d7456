"""The engine that asks a video server over HTTP: it waits, and computes nothing. No torch."""
