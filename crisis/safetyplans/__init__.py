"""The safety plan: six steps in the person's own words, in versions, reviewed by the clock (domain 3.3)."""
