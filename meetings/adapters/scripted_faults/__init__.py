"""What all simulators do alike: faults that tests script, and answers spoiled on the wire. For them alone."""
