"""How faithfully blocks behave: programs of other projects, as a block and by themselves."""
