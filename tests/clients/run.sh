#!/usr/bin/env bash
# Clients that nobody here wrote, against a suite of its own: each imports, lists, hands a block over, asks as of a day,
# and is refused with an old etag. Installs them into a cache outside the repository.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
cache=${LINLI_CLIENTS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/linli-clients}
mkdir -p "$cache"

[ -x "$cache/venv/bin/python" ] || python3 -m venv "$cache/venv"
"$cache/venv/bin/pip" install --quiet 'grpcio==1.76.0' 'grpcio-tools==1.76.0' 'openapi-spec-validator==0.7.2'
[ -d "$cache/node/node_modules/@connectrpc/connect-web" ] || (
    mkdir -p "$cache/node" && cd "$cache/node" && npm init -y >/dev/null
    npm install --silent --no-audit --no-fund @grpc/grpc-js@1.14 @grpc/proto-loader@0.8 @bufbuild/buf@1.75.0 \
        @bufbuild/protobuf@2 @connectrpc/connect@2 @connectrpc/connect-web@2
)

(cd "$root" && cargo build --quiet)
work=$(mktemp -d)
chmod 755 "$work"
export LINLI_DATA_DIR="$work/data"
LINLI_GATEWAY_LISTEN=127.0.0.1:0 LINLI_ADMIN_LISTEN=127.0.0.1:0 "$root/target/debug/linli" >"$work/out" 2>"$work/err" &
suite=$!
trap 'kill $suite 2>/dev/null; wait $suite 2>/dev/null || true; rm -rf "$work"' EXIT
for _ in $(seq 300); do [ -s "$work/data/addresses" ] && break; kill -0 $suite || { cat "$work/err"; exit 1; }; read -rt 0.2 <> <(:) || true; done
GATEWAY=$(sed -n 1p "$work/data/addresses")
TOKEN=$("$root/target/debug/linli" token --as town-officer --person town-officer-1)
export GATEWAY TOKEN ROOT=$root WORK=$work PATH="$cache/node/node_modules/.bin:$PATH" NODE_PATH="$cache/node/node_modules"
ln -s "$cache/node/node_modules" "$work/node_modules"
cp "$here"/node/*.mjs "$work/"

BLOCK=b-001-1 node "$work/grpc.mjs"
BLOCK=b-001-3 "$cache/venv/bin/python" "$here/python/client.py"
(cd "$root" && buf build proto -o "$work/linli.binpb")
BLOCK=b-026-1 node "$work/grpc_web.mjs"
BLOCK=b-026-2 bash "$here/buf_curl.sh"
curl --fail --silent "http://$GATEWAY/openapi.json" >"$work/openapi.json"
"$cache/venv/bin/python" -m openapi_spec_validator "$work/openapi.json"
