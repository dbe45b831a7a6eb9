"""What is shown of the rows: snapshots, messages for a page, tool cards, lists of chats and usage."""
