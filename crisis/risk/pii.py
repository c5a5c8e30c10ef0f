"""Whether a text holds a phone number, an e-mail address or a street address; only yes or no leaves."""

from __future__ import annotations

import re

_GAP = r"[ .\-]?"
_PHONE = re.compile(
    r"(?<![\d.,])(?:"
    rf"(?:\+|00)\d{{1,3}}{_GAP}(?:\(\d{{1,4}}\){_GAP})?(?:\d{_GAP}){{6,12}}\d"  # international
    rf"|(?:254{_GAP})?0?[17]\d{{2}}{_GAP}\d{{3}}{_GAP}\d{{3}}"  # Kenya: 07xx, 01xx, 2547xx
    rf"|(?:\+?254{_GAP}|0)[17](?:{_GAP}\d\d){{4}}|0[17]\d\d(?:{_GAP}\d\d){{3}}"  # the same, in pairs
    rf"|0\d{{1,3}}{_GAP}\d{{3,4}}{_GAP}\d{{3,4}}"  # landlines with a leading zero
    rf"|\(\d{{3}}\) ?\d{{3}}{_GAP}\d{{4}}|\d{{3}}[.\- ]\d{{3}}[.\- ]\d{{4}}"  # North America
    r")(?!\d)"
)
_EMAIL = re.compile(r"[A-Za-z0-9._%+\-]{1,64}@[A-Za-z0-9\-]{1,63}\.[A-Za-z]{2,24}")
_AT_SIGN = re.compile(
    r"[a-z0-9]{2,64} ?[\[(] ?at ?[\])] ?[a-z0-9\-]{2,63} ?[\[(] ?dot ?[\])] ?[a-z]{2,24}", re.I
)
# "john at gmail dot com": a name, then a provider or words that end like a host
_SPOKEN = re.compile(
    r"(?<=[a-z0-9_] )(?:at|@) (?:gmail|hotmail|icloud|protonmail|ymail)\b"
    r"|(?<=[a-z0-9_] )at [a-z0-9\-]{2,63}(?: dot [a-z0-9\-]{2,63}){0,2} ?(?:dot|\.) ?"
    r"(?:com|org|net|edu|gov|info|co|ke|ac|io|me)\b",
    re.I,
)
_NUMBER_WORD = (
    "(?:zero|one|two|three|four|five|six|seven|eight|nine|oh|sifuri|moja|mbili|tatu|nne|tano|sita"
    "|saba|nane|tisa)"
)
_SPOKEN_PHONE = re.compile(rf"\b(?:zero|oh|sifuri)(?:[ ,\-]{{1,2}}{_NUMBER_WORD}){{8,}}\b", re.I)
# Estates and towns that people name without a capital; with one, whatever follows "naishi" is a place.
_PLACES = (
    "kibera|mathare|kayole|umoja|donholm|kawangware|kangemi|dandora|korogocho|mukuru|kasarani|githurai|roysambu"
    "|ruaka|rongai|kitengela|embakasi|pipeline|tassia|huruma|eastleigh|buruburu|langata|karen|kileleshwa|lavington"
    "|westlands|ngong|thika|ruiru|juja|kiambu|kikuyu|limuru|mlolongo|syokimau|zimmerman|kahawa|gikambura|dagoretti"
    "|likoni|nyali|bamburi|kisauni|changamwe|mtwapa|ukunda|kondele|nyalenda|manyatta|milimani|mombasa|kisumu"
    "|nakuru|eldoret|nairobi|machakos|meru|nyeri|kakamega|kisii|kericho|naivasha|malindi|garissa|kitale|bungoma"
)
_HOME = re.compile(
    rf"(?i:\b(?:i live|i stay|we live|ninaishi|naishi|ninakaa|nakaa|tunaishi|tunakaa) "
    rf"(?:(?:at|in|kwa|katika|huko|hapa|pale|mtaa|wa) ){{0,3}}(?:{_PLACES})\b)"
    r"|(?i:\b(?:ninaishi|naishi|ninakaa|nakaa|tunaishi|tunakaa) )"
    r"(?:(?:kwa|katika|huko|hapa|pale|mtaa|wa) ){0,3}[A-Z][a-z']{2,20}\b"
)
_NUMBERED = re.compile(
    r"\b[A-Z][A-Za-z'\-]{1,20} (?i:street|st|road|rd|avenue|ave|lane|drive|close|crescent|terrace|boulevard) "
    r"(?i:no\.? ?|number |# ?)?\d{1,5}[a-z]?\b(?! ?(?i:km|kilomet|times|years|minutes|hours|people|days))"
)
_ADDRESS = re.compile(
    r"\bp\.? ?o\.? ?box \d{1,6}"
    r"|\b\d{1,5}[a-z]? (?:[a-z'\-]{2,20} ){1,3}"
    r"(?:street|st|road|rd|avenue|ave|lane|ln|drive|dr|close|court|ct|boulevard|blvd|crescent|terrace|way)\b"
    r"|\b(?:house|hse|plot|flat|apartment|apt|room|door|unit|block|nyumba) "
    r"(?:no\.?|number|namba|#) ?[a-z]?\d{1,4}"
    r"|\b(?:i live|i stay|naishi|ninaishi|nakaa|tunaishi|my address is|address:) "
    r"(?:at|on|in|kwa|katika|ni|kwenye)? ?(?:[a-z'\-]{2,20} ){0,3}"
    r"(?:street|road|avenue|lane|drive|close|court|estate|apartments|flats|mtaa|plaza|heights|gardens)\b",
    re.I,
)
_DIGITS = re.compile(r"\d")
_RARE = (
    (_SPOKEN, (" at ", " @ ")),
    (_SPOKEN_PHONE, ("zero", "oh", "sifuri")),
    (_HOME, ("i live", "i stay", "we live", "aishi", "akaa")),
)


def pii_present(text: str) -> bool:
    """Whether a text holds a phone number, an e-mail address or a postal address; linear in its length."""
    if "@" in text and _EMAIL.search(text):
        return True
    if _DIGITS.search(text) and (_PHONE.search(text) or _NUMBERED.search(text)):
        return True
    if _AT_SIGN.search(text) or _ADDRESS.search(text):
        return True
    lower = text.lower()  # a look for the one word that each of these needs costs less than the search
    return any(
        pattern.search(text) is not None for pattern, needed in _RARE if any(word in lower for word in needed)
    )
