# The workflow with all it needs, R too:
#   docker build --tag jindbench .
#   docker run --rm --user "$(id -u):$(id -g)" --volume "$PWD:/mnt" jindbench --cores 4
FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates git make python3 python3-venv \
    && rm -rf /var/lib/apt/lists/*
WORKDIR /jindbench
COPY . .
# The folder is root's, who runs it is not: git says which commit it is only where it is told to trust it.
RUN git config --system safe.directory /jindbench && make setup && rm -rf /var/lib/apt/lists/* ~/.cache
# A user that this system does not know has no name and no home, which Snakemake asks for.
ENV PATH=/jindbench/.venv/bin:$PATH HOME=/tmp USER=jindbench
WORKDIR /mnt
ENTRYPOINT ["snakemake", "--snakefile", "/jindbench/Snakefile"]
