"""Engines that run a model in this process: the only folder with torch, imported lazily."""
