"""What came of a person's care beside goals and measures: appointments that were kept, and alerts."""
