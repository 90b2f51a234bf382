"""The command line, a module for each family of commands; `bot.__main__` is the table of contents."""
