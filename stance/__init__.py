"""stance-kit: who takes which position, per actor, in news sentences."""

__version__ = "0.1.0"
