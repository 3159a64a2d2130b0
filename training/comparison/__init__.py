"""What the stack is held against: itself with something left out, rules of thumb, and the people it missed."""
