"""From a bound query to a private plan, and from exact partials to a release."""
