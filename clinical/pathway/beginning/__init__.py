"""How somebody's care began: what the referral promised, and which first steps are missing."""
