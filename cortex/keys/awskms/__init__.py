"""Master keys in AWS KMS: the provider, and the one module that talks to AWS."""
