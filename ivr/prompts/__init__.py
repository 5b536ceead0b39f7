"""Sound files of the prompts: made by espeak-ng and sox, or recorded in a studio."""
