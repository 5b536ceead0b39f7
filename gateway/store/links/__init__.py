"""Links to SMSCs: who holds one, its pace, its failover, what waits for it."""
