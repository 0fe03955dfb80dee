// gRPC-Web by @connectrpc/connect-web, as a browser would, with the contracts as a descriptor set.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createClient, ConnectError, Code } from '@connectrpc/connect';
import { createGrpcWebTransport } from '@connectrpc/connect-web';
import { createFileRegistry, fromBinary } from '@bufbuild/protobuf';
import { FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

const { GATEWAY, TOKEN, ROOT, WORK, BLOCK } = process.env;
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(`${WORK}/linli.binpb`)));
const transport = createGrpcWebTransport({
  baseUrl: `http://${GATEWAY}`,
  interceptors: [(next) => (request) => { request.header.set('authorization', `Bearer ${TOKEN}`); return next(request); }],
});
const client = (name) => createClient(registry.getService(name), transport);
const operations = client('linli.platform.v1.OperationService');
const stewardships = client('linli.governance.v1.StewardshipService');

let operation = await client('linli.platform.v1.ImportService').importTables({
  parent: 'services/governance', town: 'towns/malu', requestId: randomUUID(),
  files: [{ table: 'committees', content: readFileSync(`${ROOT}/deploy/demo/committees.csv`) }],
});
while (!operation.done) operation = await operations.waitOperation({ name: operation.name });
assert.equal(operation.result.case, 'response');
const page = await client('linli.governance.v1.CommitteeService').listCommittees({ parent: 'towns/malu', pageSize: 1000 });
assert.equal(page.committees.length, 54);
const block = await client('linli.governance.v1.BlockService').getBlock({ name: `towns/malu/blocks/${BLOCK}` });
const handOver = { name: block.name, etag: block.etag, requestId: randomUUID(), steward: { worker: 'towns/malu/workers/w-041' }, effectiveDate: { year: 2021, month: 3, day: 1 } };
await stewardships.handOverBlock(handOver);
const on = async (month, day) => (await stewardships.lookUpSteward({ name: block.name, asOfDate: { year: 2021, month, day } })).worker;
assert.equal(await on(2, 28), block.steward.worker);
assert.equal(await on(3, 1), 'towns/malu/workers/w-041');
const refused = await stewardships.handOverBlock({ ...handOver, requestId: randomUUID() }).catch(ConnectError.from);
assert.equal(refused.code, Code.Aborted);
console.log('gRPC-Web @connectrpc/connect-web: ok');
