"""From a context and a text to one decision with every reason."""
