"""What an operator types: firms, campaigns, codes, dead letters, rebuild, migrate."""
