"""What is measured of this house, as distributions and as ratios to plain SQL: `python -m bench`."""
