"""What the service keeps: history, facts, and the last body of each encounter; SQLite embedded, PostgreSQL shared."""
