"""Files: written completely or not at all, in one safe format; every value is validated when it is read.

atomic.py   writes a file completely or not at all
file.py     the safe format: arrays and JSON in one safetensors file
fields.py   validated values from such a file
"""

from gatewise.persistence.file import VERSION, FormatError, load, save

__all__ = ["VERSION", "FormatError", "load", "save"]
