"""Whether SQL, Redis and secrets are of one deployment and of one time; what could not be written."""
