"""The audit log that outsiders can verify."""
