//! The reasons of insurance, beside the common ones.

chassis::reasons! { "linli.insurance";
    PEER_UNKNOWN: FailedPrecondition [name]
        "{name} 在基础信息中不存在" / "governance knows no {name}"
        next "核对名称，或先在基础信息中登记" / "check the name, or record it in governance first";
    CAMPAIGN_PROGRAMME_UNKNOWN: FailedPrecondition [name]
        "没有险种 {name}" / "there is no programme {name}"
        next "核对险种名称" / "check the names of the programmes";
    CAMPAIGN_NOT_YET: FailedPrecondition [name, date]
        "活动 {name} 自 {date} 起方可启动" / "{name} can be started from {date} on"
        next "到期再启动，或修改起日" / "start it then, or change its first day";
    ESTATE_ELSEWHERE: FailedPrecondition [estate, committee]
        "小区 {estate} 不属于 {committee}" / "{estate} isn't of {committee}"
        next "核对小区与居委会" / "check estate and committee";
    PLACEMENT_REMOVED: FailedPrecondition [name]
        "点位 {name} 已撤回" / "{name} was taken back before"
        next "如需更正，重新登记点位" / "record the placement anew where it must be corrected";
}
