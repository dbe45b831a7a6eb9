"""How a tool is declared, and how its calls are checked and run."""
