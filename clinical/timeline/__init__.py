"""All that is on record about one person in the order of time, with pins and words on findings."""
