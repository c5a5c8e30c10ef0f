"""A large house of fictional people for benches, built by bulk COPY; the demo's few go by actions."""
