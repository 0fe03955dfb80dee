// @grpc/grpc-js with the contracts read by @grpc/proto-loader.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
const require = createRequire(import.meta.url);
const grpc = require('@grpc/grpc-js');
const loader = require('@grpc/proto-loader');

const { GATEWAY, TOKEN, ROOT, BLOCK } = process.env;
const files = ['platform/v1/imports', 'platform/v1/operations', 'governance/v1/committee', 'governance/v1/block', 'governance/v1/stewardship'];
const definition = loader.loadSync(files.map((file) => `linli/${file}.proto`), { includeDirs: [`${ROOT}/proto`, `${ROOT}/proto/third_party`], keepCase: true, longs: Number, enums: String, oneofs: true });
const { linli } = grpc.loadPackageDefinition(definition);
const metadata = new grpc.Metadata();
metadata.set('authorization', `Bearer ${TOKEN}`);
const call = (service, method, request) => new Promise((resolve, reject) => {
  const client = new service(GATEWAY, grpc.credentials.createInsecure());
  client[method](request, metadata, (error, answer) => (error ? reject(error) : resolve(answer)));
});
const { platform: { v1: platform }, governance: { v1: governance } } = linli;

// import
let operation = await call(platform.ImportService, 'ImportTables', {
  parent: 'services/governance', town: 'towns/malu', request_id: randomUUID(),
  files: [{ table: 'committees', content: readFileSync(`${ROOT}/deploy/demo/committees.csv`) }],
});
while (!operation.done) operation = await call(platform.OperationService, 'WaitOperation', { name: operation.name });
assert.equal(operation.result, 'response');
// list, page by page
let names = [], token = '';
do {
  const page = await call(governance.CommitteeService, 'ListCommittees', { parent: 'towns/malu', page_size: 20, page_token: token });
  names.push(...page.committees.map((committee) => committee.name));
  token = page.next_page_token;
} while (token);
assert.equal(new Set(names).size, 54);
// hand over
const block = await call(governance.BlockService, 'GetBlock', { name: `towns/malu/blocks/${BLOCK}` });
const handOver = { name: block.name, etag: block.etag, request_id: randomUUID(), steward: { worker: 'towns/malu/workers/w-040' }, effective_date: { year: 2021, month: 3, day: 1 } };
await call(governance.StewardshipService, 'HandOverBlock', handOver);
// as of a day
const on = async (month, day) => (await call(governance.StewardshipService, 'LookUpSteward', { name: block.name, as_of_date: { year: 2021, month, day } })).worker;
assert.equal(await on(2, 28), block.steward.worker);
assert.equal(await on(3, 1), 'towns/malu/workers/w-040');
// an old etag
const refused = await call(governance.StewardshipService, 'HandOverBlock', { ...handOver, request_id: randomUUID() }).catch((error) => error);
assert.equal(refused.code, grpc.status.ABORTED);
assert.ok(refused.metadata.get('grpc-status-details-bin')[0].includes('ETAG_MISMATCH'));
console.log('node @grpc/grpc-js: ok');
process.exit(0);
