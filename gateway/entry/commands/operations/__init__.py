"""Commands that keep the gateway right: backups, migrations, rebuilds, dead letters."""
