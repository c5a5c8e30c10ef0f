"""Every kind of key and secret that the house has, and what its code does with cryptography without one."""

from __future__ import annotations

from dataclasses import dataclass

AES = "AES-256-GCM"
HMAC = "HMAC-SHA-256"


@dataclass(frozen=True, slots=True)
class KeyKind:
    """One kind of key: whose it is, where it lies, how it is exchanged, and the modules that use it.

    `settings` are the variables that bring it, `table` the model whose rows hold it, `command` what manage.py
    runs to exchange it (empty: the back office or a person does).
    """

    name: str
    owner: str
    algorithm: str
    used_for: str
    never_for: str
    lies: str
    rotation: str
    command: str = ""
    settings: tuple[str, ...] = ()
    table: str = ""
    modules: tuple[str, ...] = ()


KINDS = (
    KeyKind(
        "Master key",
        "operations of the house",
        f"{AES} under a 256-bit key, or AWS KMS (symmetric)",
        "wraps data keys of people, organizations and second factors",
        "sealing rows, and backups",
        "environment, a file of mode 600, or AWS KMS; in no database",
        "yearly, and at once when somebody who held it leaves",
        "keys rotate",
        ("CORTEX_MASTER_KEYS", "CORTEX_MASTER_KEY_FILE", "CORTEX_KMS_KEYS"),
        modules=("cortex.crypto.provider", "cortex.keys.awskms.provider"),
    ),
    KeyKind(
        "Data key of a person",
        "operations of the house",
        f"{AES}, 256 bits, a random 96-bit nonce for each value",
        "seals the person's words and names; keyed digests of them under keys derived by HMAC",
        "anything of anybody else: table, column, row and person are bound into each value",
        "the keys' own database, wrapped by the master key; a process keeps it for a minute",
        "by age, or when one may have leaked; destroyed when the person is erased",
        "keys reseal --older-than",
        table="keys.SubjectKey",
        modules=(
            "cortex.crypto.keys",
            "cortex.keys.store",
            "crisis.intake.wording",
            "clinical.notes.sealing",
            "clinical.plans.versions",
        ),
    ),
    KeyKind(
        "Data key of an organization",
        "operations of the house",
        f"{AES}, 256 bits, a random 96-bit nonce for each value",
        "seals what belongs to an organization and to no person, such as secrets of pagers",
        "people's rows",
        "the keys' own database, wrapped by the master key",
        "by age, or when one may have leaked",
        "keys reseal --organizations",
        table="keys.SubjectKey",
        modules=("cortex.crypto.keys", "cortex.keys.store"),
    ),
    KeyKind(
        "Data key of second factors",
        "operations of the house",
        f"{AES}, 256 bits, a random 96-bit nonce for each value",
        "seals secrets of authenticator apps and seeds of recovery codes, bound to their person",
        "people's rows",
        "the keys' own database, wrapped by the master key",
        "with the organizations' keys",
        "keys reseal --organizations",
        table="keys.SubjectKey",
        modules=("cortex.crypto.keys", "cortex.keys.store"),
    ),
    KeyKind(
        "Root of the blind indexes",
        "operations of the house",
        f"HKDF-SHA-256 to a key for each column, organization and version; {HMAC}, 248 bits kept",
        "finds an e-mail address or a telephone number that is sealed",
        "sealing, and sign-in",
        "environment or a file; in no database",
        "by versions side by side (2:…,1:…): values are indexed anew as they are written; no command does it",
        settings=("CORTEX_INDEX_KEY",),
        modules=("cortex.crypto.blind",),
    ),
    KeyKind(
        "Signing key of the trail",
        "compliance, with operations",
        "Ed25519; links by SHA-256",
        "signs the heads of the audit trail and their anchors",
        "anything but heads of the trail",
        "environment or a file of the process that links; the public halves with the auditor, for ever",
        "yearly, and when one may have leaked; the former public half stays on the list",
        "audit_key",
        ("CORTEX_AUDIT_SIGNING_KEY", "CORTEX_AUDIT_PUBLIC_KEYS"),
        modules=(
            "cortex.audit.signing",
            "cortex.audit.publickeys",
            "cortex.audit.canonical",
            "cortex.settings.guards",
        ),
    ),
    KeyKind(
        "Backup key of the main database",
        "operations, kept apart from the next one",
        f"HKDF-SHA-256 to a key for each file; {AES} in numbered chunks; the manifest by HMAC",
        "seals backups of the main database",
        "backups of the keys' database",
        "environment or a file of the backup commands alone",
        "with any backup: a new one seals from then on, the former one is kept as long as its backups",
        settings=("CORTEX_BACKUP_KEY",),
        modules=("cortex.ops.backups.sealing", "cortex.ops.backups.manifest"),
    ),
    KeyKind(
        "Backup key of the keys' database",
        "somebody else than who holds the one before",
        f"HKDF-SHA-256 to a key for each file; {AES} in numbered chunks; the manifest by HMAC",
        "seals backups of the keys' database",
        "backups of the main database",
        "environment or a file of the backup commands alone",
        "with any backup: a new one seals from then on, the former one is kept as long as its backups",
        settings=("CORTEX_KEYS_BACKUP_KEY",),
        modules=("cortex.ops.backups.sealing", "cortex.ops.backups.manifest"),
    ),
    KeyKind(
        "SECRET_KEY of Django",
        "operations of the house",
        f"{HMAC}, each use under a salt or prefix of its own",
        "signs patients' device tokens, invitations, reset links, a known device's cookie, the number of "
        "a showing of a plan's form; keyed digests of addresses, sessions and sent bodies; pseudonyms in "
        "telemetry by the month",
        "sealing anything that is stored for longer than a session",
        "environment or a file",
        "yearly, and when it may have leaked: set it anew, the former one into CORTEX_OLD_SECRET_KEYS, "
        "restart every process, and take that out after a day. Signed links and cookies go on; keyed digests "
        "and pseudonyms begin anew: counted attempts, a retry of a batch, this month's telemetry",
        settings=("CORTEX_SECRET_KEY", "CORTEX_OLD_SECRET_KEYS"),
        modules=(
            "cortex.api.tokens",
            "cortex.api.parsers",
            "cortex.accounts.invitations.links",
            "cortex.accounts.signin.devices",
            "cortex.accounts.signin.tokens",
            "cortex.audit.actors",
            "crisis.intake.storing",
            "clinical.plans.seen",
        ),
    ),
    KeyKind(
        "Key of searches in a session",
        "operations of the house",
        f"SHA-256 of SECRET_KEY under a prefix of its own, then {AES}",
        "seals what a member of staff typed into a search, in their session, bound to person and search",
        "anything outside of a session",
        "in memory alone, derived each time",
        "with SECRET_KEY: open searches are asked for again",
        modules=("cortex.ui.searches",),
    ),
    KeyKind(
        "API key",
        "administrator of the organization, and who runs the app",
        "256 random bits; SHA-256 is kept, compared in constant time",
        "an app signs in to the API within its scopes; mints device tokens of 15 minutes",
        "people's sign-in; another app",
        "with the app; the digest in the main database",
        "by its end date, and when one may have leaked; the former one goes on for some hours",
        "apikey rotate",
        table="accounts.ApiKey",
        modules=("cortex.accounts.apikeys.material", "cortex.accounts.keys"),
    ),
    KeyKind(
        "Session of a member of staff",
        "the person",
        "160 random bits or more, kept on the server; a new one at sign-in and after the second factor",
        "a browser stays signed in",
        "the API",
        "a cookie that scripts can't read; a row of the main database",
        "ends idle and after its longest time, at sign-out, and with a changed password or role",
        table="accounts.SessionState",
    ),
    KeyKind(
        "Password and PIN",
        "the person",
        "Argon2id; bcrypt over SHA-256 is still verified",
        "sign-in; the PIN lifts the cover of a board",
        "the API; nobody else chooses or reads one",
        "the hash in the main database",
        "by the person, by a mailed link that works once, or when it is found weak; hashed anew at sign-in",
        table="accounts.User",
        modules=(
            "cortex.accounts.actions",
            "cortex.accounts.sessions.actions",
            "cortex.accounts.signin.backends",
            "cortex.accounts.signin.middleware",
            "cortex.ops.testing",
        ),
    ),
    KeyKind(
        "Second factor",
        "the person",
        "WebAuthn (ES256 and what the key offers); TOTP by HMAC-SHA-1 of 160 random bits; recovery codes",
        "the second step of sign-in, and of what weighs more",
        "sign-in without a password",
        "a security key's own secret never leaves it; others sealed in the main database",
        "by the person; a supervisor or administrator removes a lost one",
        "reset_factors",
        table="mfa.Authenticator",
        modules=(
            "cortex.accounts.factors.actions",
            "cortex.accounts.factors.challenge",
            "cortex.accounts.factors.codes",
            "cortex.accounts.factors.forms",
            "cortex.accounts.factors.views",
        ),
    ),
    KeyKind(
        "Secret of a pager",
        "administrator of the organization, and who runs the pager",
        HMAC,
        "signs calls to a pager with their time",
        "anything else; one pager has one",
        "sealed in the main database under the organization's key; with the pager",
        "in the back office, on both sides at once",
        table="crisis.PagerEndpoint",
        modules=("crisis.sweep.delivery",),
    ),
    KeyKind(
        "Token of the figures",
        "operations of the house",
        "random text of 16 characters or more, compared in constant time",
        "Prometheus reads the figures",
        "anything else",
        "environment or a file; with Prometheus",
        "set it anew on both sides and restart",
        settings=("CORTEX_METRICS_TOKEN",),
        modules=("cortex.ops.views",),
    ),
    KeyKind(
        "Address of the dead man's switch",
        "operations of the house",
        "a secret address, by TLS",
        "tells a service outside that the watchdog lives",
        "anything else",
        "environment or a file of the watchdog",
        "at the service outside, then set it anew",
        settings=("CORTEX_DEADMAN_URL",),
    ),
    KeyKind(
        "Passwords of stores and mail",
        "operations of the house",
        "SCRAM-SHA-256 (PostgreSQL), a password over TLS (Redis, SMTP)",
        "each process signs in as its own role",
        "people; another role",
        "environment; of one machine's own stores the file secrets.json of mode 600",
        "in the store, then set it anew and restart",
        settings=("DATABASE_URL", "KEYS_DATABASE_URL", "REDIS_URL", "EMAIL_URL"),
        modules=("cortex.ops.local_secrets", "cortex.ops.embedded", "cortex.ops.backups.drill"),
    ),
    KeyKind(
        "Certificates and keys of TLS",
        "operations of the house",
        "TLS 1.2 or 1.3 as the proxy, PostgreSQL, Redis and the mail server are set up",
        "everything on the wire; production refuses stores and public addresses without it",
        "signing or sealing anything of ours",
        "with the proxy and the stores; no process of ours reads a private key",
        "by the certificate's end, at the proxy and the stores",
    ),
)

# Cryptography that needs no key: nothing of it keeps a secret, and none of these modules may begin to.
UNKEYED = {
    "marks of what a page or list shows, so that it is drawn anew only when it changed": (
        "crisis.alerts.queries", "clinical.caseload.lines", "clinical.caseload.queries",
        "clinical.caseload.showing", "clinical.scheduling.handover.queries",
    ),
    "checksums of files that ship or are trained, and of versions of lexicon, model and explanation": (
        "cortex.ops.inventory.bom",
        "crisis.risk.corpora", "crisis.risk.explain", "crisis.risk.lexicon", "crisis.risk.linear",
        "crisis.risk.modelcard", "crisis.risk.training", "cortex.ops.startup",
    ),
    "ids that are the same for the same thing sent twice": (
        "crisis.intake.models", "crisis.intake.queries", "clinical.documents.models",
    ),
    "digests of documents, which are kept sealed": (
        "clinical.documents.actions", "clinical.documents.queries",
    ),
    "random ids and pseudonyms": ("cortex.ids", "patients.registry.models"),
    "a random key that a library wants at import, and that nothing uses": ("cortex.settings.base",),
    "passwords and seeds of fictional people": (
        "clinical.backoffice.demo", "clinical.backoffice.synth.loading",
    ),
}  # fmt: skip
