#!/usr/bin/env bash
# buf curl over gRPC, with the schema by server reflection.
set -euo pipefail
ask() { buf curl --protocol grpc --http2-prior-knowledge --header "authorization: Bearer $TOKEN" --data @- "http://$GATEWAY/linli.$1"; }
field() { python3 -c "import json,sys; d=json.load(sys.stdin); print(eval('d' + sys.argv[1]))" "$1"; }
uuid() { cat /proc/sys/kernel/random/uuid; }

content=$(base64 -w0 <"$ROOT/deploy/demo/committees.csv")
name=$(echo "{\"parent\":\"services/governance\",\"town\":\"towns/malu\",\"requestId\":\"$(uuid)\",\"files\":[{\"table\":\"committees\",\"content\":\"$content\"}]}" | ask platform.v1.ImportService/ImportTables | field "['name']")
until [ "$(echo "{\"name\":\"$name\"}" | ask platform.v1.OperationService/WaitOperation | field ".get('done')")" = True ]; do :; done
[ "$(echo '{"parent":"towns/malu","pageSize":1000}' | ask governance.v1.CommitteeService/ListCommittees | field "['committees'].__len__()")" = 54 ]
block="towns/malu/blocks/$BLOCK"
etag=$(echo "{\"name\":\"$block\"}" | ask governance.v1.BlockService/GetBlock | field "['etag']")
hand_over() { echo "{\"name\":\"$block\",\"etag\":\"$etag\",\"requestId\":\"$(uuid)\",\"steward\":{\"worker\":\"towns/malu/workers/w-043\"},\"effectiveDate\":{\"year\":2021,\"month\":3,\"day\":1}}" | ask governance.v1.StewardshipService/HandOverBlock; }
hand_over >/dev/null
worker=$(echo "{\"name\":\"$block\",\"asOfDate\":{\"year\":2021,\"month\":3,\"day\":1}}" | ask governance.v1.StewardshipService/LookUpSteward | field "['worker']")
[ "$worker" = towns/malu/workers/w-043 ]
refused=$(hand_over 2>&1 || true)
[[ $refused == *aborted* ]]
echo 'buf curl: ok'
