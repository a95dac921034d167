"""Files: written whole or not at all, in one safe format, with every value checked when it is read.

atomic.py   write a file whole or not at all
file.py     the safe format: arrays and JSON in one safetensors file
fields.py   checked values out of such a file
"""

from gatewise.persistence.file import VERSION, FormatError, load, save

__all__ = ["VERSION", "FormatError", "load", "save"]
