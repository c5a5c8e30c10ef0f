"""Which law holds where, and whom to ring there: the shapes of jurisdictions and emergency numbers; pure."""

from __future__ import annotations

import re

# ISO 3166-1 alpha-2, as of 2024; XK (Kosovo) is no code of the standard and in use.
_CODES = """
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH
ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT
HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS
LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI
NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG
SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG
UM US UY UZ VA VC VE VG VI VN VU WF WS XK YE YT ZA ZM ZW
"""
COUNTRIES = frozenset(_CODES.split())
CODE = re.compile(r"([A-Z]{2})(-[A-Z0-9]{1,3})?")
NUMBER = re.compile(r"\+?[0-9 ().-]{2,24}")
SHORTEST_NUMBER, LONGEST_NUMBER = 2, 15


def jurisdiction_of(typed: str) -> str:
    """Return a jurisdiction as it is kept ("KE", "US-CA"); ValueError with a sentence when it is none.

    Crisis lines and codes are found by it, letter for letter: people of a service under "Kenya" found none.
    """
    code = typed.strip().upper()
    found = CODE.fullmatch(code)
    if found is None or found[1] not in COUNTRIES:
        raise ValueError("Give the country's code of two letters, like KE, or with a state, like US-CA.")
    return code


def emergency_number_of(typed: str) -> str:
    """Return an emergency number, trimmed; ValueError with a sentence when nobody could dial it."""
    number = typed.strip()
    digits = sum(mark.isdigit() for mark in number)
    if not NUMBER.fullmatch(number) or not SHORTEST_NUMBER <= digits <= LONGEST_NUMBER:
        raise ValueError("Give one number that a person in danger can dial, like 999 or +254 20 112.")
    return number
