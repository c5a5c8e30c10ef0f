"""What a person must not get: allergies and intolerances, in the banner of every chart page."""
