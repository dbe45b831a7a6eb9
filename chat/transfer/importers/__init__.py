"""Files of conversations, taken apart: the archive itself and exports of other products."""
