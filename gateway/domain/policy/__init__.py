"""May this person be reached now, by this channel, for this purpose? Pure; the rules are config/policies."""
