"""What could be known at best: futures simulated from every synthetic person's true state at day zero."""
