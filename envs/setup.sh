#!/usr/bin/env bash
# What `make setup` runs: Python's packages into .venv and, meanwhile, R's where apt may install them.
# $1: the Python to use, or nothing for R alone; $2: "no" leaves R out.
set -euo pipefail

say() { printf '%4d s  %s\n' "$SECONDS" "$*"; }

# Reads what pip or apt-get prints, and says how far it has come. $1: whose packages, $2: how many.
progress() {
    local got=0 done=0 word rest
    while read -r word rest; do
        case $word in
        Collecting | Processing | Get:*) ((++got % 25)) || say "$1: $got of $2 downloaded" ;;
        Setting) ((++done % 25)) || say "$1: $done of $2 installed" ;;
        Installing) say "$1: installing" ;;
        esac
    done
}

python_packages() {
    local all methods
    all=$(grep -c == requirements.txt)
    say "Python: $all packages with pip"
    [ -e .venv/bin/.methods ] && methods=yes || methods=no
    rm -rf .venv
    "$1" -m venv .venv
    # RPY2_CFFI_MODE=ABI: rpy2 needs no R to be installed, and takes whichever R there is when it runs.
    RPY2_CFFI_MODE=ABI .venv/bin/pip install --disable-pip-version-check --no-compile --requirement requirements.txt |
        progress Python "$all"
    say "Python: compiling" # with all processors, where pip takes one
    .venv/bin/python -m compileall -q -j 0 .venv/lib >/dev/null || true # some packages carry files of other Pythons
    .venv/bin/pip install --quiet --disable-pip-version-check --no-deps --editable .
    if [ $methods = yes ]; then
        say "Python: what \`make methods\` had added"
        .venv/bin/pip install --quiet --disable-pip-version-check --requirement envs/methods.txt
    fi
    say "Python: done"
}

r_packages() {
    local packages sudo=() all
    mapfile -t packages <envs/apt.txt
    # Packages of a user's own library are not used: two runs could have different ones.
    if R_LIBS_USER=/dev/null Rscript --vanilla -e 'for (p in c("Seurat", "limma")) find.package(p)' >/dev/null 2>&1; then
        say "R: it is here already"
        return
    fi
    [ "$(id -u)" = 0 ] || sudo=(sudo -n)
    if command -v apt-get >/dev/null && "${sudo[@]}" true 2>/dev/null && "${sudo[@]}" apt-get update -qq &&
        all=$(apt-get install --simulate --no-install-recommends "${packages[@]}" | grep -c ^Inst); then
        say "R: $all packages with apt-get"
        # unsafe-io: files need not reach the disk one by one, which takes most of the time.
        if "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
            -o Dpkg::Options::=--force-unsafe-io "${packages[@]}" | progress R "$all"; then
            say "R: done"
            return
        fi
    fi
    echo "R with Seurat and limma was not found and could not be installed here: what needs them" \
        "is shown as not run. Packages of your own R library are not used. On Debian and Ubuntu: sudo apt-get install --no-install-recommends ${packages[*]}" >&2
}

if [ $# = 0 ]; then
    r_packages
    exit
fi
echo "Setting up .venv with $("$1" --version): a few minutes the first time."
[ "$2" = no ] || r_packages &
trap wait EXIT # never leaves apt-get behind
python_packages "$1"
