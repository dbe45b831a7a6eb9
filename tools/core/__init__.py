"""How a tool is declared, and how a call of it is checked and run."""
