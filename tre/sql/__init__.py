"""SQL: from text to a plan that means the same, and from plans to text for engines."""
