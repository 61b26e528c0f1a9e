"""The reference app as its users meet it: a real server in a process of its own, real HTTP and WebSocket clients."""
