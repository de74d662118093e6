"""Models in files: safetensors with a JSON header, no code inside."""

from steepest.storage.model_file import load, save

__all__ = ["load", "save"]
