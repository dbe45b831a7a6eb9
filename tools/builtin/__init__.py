"""The tools that ship with Talos: one file per tool or family. Files added here are found."""
