"""A privacy-preserving trusted research environment."""
