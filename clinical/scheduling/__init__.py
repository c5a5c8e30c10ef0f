"""A therapist's calendar: appointments, their reminders, and (in `billing`) what is billed of them."""
