"""Who may come in, and the context without which no sealed field opens."""
