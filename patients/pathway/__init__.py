"""Ways in and out of care: referrals, and how care by somebody ended."""
