"""Hand out programming assignments on convolution, and grade what comes back."""

__version__ = "0.1.0"
