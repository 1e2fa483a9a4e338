"""Reading a live exception: what it carries, through its causes, without any library that raised it."""
