#!/usr/bin/env bash
# Runs the README's tour against a suite of its own: fresh data, free ports; every `curl` and `linli` line must succeed.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --quiet

work=$(mktemp -d)
chmod 755 "$work"
export LINLI_DATA_DIR="$work/data" LINLI_GATEWAY_LISTEN=127.0.0.1:0 LINLI_ADMIN_LISTEN=127.0.0.1:0
target/debug/linli >"$work/out" 2>"$work/err" &
suite=$!
trap 'kill $suite 2>/dev/null; wait $suite 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 300); do [ -s "$work/data/addresses" ] && break; kill -0 $suite || { cat "$work/err"; exit 1; }; read -rt 0.2 <> <(:) || true; done
gateway=$(sed -n 1p "$work/data/addresses")
unset LINLI_GATEWAY_LISTEN LINLI_ADMIN_LISTEN

# the lines between the markers of the tour, as they stand there, with this suite's port
sed -n '/<!-- tour -->/,/<!-- \/tour -->/p' README.md | sed -n '/^```sh$/,/^```$/p' | grep -v '^```' \
    | sed "s#127.0.0.1:8080#$gateway#g; s#cargo run --quiet --#target/debug/linli#g" >"$work/tour.sh"
bash -euo pipefail -c 'curl() { command curl --fail-with-body --silent --show-error "$@"; }; . "$1"' tour "$work/tour.sh" >"$work/tour.out"
grep -q 示例数据 "$work/out" || { echo 'the start does not say 示例数据'; exit 1; }
echo "the tour: $(grep -c . "$work/tour.sh") lines ran, $(wc -c <"$work/tour.out") bytes of answers"
