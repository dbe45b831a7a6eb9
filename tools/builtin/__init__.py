"""The tools that come with Talos: one file a tool or family. A file put here is found."""
