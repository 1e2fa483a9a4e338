"""What do we do about a failure? Pure decisions on numbers: time, draws and settings come in as arguments."""
