"""Frames to files: encoder, poster, contact sheet, and what a finished file says about itself."""
