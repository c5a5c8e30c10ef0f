"""Which medications are dangerous in overdose: for the means-safety prompt alone; pure.

A short list of classes that poison centres name most often, by ATC code and by the beginning of a name [P].
Whoever records a medication may flag others. It says nothing about dose, and what is not on it may be
dangerous too.
"""

from __future__ import annotations

import re

ATC = (
    "N06AA", "N05AN", "N02A", "N02BE", "N03AA", "N03AF", "N03AG", "N05BA", "N05CA", "N05CD", "N05CF",
    "N05AH02", "N06AX16", "A10A", "A10BB", "C01AA", "C07A", "C08D", "P01BA", "M04AC", "B01AA", "H03A",
    "R03DA",
)  # fmt: skip
NAMES = (
    "amitript", "nortript", "imipram", "clomipram", "doxepin", "dosulepin", "trimipram", "lithium", "morph",
    "tramadol", "codein", "oxycod", "methadon", "fentanyl", "buprenorph", "pethidin", "hydrocod",
    "paracetamol", "acetaminophen", "panadol", "phenobarb", "carbamaz", "valpro", "diazepam", "lorazepam",
    "clonazepam", "alprazolam", "bromazepam", "nitrazepam", "zolpidem", "zopiclon", "clozapin",
    "venlafaxin", "insulin", "gliben", "glimepirid", "digoxin", "propranol", "verapamil", "diltiazem",
    "chloroquin", "hydroxychloroq", "quinin", "colchicin", "warfarin", "levothyrox", "theophyll",
    "aminophyll",
)  # fmt: skip
WORD = re.compile(r"[a-z]+")


def is_dangerous(name: str, code_system: str = "", code: str = "") -> bool:
    """Whether a medication is on the list, by its ATC code or a word of its name."""
    if code_system == "atc" and code.upper().startswith(ATC):
        return True
    return any(word.startswith(NAMES) for word in WORD.findall(name.lower()))
