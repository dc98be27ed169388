"""What the use cases need of the outside, in our words."""
