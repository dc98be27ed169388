# syntax=docker/dockerfile:1

# ---- build: everything that needs pip ------------------------------------------------------------------------------
FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1 \
    PIP_ROOT_USER_ACTION=ignore

RUN python -m venv /opt/meetings
WORKDIR /source

# The dependencies first: they change less often than the code, and stay in the layer cache.
COPY requirements.lock ./
RUN /opt/meetings/bin/pip install --require-hashes --requirement requirements.lock

COPY pyproject.toml README.md LICENSE ./
COPY meetings ./meetings
# googleapiclient ships a description of every Google API, 111 MB of them; only the calendar's is read.
RUN /opt/meetings/bin/pip install --no-deps --no-build-isolation . \
    && find /opt/meetings -path '*/googleapiclient/discovery_cache/documents/*.json' ! -name calendar.v3.json -delete \
    && /opt/meetings/bin/pip uninstall --yes setuptools pip

# ---- the image -----------------------------------------------------------------------------------------------------
FROM python:3.13-slim

ENV PATH=/opt/meetings/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MEETINGS_ENVIRONMENT=production

# Nothing is installed at run time, so the base image's own pip goes too.
RUN python -m pip uninstall --yes --root-user-action=ignore pip \
    && mkdir /data && chown 10001:10001 /data

COPY --from=build /opt/meetings /opt/meetings

# A number and not a name, so that an orchestrator can see that it is not root.
USER 10001:10001

# The one place to keep an SQLite database; the root file system may be read-only, /tmp a tmpfs.
WORKDIR /data
VOLUME /data

EXPOSE 8000
STOPSIGNAL SIGTERM

HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/health/live', timeout=2)"]

ENTRYPOINT ["meetings"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000"]
