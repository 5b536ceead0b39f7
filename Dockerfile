# Undercap on one machine: `docker build -t undercap .`, then
#   docker run -d --name undercap -p 8080:8080 -v undercap:/var/lib/undercap undercap
# The steps are plain shell, so that they also run by hand on a Debian 12 with python3 and python3-venv.
FROM python:3.12-slim-bookworm

RUN useradd --system --user-group --home-dir /var/lib/undercap --shell /usr/sbin/nologin undercap
RUN install -d -o undercap -g undercap -m 0700 /var/lib/undercap

WORKDIR /opt/undercap/source
COPY pyproject.toml README.md LICENSE ./
COPY config config
COPY gateway gateway
COPY smpp smpp
COPY ivr ivr
COPY campaigns campaigns
RUN python3 -m venv /opt/undercap/venv
RUN /opt/undercap/venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check .

# The stop deadline leaves Valkey two of the ten seconds that `docker stop` gives.
ENV PATH=/opt/undercap/venv/bin:$PATH \
    UNDERCAP_STATE_DIR=/var/lib/undercap \
    UNDERCAP_HTTP__HOST=0.0.0.0 \
    UNDERCAP_LOG__FORMAT=json \
    UNDERCAP_STOP_DEADLINE_S=8

USER undercap
WORKDIR /var/lib/undercap
VOLUME ["/var/lib/undercap"]
EXPOSE 8080

# With start-period room for migrations and the loading of Valkey's file.
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8080/healthz', timeout=4)"]

ENTRYPOINT ["undercap"]
CMD ["up"]
