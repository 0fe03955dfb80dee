"""grpcio with stubs that grpc_tools makes of the contracts."""
import os, sys, tempfile, uuid
from pathlib import Path

import grpc
from grpc_tools import protoc

root, block_id = Path(os.environ["ROOT"]), os.environ["BLOCK"]
out = tempfile.mkdtemp()
protos = sorted(str(p.relative_to(root / "proto")) for p in (root / "proto/linli").rglob("*.proto"))
third = sorted(str(p.relative_to(root / "proto/third_party")) for p in (root / "proto/third_party").rglob("*.proto"))
well_known = str(Path(protoc.__file__).parent / "_proto")
args = ["protoc", f"-I{root}/proto", f"-I{root}/proto/third_party", f"-I{well_known}", f"--python_out={out}", f"--grpc_python_out={out}"]
assert protoc.main(args + protos + third) == 0
sys.path.insert(0, out)
from google.type import date_pb2
from linli.governance.v1 import block_pb2, block_pb2_grpc, committee_pb2, committee_pb2_grpc, stewardship_pb2 as s, stewardship_pb2_grpc
from linli.platform.v1 import imports_pb2, imports_pb2_grpc, operations_pb2, operations_pb2_grpc

channel = grpc.insecure_channel(os.environ["GATEWAY"])
auth = [("authorization", f"Bearer {os.environ['TOKEN']}")]

# import
content = (root / "deploy/demo/committees.csv").read_bytes()
request = imports_pb2.ImportTablesRequest(parent="services/governance", town="towns/malu", request_id=str(uuid.uuid4()), files=[imports_pb2.ImportFile(table="committees", content=content)])
operation = imports_pb2_grpc.ImportServiceStub(channel).ImportTables(request, metadata=auth)
operations = operations_pb2_grpc.OperationServiceStub(channel)
while not operation.done:
    operation = operations.WaitOperation(operations_pb2.WaitOperationRequest(name=operation.name), metadata=auth)
report = imports_pb2.ImportReport()
assert operation.response.Unpack(report) and report.stored and report.tables[0].rows == 54, report
# list, page by page
committees, names, token = committee_pb2_grpc.CommitteeServiceStub(channel), set(), ""
while True:
    page = committees.ListCommittees(committee_pb2.ListCommitteesRequest(parent="towns/malu", page_size=20, page_token=token), metadata=auth)
    names |= {committee.name for committee in page.committees}
    token = page.next_page_token
    if not token:
        break
assert len(names) == 54
# hand over, ask as of a day, be refused with the old etag
block = block_pb2_grpc.BlockServiceStub(channel).GetBlock(block_pb2.GetBlockRequest(name=f"towns/malu/blocks/{block_id}"), metadata=auth)
stewards = stewardship_pb2_grpc.StewardshipServiceStub(channel)
day = lambda month, day: date_pb2.Date(year=2021, month=month, day=day)
hand_over = lambda: stewards.HandOverBlock(s.HandOverBlockRequest(name=block.name, etag=block.etag, request_id=str(uuid.uuid4()), steward=s.Steward(worker="towns/malu/workers/w-042"), effective_date=day(3, 1)), metadata=auth)
hand_over()
on = lambda date: stewards.LookUpSteward(s.LookUpStewardRequest(name=block.name, as_of_date=date), metadata=auth).worker
assert on(day(2, 28)) == block.steward.worker and on(day(3, 1)) == "towns/malu/workers/w-042"
try:
    hand_over()
    raise SystemExit("an old etag was taken")
except grpc.RpcError as error:
    details = dict(error.trailing_metadata() or ())
    assert error.code() == grpc.StatusCode.ABORTED and b"ETAG_MISMATCH" in details["grpc-status-details-bin"], error
print("python grpcio: ok")
