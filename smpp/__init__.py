"""The SMSC edge: sessions, reassembly, intake of texts, sending of answers."""
