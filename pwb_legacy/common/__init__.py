"""What the designs share: the conversation with one client, and the parts it is made of."""
