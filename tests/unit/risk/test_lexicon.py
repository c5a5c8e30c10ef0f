"""What the lexicon finds and what it leaves alone; every sentence here is our own."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crisis.risk.lexicon import Lexicon, lexicon, packaged
from crisis.risk.patterns import PatternError
from tests.growth import assert_linear

STARTER = [
    ("A", "tonight I will end it"), ("A", "I have the pills ready"), ("A", "I have the rope ready"),
    ("A", "I took an overdose"), ("A", "nitajiua leo"), ("A", "nimeamua kujiua"), ("A", "nimekunywa sumu"),
    ("A", "nimeandaa kamba"), ("A", "leo ndio nadedi"), ("A", "nimemeza tembe zote"),
    ("B", "I want to kill myself"), ("B", "end my life"), ("B", "suicidal"), ("B", "nataka kujiua"),
    ("B", "kujinyonga"), ("B", "kujitia kitanzi"), ("B", "kujitoa uhai"), ("B", "nataka kudedi"),
    ("B", "nataka kujitoa"), ("B", "kujimaliza na life"),
    ("SH", "I keep cutting myself"), ("SH", "hurting myself"), ("SH", "najikata"), ("SH", "kujidhuru"),
    ("SH", "najiumiza"), ("SH", "najikata-kata"),
    ("C", "I wish I was dead"), ("C", "better off without me"), ("C", "not wake up"), ("C", "natamani kufa"),
    ("C", "afadhali nife"), ("C", "sitaki kuishi"), ("C", "Mungu anichukue"), ("C", "sitaki hii life"),
    ("C", "heri nidedi"),
    ("D", "there is no way out"), ("D", "I'm a burden"), ("D", "I have no future"), ("D", "sina tumaini"),
    ("D", "nimefika mwisho"), ("D", "maisha hayana maana"), ("D", "nimechoka na maisha"),
    ("D", "mimi ni mzigo"), ("D", "nimechoka na life"), ("D", "sioni future"), ("D", "nimeshindwa na life"),
    ("V", "goodbye forever"), ("V", "look after my kids"), ("V", "kwaherini"), ("V", "nisameheni wote"),
    ("V", "nitunzie watoto"),
]  # fmt: skip

WIDER = [
    ("A", "im gonna kill myself tonight"), ("A", "I'm going to end it all tomorrow"),
    ("A", "i just swallowed all my pills"), ("A", "I have decided to die"),
    ("A", "I'm on the bridge, about to jump"),
    ("A", "i wrote my suicide note"), ("A", "nitajinyonga usiku huu"), ("A", "nimepanga kujitoa uhai"),
    ("A", "leo usiku nitajiua"), ("A", "nimekunywa dawa zote"), ("A", "nimeshika sumu mkononi"),
    ("B", "i dont know if i should kill myself"), ("B", "why dont i just kill myself"),
    ("B", "cant stop thinking about killing myself"), ("B", "Ive been feeling suicidal lately"),
    ("B", "natamani kujinyonga"), ("B", "nafikiria kujiua"), ("B", "nataka nijiue"),
    ("B", "nataka ku commit suicide"), ("B", "niko suicidal"), ("B", "what is the easiest way to die"),
    ("SH", "I cut myself again last night"), ("SH", "nataka kujiumiza"), ("SH", "najicut"),
    ("C", "I want to die"), ("C", "i dont want to be alive anymore"), ("C", "no reason to live"),
    ("C", "everyone would be happier if i was gone"), ("C", "natamani nisingezaliwa"),
    ("C", "nataka kufa tu"), ("C", "bora nife"), ("C", "nimechoka kuishi"),
    ("D", "I cant do this anymore"), ("D", "nobody loves me"), ("D", "nimekata tamaa"),
    ("D", "siwezi kuendelea tena"), ("D", "life imenishinda"),
    ("V", "tell my kids I love them"), ("V", "hamtaniona tena"),
]  # fmt: skip

SPELLINGS = [
    ("B", "kill myslf"), ("B", "k1ll mys3lf"), ("B", "k i l l m y s e l f"), ("B", "K.I.L.L myself"),
    ("B", "kiiiill myselffff"), ("B", "ki\u200bll my\u200bself"),
    ("B", "kill\u200bmyself"),
    ("B", "kіll mуself"), ("B", "kíll mysélf"), ("B", "i feel su1cidal"),
    ("B", "ｋｉｌｌ ｍｙｓｅｌｆ"),
    ("B", "i wanna k*ll myself"), ("B", "kill 😭😭 myself"), ("B", "KILL MYSELF!!!"),
    ("B", "ki\x00ll myself"),
    ("B", "kill\x00myself"), ("B", "i feel sucidal"), ("C", "i dnt wnt to live anymor"),
    ("C", "ctaki kuishi"), ("C", "xitaki kuishi"), ("A", "ntajiua leo"), ("A", "im gonna kill myself 2nite"),
    ("D", "nmechoka na maisha"), ("B", "\u202ekill myself"), ("B", "\ud800kill myself\udfff"),
]  # fmt: skip

LEFT_ALONE = [
    "this job is killing me", "sitaki kufa", "nakufa njaa", "nimekufa kicheko", "umeniua",
    "I'm dying to see it",
    "I want to die laughing", "shot myself in the foot", "he runs 5 kms a day", "the deadline is killing me",
    "we hang out on friday", "I don't want to kill myself", "I'm not suicidal", "I would never kill myself",
    "I have no plans to kill myself", "I'm not going to hurt myself", "sitaki kujiua", "siwezi kujiua",
    "sina mawazo ya kujiua", "the song is called I want to die", "He told me to kill myself",
    "I was suicidal when I was 15", "years ago I tried to kill myself", "cut my hair today",
    "she wants to kill herself", "anataka kujiua", "my friend is suicidal", "He said he wants to die",
    "suicide prevention week at school", "hopeless romantic", "nimechoka na kazi leo", "niko sawa",
    "I'm fine",
    "kufikiria sana", "habari ya leo", "good morning, how are you", "nimekula ugali na sukuma",
    "nimekula ndizi nyingi", "nimenunua kamba ya mbuzi", "I'll do it tomorrow",
    "today is my last day on the job",
    "I got a knife set for my mom", "see you on the bus", "I want to end my subscription",
    "leo ndio naenda Kisumu",
    "najirusha na mabeste wikendi", "nisameheni kwa kuchelewa", "my dad killed himself when I was five",
    "babangu alijiua mwaka jana", "I am no longer suicidal", "I can't live without you", "I took 20 photos",
    "the meds are working", "I won't be here tomorrow, please book another day",
    "I bought rope for the goats",
    "I took my pills this morning", "I killed the plant by accident", "tutaonana kesho",
]  # fmt: skip


@pytest.mark.parametrize(("tier", "text"), STARTER + WIDER + SPELLINGS)
def test_a_phrase_reaches_its_tier(tier, text):
    assert lexicon().screen(text).tiers[:1] == (tier,)


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_what_is_negated_idiom_past_quoted_or_about_others_has_no_tier(text):
    assert lexicon().screen(text).tiers == ()


@pytest.mark.parametrize(
    ("text", "flag"),
    [
        ("I don't want to kill myself", "negated"),
        ("my sister is feeling suicidal", "third_person"),
        ("she texted me i want to kill myself", "quoted"),
        ("when i was young i wanted to end my life", "past_only"),
        ("I could die laughing, I want to die laughing", "idiom"),
    ],
)
def test_what_is_taken_back_keeps_a_code_of_its_own(text, flag):
    screening = lexicon().screen(text)
    assert any(flag in hit.flags for hit in screening.hits)
    assert screening.tiers == ()


def test_one_negated_phrase_does_not_hide_another():
    assert lexicon().screen("I don't want to kill myself but tonight I will end it").tiers[0] == "A"
    assert lexicon().screen("last year I tried to kill myself. I want to kill myself").tiers == ("B",)


@pytest.mark.parametrize(
    "text",
    ["she wants to kill herself", "anataka kujiua", "my friend is suicidal", "rafiki yangu anataka kujiua"],
)
def test_worry_about_somebody_else_is_told_to_a_counselor(text):
    assert lexicon().screen(text).third_party_concern


@pytest.mark.parametrize(
    ("text", "cue"),
    [
        ("I took an overdose", "ATTEMPT_NOW"),
        ("nimekunywa sumu", "ATTEMPT_NOW"),
        ("tonight I will kill myself", "WS_PLAN"),
        ("I want to die, I bought rat poison", "RF_MEANS_ACCESS"),
        ("how many tablets would it take to kill myself", "WS_MEANS_SEEKING"),
        ("I am going to stab my husband tonight", "HARM_TO_OTHERS"),
        ("nitamuua leo usiku", "HARM_TO_OTHERS"),
        ("the voices tell me to kill myself", "RF_COMMAND_HALLUC"),
    ],
)
def test_cues_are_coded(text, cue):
    assert cue in lexicon().screen(text).cues


def test_access_to_means_counts_only_beside_suicidal_words():
    assert lexicon().screen("I have pills at home for my headache").cues == ()


@pytest.mark.parametrize(
    "text",
    [
        "I'm fine", "it is what it is", "niko sawa", "niko poa", "ni sawa tu", "usijali", "hakuna shida",
        "tunasonga", "nimezoea", "mambo ni mengi", "Mungu yupo", "napambana na hali yangu", "ni life tu",
        "shwari",
    ],
)  # fmt: skip
def test_deflections_are_coded_and_carry_no_tier(text):
    screening = lexicon().screen(text)
    assert screening.deflections
    assert not screening.is_flagged


def test_a_courtesy_in_the_first_two_turns_is_no_deflection():
    assert lexicon().screen("niko sawa", turn=1).deflections == ()
    assert lexicon().screen("niko sawa", turn=2, greeted=True).deflections == ()
    assert lexicon().screen("niko sawa", turn=2, greeted=False).deflections == ("sw.f.niko_sawa",)
    assert lexicon().screen("niko sawa", turn=3).deflections == ("sw.f.niko_sawa",)


def test_a_past_attempt_is_coded_apart():
    screening = lexicon().screen("I took an overdose when i was 15")
    assert (screening.tiers, screening.past_attempt) == ((), True)


def test_thinking_too_much_suggests_a_questionnaire_and_no_tier():
    screening = lexicon().screen("shida yangu ni kufikiria sana")
    assert (screening.tiers, screening.suggests_phq9) == ((), True)


def test_languages_are_seen_and_an_unknown_one_is_uncertain():
    mixed = lexicon().screen("nimechoka sana na maisha, I really don't know what to do")
    assert {"en", "sw"} <= set(mixed.languages)
    assert lexicon().screen("zzz qqq www").language_uncertain
    assert not lexicon().screen("I really do not know what to do with this").language_uncertain


@pytest.mark.parametrize(
    "text",
    [
        "kill " * 10_000, "siwezi kujiua " * 3_500, "ending it all with " * 2_600,
        "i am trying to die " * 2_600, "i want to " * 5_000, "a" * 50_000, "aaaa " * 10_000, "k " * 25_000,
        "k.i." * 12_500,
        "kill i want to my life pills end " * 1_500, "dont want to " * 4_000, "\u200b" * 50_000, "é" * 50_000,
        "not not not kill myself " * 2_000, "ku ji ua ni ta " * 3_400, '"' * 50_000, "1" * 50_000,
        "@" * 50_000,
        "nita" * 12_500, "my pills in my hand i have " * 1_900, "!a" * 25_000, "tonight i will " * 3_400,
        "took " * 10_000, "how to how many ways " * 2_400, "she he they my friend " * 2_200, "." * 50_000,
        "kill\n" * 10_000, "k|" * 25_000, "kI" * 25_000, "🔫 " * 25_000, "🔫" + " " * 50_000,
        "k!!1 " * 10_000, "she said kill myself and " * 2_000, "i am not\nkill myself " * 2_200,
        "no reason not kill myself " * 1_900,
        "sui cide " * 5_500, "klil klil myself " * 2_900, "comm it comm " * 3_800,
        "i took 3 packs of some pills " * 1_700, "nilijaribu kujiua mwaka jana " * 1_700,
        "\n" * 50_000, "emoji gun 🔫 tonight " * 2_500,
    ],
)  # fmt: skip
def test_hostile_texts_of_50000_characters_cost_no_more_than_their_length(text):
    assert_linear(lexicon().screen, text)


@settings(max_examples=300, deadline=None)
@given(
    st.text(alphabet=st.characters(codec=None), max_size=300),
    st.sampled_from(["", "kill myself", "nitajiua leo"]),
)
def test_no_text_ever_stops_the_screening_or_hides_what_follows(noise, phrase):
    screening = lexicon().screen(f"{noise}. \n {phrase}")
    assert bool(screening.hits) or not phrase


@pytest.mark.parametrize(
    "wrap", ["\x00{}\x00", "\ud83d{}", "{}\ud800", "😀{}😀", "\u202e{}\u202c", "﷽ {} ‏", "\ufffd{}"]
)
def test_odd_characters_around_a_phrase_hide_nothing(wrap):
    assert "A" in lexicon().screen(wrap.format("I will kill myself tonight")).tiers


def test_a_phrase_is_found_deep_inside_a_long_text():
    filler = "we talked about the harvest and the rain for a while. "
    assert "A" in lexicon().screen(filler * 500 + "tonight I will kill myself. " + filler * 500).tiers


def test_the_data_is_whole_and_waits_for_its_signatures():
    raw = packaged()
    ids = [entry["id"] for entry in raw["entries"]]
    assert len(ids) == len(set(ids))
    assert all(entry["signed_by"] == [] for entry in raw["entries"])
    assert "validated" in raw["status"]
    assert not lexicon().signed
    assert len(lexicon().checksum) == 64


def test_every_pattern_compiles_though_each_is_compiled_only_when_a_text_calls_it_up():
    for rule in Lexicon(packaged())._rules:
        assert rule.pattern.search.pattern, rule.entry.id


def test_a_broken_pattern_is_named_when_the_lexicon_loads():
    raw = packaged()
    raw["entries"][0]["patterns"] = ["{NOBODY} kills"]
    with pytest.raises(PatternError, match="NOBODY"):
        Lexicon(raw)


def test_a_phrase_split_by_a_space_is_refused_as_it_would_never_match():
    raw = packaged()
    raw["entries"][0]["patterns"] = ["i tried last|just|a few"]
    with pytest.raises(PatternError, match="splits its last alternative"):
        Lexicon(raw)
    raw["entries"][0]["patterns"] = ["i tried last|just|a_few", "thoughts of|about +suicide"]
    assert Lexicon(raw).entries


@pytest.mark.parametrize(
    ("tier", "text"),
    [
        ("A", "I am not\nkill myself tonight"), ("B", "I want to kill\nmyself"), ("B", "k\ni\nl\nl myself"),
        ("A", "I'm fine\u2028tonight I will kill myself"),
    ],
)  # fmt: skip
def test_a_new_line_ends_a_clause_but_breaks_no_phrase(tier, text):
    assert lexicon().screen(text).tiers[:1] == (tier,)


def test_a_denial_on_one_line_still_holds_beside_another_line():
    assert lexicon().screen("I don't want to die\nI'm only tired").tiers == ()


@pytest.mark.parametrize("text", ["she said I should kill myself", "my ex told me to kill myself"])
def test_a_quotation_is_the_speakers_own_once_they_agree_or_act(text):
    assert lexicon().screen(text).tiers == ()
    assert lexicon().screen(f"{text} and maybe I should").tiers == ("B",)
    assert lexicon().screen(f"{text}. I think they are right").tiers == ("B",)


def test_only_somebody_who_governs_the_phrase_takes_it_from_the_speaker():
    assert lexicon().screen("my cousin in Embu is suicidal").tiers == ()
    assert lexicon().screen("my cousin is in Embu. suicidal again").tiers == ("B",)
    assert lexicon().screen("since my cousin left, suicidal thoughts").tiers == ("B",)


@pytest.mark.parametrize("text", ["I have no reason to kill myself", "I promise I won't kill myself"])
def test_a_plain_denial_is_no_double_one(text):
    assert lexicon().screen(text).tiers == ()


def test_an_exclamation_between_two_sentences_without_a_space_hides_neither():
    assert lexicon().screen("no!I want to die").tiers == ("C",)
    assert lexicon().screen("I am fine!kill myself").tiers == ("B",)


def test_a_number_is_read_as_a_number_and_not_as_letters():
    assert "ATTEMPT_NOW" in lexicon().screen("took 15 pills").cues
    assert lexicon().screen("I am 11, 17 and 51").tiers == ()


def test_a_picture_is_read_in_its_place_and_passed_over_where_it_only_interrupts():
    assert lexicon().screen("I have the 🔫 ready").tiers == ("A",)
    assert lexicon().screen("kill 🔪 myself").tiers == ("B",)


def test_data_that_says_a_thing_twice_is_refused(tmp_path, monkeypatch):
    for name in ("a.json", "b.json"):
        (tmp_path / name).write_text('{"classes": {"WANT": ["want to"]}}')
    monkeypatch.setattr("crisis.risk.lexicon.resources.files", lambda _: tmp_path)
    with pytest.raises(PatternError, match=r"b\.json says again: WANT"):
        packaged(".")
