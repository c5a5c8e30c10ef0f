"""The ground of every API door: strict parsing, problem answers, credentials, rates and the schema."""
