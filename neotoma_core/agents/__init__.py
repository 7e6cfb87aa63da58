"""What an agent may ask over the Model Context Protocol, and how a person stays in charge.

Read tools are always there. What writes needs a plan that is bound to the bytes it was made from,
and a person's yes. Which databases and folders may be touched is said when the server starts.
"""
