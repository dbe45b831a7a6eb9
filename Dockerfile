# Without a login Talos listens on loopback only, and a container has its own loopback: run this
# image on the host's network, as docker-compose.yml does, and open http://127.0.0.1:8000/
FROM python:3.12-slim

RUN useradd --system --create-home --uid 10001 talos \
    && install -d -o talos -g talos -m 700 /data
WORKDIR /app

COPY requirements.txt .
RUN pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

COPY . .
RUN python -m compileall -q . \
    && TALOS_DATA_DIR=/tmp/build python manage.py collectstatic --noinput --verbosity 0 \
    && rm -r /tmp/build

USER talos
ENV TALOS_DATA_DIR=/data PYTHONUNBUFFERED=1
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f\"http://127.0.0.1:{os.environ.get('PORT', 8000)}/healthz\", timeout=4)"]
CMD ["python", "manage.py", "serve"]
