# Two stages: build an environment with the serving dependencies only, then copy it into a clean, non-root image.
FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /build
RUN python -m venv /opt/dayzero
COPY requirements.txt ./
RUN /opt/dayzero/bin/pip install --require-hashes -r requirements.txt
COPY pyproject.toml README.md LICENSE ./
COPY app ./app
COPY training ./training
RUN /opt/dayzero/bin/pip install --no-deps .

FROM python:3.11-slim
RUN useradd --system --uid 10001 --create-home --home-dir /data dayzero
COPY --from=build /opt/dayzero /opt/dayzero
COPY model_artifacts /opt/dayzero/model_artifacts
# PYTHONSAFEPATH: the top-level packages are called `app` and `training`; never take them from the working directory.
ENV PATH=/opt/dayzero/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    ORT_DISABLE_TELEMETRY=1 \
    DAYZERO_HOME=/data \
    DAYZERO_ARTIFACTS=/opt/dayzero/model_artifacts \
    DAYZERO_HOST=0.0.0.0 \
    DAYZERO_PORT=8000
USER dayzero
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=15s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"DAYZERO_PORT\"]}/health/ready', timeout=2)"]
CMD ["dayzero", "serve"]
