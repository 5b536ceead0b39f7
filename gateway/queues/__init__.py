"""RQ: the nudges that move work from Redis to SQL, and the jobs they wake."""
