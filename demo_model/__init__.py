"""A small video model of this house's own: its scenes, its training, its scores and its weights."""
