"""What things are: frozen dataclasses, standard library only, no I/O, no clock."""
