# The base image by digest. `docker buildx imagetools inspect python:3.13-slim` prints the present one; renew it
# together with the locks.
ARG PYTHON_IMAGE=python:3.13-slim@sha256:7c61056e61ac89e852de05f3dc6fa51a6dd2181797bceed46aa725dd7cb2cd3b

FROM ${PYTHON_IMAGE} AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends g++ \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/memalign
# The image runs on other processors than the one that builds it: hnswlib must not be compiled for this one alone.
ENV PATH=/opt/memalign/bin:$PATH \
    HNSWLIB_NO_NATIVE=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /src
# The locks come first: a change of our own code does not compile and download everything again. This one has all that
# the bot needs, and the driver of PostgreSQL.
COPY requirements-build.lock requirements-postgres.lock ./
RUN pip install --require-hashes -r requirements-build.lock \
    && pip install --require-hashes --no-build-isolation -r requirements-postgres.lock
COPY pyproject.toml README.md ./
COPY memalign memalign
COPY storage storage
COPY bot bot
RUN pip install --no-deps --no-build-isolation . \
    && pip uninstall --yes pybind11 setuptools wheel pip

FROM ${PYTHON_IMAGE}
# libgomp1: hnswlib searches in parallel. Nothing is installed once the image runs, so pip goes.
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && python -m pip uninstall --yes --root-user-action ignore pip \
    && rm -rf /usr/local/lib/python3.*/ensurepip \
    && useradd --uid 10001 --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin memalign \
    && install --directory --owner memalign --group memalign /app /app/data
COPY --from=build /opt/memalign /opt/memalign
# Charts note the machine's fonts in a folder of their own; the image's other files are read-only where it runs.
ENV PATH=/opt/memalign/bin:$PATH \
    MPLCONFIGDIR=/tmp/matplotlib \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
# by number, so that Kubernetes sees that it is not root
USER 10001:10001
WORKDIR /app
# Mount the settings at /app/memalign.toml, with [storage] path = "data", and in [ingest] host = "0.0.0.0" so that the
# port is reached from outside; secrets come as environment variables. Only the data folder and /tmp are written to:
#   docker run --read-only --tmpfs /tmp --cap-drop ALL --security-opt no-new-privileges -v memalign-data:/app/data …
# compose.yaml and docs/deploy have the rest.
VOLUME /app/data
EXPOSE 8080
# On SIGTERM the bot says 503 on /readyz, finishes what is in hand, and ends within 10 s: stop it with -t 15.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-m", "bot.cli.health_check", "/app/memalign.toml"]
CMD ["memalign", "run", "--config", "/app/memalign.toml"]
