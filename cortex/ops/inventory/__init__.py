"""What this house holds, read from its code: kinds of keys with their uses, and the software it ships."""
