//! The reasons of insurance, beside the common ones.

chassis::reasons! { "linli.insurance";
    PEER_UNKNOWN: FailedPrecondition [name]
        "{name} 在基础信息中不存在" / "governance knows no {name}"
        next "核对名称，或先在基础信息中登记" / "check the name, or record it in governance first";
    EVENT_IN_FUTURE: InvalidArgument [field]
        "{field} 晚于今天：事件尚未发生" / "{field} is after today: the event is yet to come"
        next "核对出险日" / "check the day of the event";
    INCIDENT_KNOWN: AlreadyExists [name, number]
        "同一人、险种、日期、地点的出险已登记为 {number}（{name}）" / "the same person, peril, day and place was reported before: {number} ({name})"
        next "在已登记的出险上继续办理" / "go on with the incident that is there";
}
