"""What is wrong with this machine, its settings, or a deployed bot."""
