//! The reasons that are governance's own.

chassis::reasons! { "linli.governance";
    STEWARD_GAP: FailedPrecondition [block, days]
        "区块 {block} 在 {days} 将无小管家" / "block {block} would have no steward on {days}"
        next "指定代管人 cover，或使新任首日等于原任离任日" / "name somebody to cover, or let the new steward begin when the former ends";
    STEWARD_OVERLAP: FailedPrecondition [block, days]
        "区块 {block} 在 {days} 将有两名小管家" / "block {block} would have two stewards on {days}"
        next "使原任离任日不晚于新任首日" / "let the former steward end no later than the new one begins";
    OUTSIDE_LIFE: FailedPrecondition [name, period]
        "{name} 只在 {period} 存续，日期超出" / "{name} exists on {period} only"
        next "改用存续期内的日期" / "choose days within it";
    FUTURE_DATE: InvalidArgument [field, date]
        "{field} 为 {date}，晚于今天" / "{field} is {date}, which is after today"
        next "改用今天或以前的日期" / "choose today or an earlier day";
    BAD_ORDER_OF_DATES: InvalidArgument [field, date, after]
        "{field} 为 {date}，应晚于 {after}" / "{field} is {date} and should be after {after}"
        next "改正日期" / "mend the dates";
    MERGE_INTO_ITSELF: InvalidArgument [name]
        "{name} 不能并入自身" / "{name} can't be merged into itself"
        next "选择另一个已成立的居委会" / "choose another founded committee";
    TARGET_NOT_FOUNDED: FailedPrecondition [name, state]
        "{name} 当日为 {state}，不是已成立" / "{name} is {state} on that day, not FOUNDED"
        next "选择已成立的居委会" / "choose a founded committee";
    OPEN_BLOCKS: FailedPrecondition [name, blocks]
        "{name} 仍有 {blocks} 个区块" / "{name} still has {blocks} open block(s)"
        next "先关闭区块，或改为并入其他居委会" / "close the blocks first, or merge it into another committee";
    LATER_CHANGE: FailedPrecondition [name, date]
        "{name} 自 {date} 起已有后续变更" / "{name} has changed already from {date} on"
        next "改用更晚的日期，或以 :correct 更正" / "choose a later day, or correct what was recorded";
    LATER_COUNT: FailedPrecondition [name, date]
        "{name} 已有 {date} 的申报户数" / "{name} has a count declared for {date} already"
        next "改用该日或更晚的日期，或先更正该日户数" / "choose that day or a later one, or correct that count first";
    BLOCK_HAS_BUILDINGS: FailedPrecondition [name, buildings]
        "{name} 届时仍有 {buildings} 幢楼" / "{name} still holds {buildings} building(s) on that day"
        next "先以 :drawPartition 将楼栋划入其他区块" / "draw the partition first, so that they lie in other blocks";
    BLOCK_ELSEWHERE: FailedPrecondition [name, committee, date]
        "{name} 自 {date} 起不全属于 {committee}" / "{name} is not of {committee} on every day from {date} on"
        next "改用该居委会的区块" / "use blocks of this committee";
    PARTITION_GAP: FailedPrecondition [buildings]
        "有楼栋未划入任何区块：{buildings}" / "left out of the partition: {buildings}"
        next "每幢楼须划入一个区块" / "name each building in one block";
    PARTITION_OVERLAP: InvalidArgument [buildings]
        "有楼栋出现两次：{buildings}" / "named twice: {buildings}"
        next "每幢楼只能划入一个区块" / "name each building once";
    NOT_OF_COMMITTEE: FailedPrecondition [name, buildings]
        "以下楼栋不属于 {name}：{buildings}" / "not of {name}: {buildings}"
        next "只列该居委会的楼栋" / "name buildings of this committee alone";
    MIXED_PARTITION: FailedPrecondition [name, into]
        "{name} 与 {into} 一方的楼栋在区块中、一方的不在" / "of the buildings of {name} and {into} those of one lie in blocks and those of the other don't"
        next "先为未分的一方 :drawPartition" / "draw the partition of the other first";
    OPEN_ESTATES: FailedPrecondition [name, estates]
        "{name} 仍有 {estates} 个小区" / "{name} still has {estates} estate(s)"
        next "先移交小区，或改为并入其他居委会" / "move the estates first, or merge it into another committee";
    OPEN_BODIES: FailedPrecondition [name, bodies]
        "{name} 仍有 {bodies} 个组织" / "{name} still has {bodies} body(ies)"
        next "先以 DissolveBody 撤销组织，或改为并入其他居委会" / "dissolve the bodies first, or merge it into another committee";
    SPLIT_TWICE: InvalidArgument [resources]
        "出现两次：{resources}" / "named twice: {resources}"
        next "每项只能划给一个居委会" / "name each in one part";
    SPLIT_FOREIGN: FailedPrecondition [name, resources]
        "以下不属于 {name}：{resources}" / "not of {name} on that day: {resources}"
        next "只列该居委会自己的小区、区块和组织" / "name its own estates, blocks and bodies alone";
    SPLIT_NOTHING: InvalidArgument [committee]
        "没有划给 {committee} 任何小区、区块或组织" / "nothing goes to {committee}"
        next "至少列出一个小区、区块或组织" / "name an estate, a block or a body";
    SPLIT_CUTS_BLOCK: FailedPrecondition [blocks]
        "以下区块将被拆开：{blocks}" / "blocks would be cut: {blocks}"
        next "先以 :drawPartition 重划区块，使其楼栋归于同一方" / "draw the partition first, so that all buildings of a block go one way";
    SPLIT_COUNT: FailedPrecondition [declared, given]
        "各部分与留下的合计 {given} 户，当日申报数为 {declared} 户" / "parts and remainder make {given} households, {declared} were declared for that day"
        next "改正户数，或先以 householdCounts:record 更正申报数" / "mend the numbers, or correct the declared count first";
    SAME_PERSON: AlreadyExists [field, name]
        "该公民身份号码已登记为 {name}" / "the identity number is recorded already, as {name}"
        next "使用已登记的人员" / "use the person that is there";
    BEFORE_BIRTH: InvalidArgument [field]
        "{field} 早于出生日期" / "{field} is before the date of birth"
        next "核对日期" / "check the dates";
    RESIDENCE_OVERLAP: FailedPrecondition [name, ground, period]
        "{name} 在 {period} 已有 {ground} 登记" / "{name} has a residence by {ground} already on {period}"
        next "用 :move 迁移，或先结束原登记" / "use :move, or end the other residence first";
    NOT_RESIDENT: FailedPrecondition [name, ground, date]
        "{name} 在 {date} 无 {ground} 登记" / "{name} has no residence by {ground} on {date}"
        next "先建立居住登记" / "create the residence first";
    UNKNOWN_BODY_KIND: InvalidArgument [field, kind, level]
        "{level} 一级没有组织类型 {kind}" / "there is no kind {kind} at the level {level}"
        next "见 ListBodyKinds" / "see ListBodyKinds";
    BODY_KIND_FULL: FailedPrecondition [owner, kind, maximum]
        "{owner} 至多 {maximum} 个 {kind}，已有" / "{owner} can have {maximum} of {kind} and has"
        next "先撤销现有组织，或修改现有组织" / "dissolve the one that is there first, or change it";
    SEATS_HELD: FailedPrecondition [name, seat, period]
        "{name} 第 {seat} 席在 {period} 有人任职" / "seat {seat} of {name} is held on {period}"
        next "先结束该任期" / "end that term first";
    NO_SUCH_SEAT: FailedPrecondition [name, seat]
        "{name} 没有第 {seat} 席" / "{name} has no seat {seat} on all of these days"
        next "核对席位数与任期" / "check seats and term";
    SEAT_TAKEN: FailedPrecondition [name, seat, period]
        "{name} 第 {seat} 席在 {period} 已有人" / "seat {seat} of {name} is taken on {period}"
        next "选择空缺席位，或待任期届满" / "choose a vacant seat, or wait for the end of the term";
    SEATED_ALREADY: FailedPrecondition [name, person, period]
        "{person} 在 {period} 已是 {name} 成员" / "{person} sits on {name} already on {period}"
        next "同一人在一个组织只能占一席" / "a person holds one seat of a body";
    CHAIR_TAKEN: FailedPrecondition [name, period]
        "{name} 在 {period} 已有主任" / "{name} has a chair already on {period}"
        next "先结束现任主任任期" / "end the present chair's term first";
    FORCE_THERE: FailedPrecondition [name, force, period]
        "{force} 在 {period} 已是 {name} 的力量" / "{force} is gathered in {name} already on {period}"
        next "先以 :leave 退出，或以 :correctForce 更正" / "let it leave first, or correct what was recorded";
    UNKNOWN_PARENT: FailedPrecondition [field, name]
        "{field}：{name} 不存在" / "{field}: {name} does not exist"
        next "先建立上级，或核对名称" / "create it first, or check the name";
    ANOTHER_TOWN: InvalidArgument [field]
        "{field} 属于另一个镇" / "{field} lies in another town"
        next "改用同一镇的名称" / "use a name of the same town";
    MORE_THAN_HELD: PermissionDenied [role, area]
        "您自己不具备 {area} 的 {role} 全部权限，不能授予" / "you don't hold all of {role} in {area}, so you can't grant it"
        next "请具备全部权限的人授予" / "ask somebody who holds all of it";
    UNKNOWN_ROLE: InvalidArgument [role]
        "没有角色 {role}" / "there is no role {role}"
        next "见 ListRoles" / "see ListRoles";
    BOOTSTRAPPED: FailedPrecondition []
        "已有首任管理员" / "there has been a first administrator already"
        next "由现任管理员授予角色" / "ask an administrator for a role binding";
    NOTHING_TO_COVER: FailedPrecondition [worker]
        "{worker} 当日起没有负责的区块" / "{worker} is steward of no block from that day on"
        next "核对社工与日期" / "check the worker and the day";
}
