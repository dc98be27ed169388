"""What all simulators do alike: being served, logging calls, faults that tests script, sending notices."""
