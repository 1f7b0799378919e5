"""What every room stands on: exact costs, ids, reasons, the clock, and the passage from private to released."""
