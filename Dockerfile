# The workflow with all it needs, R too:
#   docker build --tag jindbench .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/mnt" jindbench --cores 4
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /jindbench
COPY . .
RUN make setup && rm -rf /var/lib/apt/lists/* ~/.cache
ENV PATH=/jindbench/.venv/bin:$PATH HOME=/tmp
WORKDIR /mnt
ENTRYPOINT ["snakemake", "--snakefile", "/jindbench/Snakefile"]
