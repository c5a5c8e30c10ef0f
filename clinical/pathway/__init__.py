"""Ways in and out: referrals, first steps, discharge and transfer, absences, a leaver and their caseload."""
