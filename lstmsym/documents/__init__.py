"""Reading documents: from a file as authors write it to a tree for every equation.

    text -split-> Blocks -tokens-> Tokens -pieces-> Pieces -parse-> Rows (Equation, NotAClaim, Unread)

Nothing is evaluated, and nothing is skipped in silence.
"""
