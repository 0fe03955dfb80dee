#!/usr/bin/env bash
# Runs the tours of the READMEs, each against a suite of its own: fresh data, free ports; every `curl` and `linli` line must
# succeed.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet

work=$(mktemp -d)
chmod 755 "$work"
suite=
stop() { [ -z "$suite" ] || { kill "$suite" 2>/dev/null || true; wait "$suite" 2>/dev/null || true; }; suite=; }
trap 'stop; rm -rf "$work"' EXIT

# tour README DEMO: the lines between the markers, as they stand there, with this suite's port
tour() {
    local readme=$1 data="$work/${1//\//-}"
    LINLI_DEMO=$2 LINLI_DATA_DIR="$data" LINLI_GATEWAY_LISTEN=127.0.0.1:0 LINLI_ADMIN_LISTEN=127.0.0.1:0 \
        target/debug/linli >"$work/out" 2>"$work/err" &
    suite=$!
    for _ in $(seq 300); do [ -s "$data/addresses" ] && break; kill -0 $suite || { cat "$work/err"; exit 1; }; read -rt 0.2 <> <(:) || true; done
    local gateway
    gateway=$(sed -n 1p "$data/addresses")
    sed -n '/<!-- tour -->/,/<!-- \/tour -->/p' "$readme" | sed -n '/^```sh$/,/^```$/p' | grep -v '^```' \
        | sed "s#127.0.0.1:8080#$gateway#g; s#cargo run --quiet --#target/debug/linli#g" >"$work/tour.sh"
    LINLI_DATA_DIR="$data" bash -euo pipefail -c 'curl() { command curl --fail-with-body --silent --show-error "$@"; }; . "$1"' \
        tour "$work/tour.sh" >"$work/tour.out"
    grep -q 示例数据 "$work/out" || { echo 'the start does not say 示例数据'; exit 1; }
    stop
    echo "$readme: $(grep -c . "$work/tour.sh") lines ran, $(wc -c <"$work/tour.out") bytes of answers"
}

tour README.md true
tour services/governance/README.md false
tour services/funding/README.md true
tour services/insurance/README.md true
