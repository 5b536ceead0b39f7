"""What keeps the gateway right: rebuilds, readiness, the choice of a link."""
