"""Reading files of conversations: archives, and exports of other products."""
