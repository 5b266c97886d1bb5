"""The server on an asyncio event loop."""
