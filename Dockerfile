# The workflow with all it needs, R too:
#   docker build --tag jindbench .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/work" jindbench --cores 4
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/jindbench
COPY . .
RUN make setup && rm -rf /var/lib/apt/lists/* /root/.cache
ENV PATH=/opt/jindbench/.venv/bin:$PATH HOME=/tmp
WORKDIR /work
ENTRYPOINT ["snakemake", "--snakefile", "/opt/jindbench/Snakefile"]
