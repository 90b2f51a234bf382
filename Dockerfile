FROM python:3.13-slim AS build
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
# The locks come first: a change of our own code does not compile and download everything again.
COPY requirements-build.lock requirements.lock ./
RUN pip install --require-hashes -r requirements-build.lock \
    && pip install --require-hashes --no-build-isolation -r requirements.lock
COPY pyproject.toml README.md ./
COPY memalign memalign
COPY storage storage
COPY bot bot
RUN pip install --no-deps --no-build-isolation .

FROM python:3.13-slim
# libgomp1: hnswlib searches in parallel
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --create-home memalign \
    && install --directory --owner memalign --group memalign /app /app/data
COPY --from=build /opt/memalign /opt/memalign
ENV PATH=/opt/memalign/bin:$PATH \
    PYTHONUNBUFFERED=1
USER memalign
WORKDIR /app
# Mount the settings at /app/memalign.toml, with [storage] path = "data", and in [ingest] host = "0.0.0.0" and
# port = 8080 so that the port is reached from outside; secrets come as environment variables.
VOLUME /app/data
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import http.client as h; c = h.HTTPConnection('127.0.0.1', 8080, timeout=3); c.request('GET', '/healthz'); raise SystemExit(c.getresponse().status != 200)"]
CMD ["memalign", "run", "--config", "/app/memalign.toml"]
