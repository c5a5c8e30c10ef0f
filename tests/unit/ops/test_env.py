"""The environment's parsers say which variable is wrong, and never its value."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from cortex.settings.env import (
    ONE_PLAN,
    ROLES,
    Environment,
    celery_broker,
    email_settings,
    postgres_settings,
    redis_url,
    role_databases,
)


def test_a_missing_variable_is_named() -> None:
    with pytest.raises(ImproperlyConfigured, match="DATABASE_URL is not set"):
        Environment({}).required("DATABASE_URL")


@pytest.mark.parametrize("value", ["maybe", "2", "yes please"])
def test_a_flag_is_yes_or_no(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="FLAG must be one of"):
        Environment({"FLAG": value}).flag("FLAG", False)


@pytest.mark.parametrize("value", ["-1", "1e3", "١٢", "99999999999", "many"])
def test_a_number_is_a_plain_whole_number(value: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="POOL must be a whole number"):
        Environment({"POOL": value}).integer("POOL", 1)


def test_a_secret_may_lie_in_a_file(tmp_path) -> None:
    (tmp_path / "key").write_text("hidden\n")
    assert Environment({"KEY_FILE": str(tmp_path / "key"), "KEY": "ignored"}).secret("KEY") == "hidden"


def test_an_unreadable_secret_file_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="KEY_FILE can't be read"):
        Environment({"KEY_FILE": "/nowhere/key"}).secret("KEY")


def test_a_database_address_is_taken_apart() -> None:
    settings = postgres_settings(
        "X", "postgresql://cortex_app:a%40b@db.example:6432/cortex?sslmode=verify-full"
    )
    assert (settings["USER"], settings["PASSWORD"], settings["HOST"]) == ("cortex_app", "a@b", "db.example")
    assert (settings["PORT"], settings["NAME"]) == ("6432", "cortex")
    assert settings["OPTIONS"] == {"sslmode": "verify-full"}


def test_a_database_on_a_socket_needs_no_host_name() -> None:
    settings = postgres_settings("X", "postgresql://cortex_app:p@/cortex?host=/run/postgres")
    assert settings["HOST"] == "/run/postgres"


@pytest.mark.parametrize(
    "url",
    ["mysql://u@h/d", "postgresql://h/d", "postgresql://u@h/", "postgresql://u@/d", "postgresql://u@h:x/d"],
)
def test_a_useless_database_address_is_refused_without_being_quoted(url: str) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        postgres_settings("DATABASE_URL", url)
    assert "DATABASE_URL" in str(refusal.value)
    assert url not in str(refusal.value)


def test_each_role_has_its_own_address() -> None:
    roles, families = ("", "_SYSTEM", "_OWNER"), ("DATABASE", "KEYS_DATABASE")
    env = Environment(
        {f"{name}{role}_URL": f"postgresql://u{role}@h/d" for name in families for role in roles}
    )
    owner = role_databases(env, "owner")["keys"]
    assert (owner["USER"], owner["OPTIONS"]["options"]) == ("u_OWNER", "-c lock_timeout=10s")
    assert role_databases(env, "system")["default"]["USER"] == "u_SYSTEM"
    pooled = role_databases(env, "app", pool=8)["default"]
    assert pooled["OPTIONS"]["pool"]["max_size"] == 8
    assert pooled["CONN_MAX_AGE"] == 0
    # Only a page's statements keep one plan: a machine's name times alone, whose plans differ by value.
    assert ONE_PLAN in pooled["OPTIONS"]["options"]
    assert ONE_PLAN not in role_databases(env, "system")["default"]["OPTIONS"]["options"]


def test_no_wait_for_a_database_is_without_an_end() -> None:
    url = "postgresql://u@h/d?options=-c%20statement_timeout%3D1s&connect_timeout=9"
    env = Environment(
        {f"{name}{role}_URL": url for name in ("DATABASE", "KEYS_DATABASE") for role in ROLES.values()}
    )
    for alias in ("default", "keys"):
        app, system, owner = (role_databases(env, role)[alias] for role in ("app", "system", "owner"))
        assert "-c statement_timeout=15s -c idle_in_transaction" in app["OPTIONS"]["options"]
        assert app["OPTIONS"]["options"].endswith("-c statement_timeout=1s"), "the address has the last word"
        assert app["OPTIONS"]["connect_timeout"] == "9"
        assert app["OPTIONS"]["tcp_user_timeout"] == "10000"
        assert app["ANSWER_SECONDS"] < system["ANSWER_SECONDS"]
        assert "ANSWER_SECONDS" not in owner, "a migration takes what it takes"


@pytest.mark.parametrize("url", ["http://h", "unix://", "redis://h:port"])
def test_a_useless_redis_address_is_refused(url: str) -> None:
    with pytest.raises(ImproperlyConfigured, match="REDIS_URL"):
        redis_url("REDIS_URL", url)


def test_celery_has_its_own_word_for_a_socket() -> None:
    assert celery_broker("unix://:p@/run/redis.sock") == "redis+socket://:p@/run/redis.sock"


def test_celerys_tls_says_that_the_certificate_is_checked() -> None:
    assert celery_broker("rediss://h") == "rediss://h?ssl_cert_reqs=required"
    assert (
        celery_broker("rediss://h/0?ssl_ca_certs=/ca")
        == "rediss://h/0?ssl_ca_certs=/ca&ssl_cert_reqs=required"
    )
    assert celery_broker("rediss://h?ssl_cert_reqs=required") == "rediss://h?ssl_cert_reqs=required"


def test_mail_goes_where_the_address_says() -> None:
    assert email_settings("EMAIL_URL", "console://")["EMAIL_BACKEND"].endswith("console.EmailBackend")
    settings = email_settings("EMAIL_URL", "smtp+tls://u:p@mail.example:2525")
    assert (settings["EMAIL_HOST"], settings["EMAIL_PORT"], settings["EMAIL_USE_TLS"]) == (
        "mail.example",
        2525,
        True,
    )
    with pytest.raises(ImproperlyConfigured, match="EMAIL_URL"):
        email_settings("EMAIL_URL", "pigeon://")
