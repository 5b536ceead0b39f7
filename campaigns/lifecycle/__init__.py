"""From a draft to an end: what may be done to a blast, and who runs it."""
