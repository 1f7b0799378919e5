"""How each kind of node of the tree is bound, a family a module."""
