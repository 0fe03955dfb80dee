//! The reasons of insurance, beside the common ones.

chassis::reasons! { "linli.insurance";
    PEER_UNKNOWN: FailedPrecondition [name]
        "{name} 在基础信息中不存在" / "governance knows no {name}"
        next "核对名称，或先在基础信息中登记" / "check the name, or record it in governance first";
    DOCUMENT_TOO_LARGE: InvalidArgument [limit]
        "文件超过 {limit} 字节" / "the file is larger than {limit} bytes"
        next "压缩或拆分后再上传；上传的内容不得多于登记的大小" / "make it smaller or split it; no more can be written than was declared";
    DOCUMENTS_TOO_MANY: FailedPrecondition [owner, limit]
        "{owner} 已有 {limit} 份材料" / "{owner} has {limit} documents already"
        next "放弃未完成的上传，或作废多余的材料" / "delete uploads that aren't finished, or void what is superfluous";
    DOCUMENT_OFFSET: FailedPrecondition [name, offset]
        "{name} 的下一分片须从第 {offset} 字节开始" / "the next part of {name} begins at byte {offset}"
        next "从该处继续上传" / "go on from there";
    DOCUMENT_MISMATCH: FailedPrecondition [name, fields]
        "{name} 与登记不符：{fields}" / "{name} is not as it was declared: {fields}"
        next "大小不足时继续上传；否则放弃（delete）后重新登记" / "write what is missing of its size; otherwise delete it and declare it anew";
}
