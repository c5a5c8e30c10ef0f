"""What a person has been found to have, by code; the table of codes and the search in it."""
