"""Pure: values in, values out. Time, randomness and keys are arguments."""
