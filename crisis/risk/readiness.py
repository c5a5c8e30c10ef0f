"""How the packaged text model is loaded, and what readiness says of it."""

from __future__ import annotations

from cortex.ops.health import Part

from .textmodel import TextModel, failures, text_model


def packaged() -> TextModel:
    """Load the model that ships with the package. Raises ModelRefused when its files aren't what they say."""
    # numpy comes with it: a process that never scores (the sweeper, most commands) doesn't pay for it.
    from .linear import load

    return load()


def check_text_model() -> Part:
    """Whether the model is loaded and could score the newest batch; without it the lexicon goes on."""
    model, failing = text_model(), failures()
    detail = {"version": model.version} if model is not None else {}
    return Part("degraded", {**detail, **failing}) if failing else Part("ok", detail)
