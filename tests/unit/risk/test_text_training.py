"""Training and measuring the text model: repeatable, of files that are vouched for, no text shown."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import re
from pathlib import Path

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from crisis.risk import linear, measuring, modelcard, training
from crisis.risk.lexicon import lexicon
from crisis.risk.textmodel import ModelReading

from .test_text_model import CALM, HARD, read

WORDS = [
    "river",
    "table",
    "green",
    "music",
    "window",
    "paper",
    "walk",
    "bread",
    "garden",
    "train",
    "sea",
    "ice",
]
SAMPLE = {
    "risk/cssrs_severity_dev.csv.gz": (
        ["author_id", "severity", *training.MACHINES, "text"],
        [
            [f"a{n}", grade, *[grade] * 5, f"{HARD if grade > 3 else 'I feel low.'} {WORDS[n % 12]}"]
            for n, grade in enumerate([0, 5, 2, 6, 1, 4] * 4)
        ],
    ),
    "risk/cssrs_reddit_dev.csv.gz": (
        ["user", "user_label", "user_positive", "post_label", "text"],
        [
            [f"u{n // 2}", "ideation", 1, "ideation", f"I want to die {WORDS[n % 12]}"]
            if n % 4 > 1
            else [f"u{n // 2}", "supportive", 0, "", f"Take care {WORDS[n % 12]}"]
            for n in range(24)
        ],
    ),
    **{
        f"emotion/{name}.csv.gz": (["labels", "text"], [["1", f"{CALM} {word} {name}"] for word in 3 * WORDS])
        for name in ("goemotions_train", "goemotions_dev", "emobank")
    },
}  # fmt: skip


@pytest.fixture
def sample(tmp_path) -> Path:
    """A folder of own sentences in the shape of the real data, with its manifest."""
    listed = []
    for name, (columns, rows) in SAMPLE.items():
        path = tmp_path / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with gzip.open(path, "wt", encoding="utf-8", newline="") as lines:
            csv.writer(lines).writerows([columns, *rows])
        listed.append([name, len(rows), hashlib.sha256(path.read_bytes()).hexdigest(), "own", "this test"])
    with (tmp_path / "data" / "MANIFEST.csv").open("w", newline="") as lines:
        csv.writer(lines).writerows([["path", "rows", "sha256", "licence", "source"], *listed])
    return tmp_path / "data"


def test_training_again_gives_the_same_bytes_and_keeps_no_text(sample, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "FOLDS", 2)
    monkeypatch.setattr(measuring, "RESAMPLES", 20)
    for name in ("one", "two"):
        call_command("train_text_model", data=sample, out=tmp_path / name)
    files = sorted(path.name for path in (tmp_path / "one").iterdir())
    assert files == ["MODEL_CARD.md", "SHA256SUMS", "card.json", "weights.npy"]
    for name in files:
        raw = (tmp_path / "one" / name).read_bytes()
        assert raw == (tmp_path / "two" / name).read_bytes(), name
        assert b"lake" not in raw
    made = linear.load(tmp_path / "one")
    hard, calm = read(made, HARD, CALM)
    assert hard is not None
    assert calm is None


def test_the_card_holds_days_at_high_against_their_budget():
    card = json.loads((linear.FOLDER / linear.CARD).read_text("utf-8"))
    rows = [line for line in modelcard.page_of(card).splitlines() if "at high or above" in line]
    assert len(rows) == 2 and all(row.endswith("| at most 0.02 | met |") for row in rows)
    card["figures"]["ordinary_unseen"]["days_of_30_at_high"] = [0.0211, 0.01, 0.04]
    assert "0.0211 (0.0100 to 0.0400) | at most 0.02 | MISSED |" in modelcard.page_of(card)


def test_training_refuses_what_the_manifest_does_not_vouch_for(sample, tmp_path):
    with (sample / "risk/cssrs_severity_dev.csv.gz").open("ab") as file:
        file.write(b"x")
    with pytest.raises(CommandError, match="is not the file that"):
        call_command("train_text_model", data=sample, out=tmp_path / "out")
    listed = (sample / "MANIFEST.csv").read_text().splitlines()
    (sample / "MANIFEST.csv").write_text("\n".join(line for line in listed if "severity" not in line))
    with pytest.raises(CommandError, match="does not list"):
        call_command("train_text_model", data=sample, out=tmp_path / "out")
    (sample / "MANIFEST.csv").unlink()
    with pytest.raises(CommandError, match="no readable"):
        call_command("train_text_model", data=sample, out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_evaluating_prints_figures_and_writes_scores_without_texts(tmp_path, capsys):
    path, out = tmp_path / "mine.csv", tmp_path / "scores.csv"
    rows = [
        ["who", "words", "bad"],
        *[[f"p{n}", (HARD, CALM)[n % 2], 5 * (1 - n % 2)] for n in range(20)],
        ["p", "x", ""],
    ]
    with path.open("w", newline="") as lines:
        csv.writer(lines).writerows(rows)  # fmt: skip
    call_command("evaluate_text_model", data=[path], text="words", label="bad", group="who", predict=out)
    shown = capsys.readouterr().out
    assert "20 rows, 10 positive" in shown
    assert re.search(r"auroc +1\.000 \(1\.000 to 1\.000\)", shown)
    assert "1 rows without a label left out" in shown
    scores = list(csv.DictReader(out.open()))
    assert [row["flagged"] for row in scores] == ["1", "0"] * 10
    assert "rope" not in out.read_text() + shown


def test_files_of_one_name_are_kept_apart(tmp_path, capsys):
    paths = [tmp_path / folder / "mine.csv" for folder in ("one", "two")]
    for path, text, label in zip(paths, (HARD, CALM), (5, 0), strict=True):
        path.parent.mkdir()
        path.write_text(f'who,text,severity\np,"{text}",{label}\np,"{text}",{label}\n')
    named = [word for path in paths for word in ("--data", str(path))]
    call_command("evaluate_text_model", *named, group="who", predict=tmp_path / "scores.csv")
    shown = capsys.readouterr().out
    assert "groups by their highest share: 2 rows, 1 positive" in shown
    assert re.search(r"by all their texts together: 2 groups, 1 positive\n +auroc +1\.000", shown)
    assert all(f"{path}: 2 rows" in shown for path in paths)
    scores = list(csv.DictReader((tmp_path / "scores.csv").open()))
    assert [row["file"] for row in scores] == [str(path) for path in paths for _ in range(2)]


def test_a_file_that_trained_the_model_is_named_whichever_way_it_comes(sample, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(training, "FOLDS", 2)
    monkeypatch.setattr(measuring, "RESAMPLES", 20)
    call_command("train_text_model", data=sample, out=tmp_path / "out")
    files = {role: sample / name for role, name in training.FILES.items()}
    capsys.readouterr()
    call_command(
        "evaluate_text_model", model=tmp_path / "out", data=[files["severity"]],
        benign=[files["ordinary"], files["ordinary_unseen"]],
    )  # fmt: skip
    shown = capsys.readouterr().out
    assert [role for role, path in files.items() if f"{path} TRAINED" in shown] == ["severity", "ordinary"]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"a,b\n1,2\n", "has no column text, severity"),
        (b"text,severity\nhello,high\n", "row 1: the label in severity is no number"),
        (b"text,severity\nhello,1,2\n", "not as many fields"),
        (b"text,severity\nhello\n", "not as many fields"),
        (b'text,severity\n"hello,1\n', "can't be read as CSV"),
        (b"text,severity\n\xff\xfe,1\n", "can't be read as CSV"),
        (b"text,severity\nhello,\n", "no row with a label"),
        (b"", "has no column"),
    ],
)
def test_a_bad_file_is_a_clear_error(tmp_path, content, problem):
    path = tmp_path / "bad.csv"
    path.write_bytes(content)
    with pytest.raises(CommandError, match=problem):
        call_command("evaluate_text_model", data=[path])


def test_a_missing_file_and_a_folder_are_clear_errors(tmp_path):
    with pytest.raises(CommandError, match="can't be read"):
        call_command("evaluate_text_model", data=[tmp_path / "none.csv"])
    with pytest.raises(CommandError, match="is a folder"):
        call_command("evaluate_text_model", data=[tmp_path])


def test_the_figures_are_those_of_the_books():
    labels, scores = np.array([True, True, False, False]), np.array([0.9, 0.4, 0.4, 0.1])
    assert measuring.auroc(labels, scores) == 0.875
    assert measuring.by_group(["b", "a", "b", "b"], scores)[1][0].tolist() == [0.4, 0.9]
    flagged = scores >= 0.4
    assert measuring.precision(labels, flagged) == pytest.approx(2 / 3)
    assert measuring.recall(labels, flagged) == 1.0
    assert measuring.specificity(labels, flagged) == 0.5
    assert measuring.recall_at_precision(labels, scores, 0.9) == 0.5
    share = measuring.share_flagged(np.array([1.0] + [0.0] * 99), 0.5)
    assert (share.value, round(share.low, 4), round(share.high, 4)) == (0.01, 0.0018, 0.0545)


def test_a_reading_makes_days_of_ordinary_words_medium_and_never_high():
    screenings = [lexicon().screen(CALM)] * 60 + [lexicon().screen("tonight I will kill myself")] * 30
    readings = [ModelReading(0.9, 1.0, "m-1") if n >= 30 else None for n in range(90)]
    found = measuring.measured_ordinary(np.full(90, 0.9), 0.5, screenings, readings)
    assert {name: round(3 * figure.value) for name, figure in found.items()} == {
        "flagged": 3,
        "days_of_30_at_high": 1,
        "days_of_30_at_medium": 2,
        "days_of_30_at_medium_without_it": 1,
    }


def test_figures_at_the_operating_point_are_counted_by_source_and_over_ordinary_texts(tmp_path, capsys):
    near = [(HARD, 5)] * 3 + [(CALM, 4)] * 2 + [(HARD, 0)] + [(CALM, 3)] * 4
    far = [(HARD, 6)] * 2 + [(CALM, 0)] * 2
    rows = [(text, label, name) for name, part in (("near", near), ("far", far)) for text, label in part]
    mine, calm = tmp_path / "mine.csv", tmp_path / "calm.csv"
    with mine.open("w", newline="") as lines:
        csv.writer(lines).writerows([("text", "severity", "place"), *rows])
    with calm.open("w", newline="") as lines:
        csv.writer(lines).writerows([("text",), *[(CALM,)] * 3, (HARD,)])
    call_command("evaluate_text_model", data=[mine], source="place", benign=[calm])
    shown = capsys.readouterr().out
    parts = {part.split(":")[0]: part for part in re.split(r"\n(?=\S)", shown)}
    # By hand: of 4 flagged in "near" 3 are positive, of 5 positive 3 are flagged, of 5 others 4 are not.
    wanted = {"near": (".750", ".600", ".800"), "far": ("1.000", "1.000", "1.000"),
              "all rows": (".833", ".714", ".857")}  # fmt: skip
    for name, figures in wanted.items():
        for figure, value in zip(("precision", "recall", "specificity"), figures, strict=True):
            line = re.search(rf"  {figure} +([\d.]+) \(([\d.]+) to ([\d.]+)\)", parts[name])
            assert line is not None, (name, figure)
            assert line[1].endswith(value), (name, figure)
            assert float(line[2]) <= float(line[1]) <= float(line[3])
    ordinary = parts[str(calm)]
    assert "4 ordinary texts" in ordinary
    assert re.search(r"flagged +0\.250 \(", ordinary)
    assert "days of 30 at high              not known" in ordinary
    assert "nan" not in shown
