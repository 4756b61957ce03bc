"""Event schemas as plugins: protocols, hooks, a registry."""
