"""The queue loses nothing and reads plain data alone: its settings, which no other test would miss."""

from __future__ import annotations

from cortex.celery import app


def test_messages_are_json_and_nothing_else_is_read() -> None:
    conf = app.conf
    assert list(conf.accept_content) == ["json"]
    assert {conf.task_serializer, conf.result_serializer} == {"json"}
    assert conf.task_ignore_result and not conf.worker_send_task_events


def test_a_task_whose_worker_died_comes_again() -> None:
    conf = app.conf
    assert conf.task_acks_late and conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert conf.worker_soft_shutdown_timeout > 0


def test_a_task_ends_and_its_message_comes_back_only_after_that() -> None:
    conf = app.conf
    assert 0 < conf.task_soft_time_limit < conf.task_time_limit
    hidden = (
        conf.broker_transport_options["visibility_timeout"],
        conf.result_backend_transport_options["visibility_timeout"],
        conf.visibility_timeout,
    )
    assert min(hidden) > conf.task_time_limit
    assert len(set(hidden)) == 1
