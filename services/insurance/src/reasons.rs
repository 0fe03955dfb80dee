//! The reasons of insurance, beside the common ones.

chassis::reasons! { "linli.insurance";
    PEER_UNKNOWN: FailedPrecondition [name]
        "{name} 在基础信息中不存在" / "governance knows no {name}"
        next "核对名称，或先在基础信息中登记" / "check the name, or record it in governance first";
    CREDIT_CODE_INVALID: InvalidArgument [field]
        "{field} 不是有效的统一社会信用代码" / "{field} is no unified social credit code"
        next "核对 18 位代码及其校验码（GB 32100-2015）" / "check the 18 characters with their check character (GB 32100-2015)";
    NOT_AN_INSURER: FailedPrecondition [insurer]
        "{insurer} 不是保险公司" / "{insurer} is no insurer"
        next "选择类型为保险公司的组织" / "take an organisation that is an insurer";
    INSURER_CODE_DIFFERS: FailedPrecondition [insurer, code]
        "{insurer} 登记的统一社会信用代码是 {code}" / "governance has the code {code} for {insurer}"
        next "核对保单上的代码与承保公司" / "check code and insurer against the contract";
    POLICY_PERIOD_INVALID: InvalidArgument [field]
        "{field} 使保险期间不足一天或超过一年" / "{field} makes the policy shorter than a day or longer than a year"
        next "保险期间自起期起至多一年" / "a policy lasts a year from its first day at most";
    PERCENT_OUT_OF_RANGE: InvalidArgument [field]
        "{field} 不是 0% 至 100% 的比例" / "{field} is no part of 0 to 100 %"
        next "按百万分之一填写：60% 为 600000" / "give parts per million: 60 % is 600000";
    PREMIUM_SHARES_NOT_WHOLE: InvalidArgument [field]
        "{field} 的分担比例合计不是 100%" / "the shares of {field} don't come to 100 %"
        next "使各方比例合计 1000000" / "make the parts come to 1000000";
    INSTALMENTS_NOT_THE_PREMIUM: InvalidArgument [field]
        "{field} 的分期合计与保费不符" / "the instalments of {field} don't come to the premium"
        next "使分期合计等于保费，或不列分期" / "make them come to the premium, or give none";
    BENEFIT_TWICE: InvalidArgument [field]
        "{field} 的险别重复" / "the peril of {field} stands in the table already"
        next "同一险别只列一行" / "give each peril one row";
    PROGRAMME_UNKNOWN: FailedPrecondition [programme]
        "险种 {programme} 不存在或已删除" / "there is no programme {programme}, or it was deleted"
        next "先登记险种" / "record the programme first";
    PROGRAMME_RANK_TAKEN: FailedPrecondition [rank, other]
        "赔付顺序 {rank} 已属于 {other}" / "rank {rank} is that of {other}"
        next "选择未用的顺序" / "take a rank that is free";
    PROGRAMME_IN_USE: FailedPrecondition [name, policy]
        "{name} 下有保单 {policy}" / "{name} has the policy {policy}"
        next "有保单的险种不删除，签约后不改赔付顺序" / "a programme with policies stays; its rank stays once one was signed";
    POLICY_NUMBER_TAKEN: AlreadyExists [number, other]
        "保单号 {number} 已属于 {other}" / "the number {number} is that of {other}"
        next "核对保单号" / "check the number of the contract";
    POLICY_OVERLAPS: FailedPrecondition [name, other]
        "{name} 与同一险种的 {other} 期间重叠" / "{name} has days in common with {other} of the same programme"
        next "改变起止日期，或先解除另一保单" / "move its days, or terminate the other one first";
    ENDORSEMENT_PENDING: FailedPrecondition [name, version]
        "{name} 的第 {version} 版批单待签" / "version {version} of {name} waits to be signed"
        next "先签署或撤销该批单" / "sign or discard that endorsement first";
    ENDORSEMENT_MISSING: FailedPrecondition [name]
        "{name} 没有待签的批单" / "no endorsement of {name} waits to be signed"
        next "先拟批单" / "draft an endorsement first";
    ENDORSEMENT_OUTSIDE_PERIOD: FailedPrecondition [name, earliest, latest]
        "{name} 的批改日须在 {earliest} 至 {latest} 之间" / "an endorsement of {name} holds from a day between {earliest} and {latest}"
        next "选择保险期间内的日期" / "take a day of the policy";
    TERMINATION_OUTSIDE_PERIOD: FailedPrecondition [name, earliest, latest]
        "{name} 的解除日须在 {earliest} 至 {latest} 之间" / "{name} may end on a day between {earliest} and {latest}"
        next "已过的日子保障不变，选择今日或以后的日期" / "days that have passed keep their cover: take today or a later day";
    INSTALMENT_UNKNOWN: FailedPrecondition [name, version, number]
        "{name} 第 {version} 版没有第 {number} 期保费" / "version {version} of {name} has no signed instalment {number}"
        next "核对版本与期次" / "check version and number";
    INSTALMENT_PAID: FailedPrecondition [name, version, number]
        "{name} 第 {version} 版第 {number} 期保费已缴" / "instalment {number} of version {version} of {name} was paid already"
        next "无须再登记" / "nothing is left to note";
    CAMPAIGN_NOT_YET: FailedPrecondition [name, date]
        "活动 {name} 自 {date} 起方可启动" / "{name} can be started from {date} on"
        next "到期再启动，或修改起日" / "start it then, or change its first day";
    ESTATE_ELSEWHERE: FailedPrecondition [estate, committee]
        "小区 {estate} 不属于 {committee}" / "{estate} isn't of {committee}"
        next "核对小区与居委会" / "check estate and committee";
    PLACEMENT_REMOVED: FailedPrecondition [name]
        "点位 {name} 已撤回" / "{name} was taken back before"
        next "如需更正，重新登记点位" / "record the placement anew where it must be corrected";
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
