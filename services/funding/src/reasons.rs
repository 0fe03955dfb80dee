//! The reasons of funding, beside the common ones.

chassis::reasons! { "linli.funding";
    BALANCE_INSUFFICIENT: FailedPrecondition [account, amount, available]
        "{account} 可用余额不足 {amount} 元" / "less than {amount} yuan is available in {account}"
        next "减少金额，或待拨付、解冻后再办" / "ask for less, or wait until more is released or set free";
    FISCAL_YEAR_CLOSED: FailedPrecondition [year]
        "{year} 会计年度已结账" / "fiscal year {year} is closed"
        next "改用未结账的年度" / "use a year that is open";
    FISCAL_YEAR_NOT_OPEN: FailedPrecondition [year]
        "{year} 会计年度尚未开启" / "fiscal year {year} has not been opened"
        next "先发布该年度经费办法" / "publish the funding policy of that year first";
    EARMARK_NOT_ALLOWED: FailedPrecondition [fund, category]
        "{fund} 不得用于 {category}" / "{fund} may not pay {category}"
        next "改用许可该类别的经费，类别见当年经费办法" / "use a fund that allows the category: see the year's funding policy";
    EARMARK_CROSSED: FailedPrecondition [account, into]
        "{account} 与 {into} 的经费、年度或专款不同，或为任务、项目专款，不能互转" / "{account} and {into} differ in fund, year or earmark, or hold money of a task or a project: it does not cross"
        next "只在两个居委会同一经费、年度的自由资金之间转账" / "transfer what is free between two committees, within one fund and year";
    ACCOUNT_NOT_FOUND: FailedPrecondition [committee, fund, year]
        "{committee} 没有 {year} 年 {fund} 账户" / "{committee} has no account of {fund} in {year}"
        next "核对居委会、经费与年度；账户由拨付建立" / "check committee, fund and year: accounts are opened by what is released";
    COMMITTEE_NOT_FOUND: FailedPrecondition [committee]
        "没有 {committee}" / "there is no {committee}"
        next "核对名称" / "check the name";
    ENTRY_WRITTEN: AlreadyExists [key]
        "分录 {key} 已入账" / "an entry {key} is booked already"
        next "无须重复记账" / "there is nothing left to do";
    NOT_REVERSED_HERE: FailedPrecondition [name, kind]
        "{name} 为 {kind}，须由其所属事项办理冲销" / "{name} is {kind}: it is taken back where it came from"
        next "见分录的 subject" / "see the subject of the entry";
    REVERSED_ALREADY: FailedPrecondition [name, by]
        "{name} 已由 {by} 冲销" / "{name} was taken back by {by}"
        next "一笔分录只能冲销一次" / "an entry is taken back once";
    HOLD_OF_ANOTHER: FailedPrecondition [name, subject]
        "{name} 属于 {subject}，由该事项办理" / "{name} is held by {subject}, which resolves it"
        next "办理该事项" / "act on that resource";
    HOLD_SMALLER: FailedPrecondition [name, amount]
        "{name} 只冻结 {amount} 元" / "{name} holds {amount} yuan only"
        next "减少金额" / "post less";
    POLICY_NOT_PUBLISHED: FailedPrecondition [year]
        "{year} 年没有已发布的经费办法" / "no funding policy is published for {year}"
        next "先起草并由他人发布该年度经费办法" / "draft the policy of that year and have another person publish it";
    POLICY_OF_ANOTHER_YEAR: FailedPrecondition [name, year]
        "{name} 属于 {year} 年，年度不可修改" / "{name} is of {year}: its year never changes"
        next "另建该年度的办法" / "draft another policy for the other year";
    POLICY_SUPERSEDED: FailedPrecondition [name, policy]
        "{name} 所依据的 {policy} 已不生效" / "{policy}, which {name} applies, is no longer in force"
        next "取消本次核定，按现行办法重新核定" / "cancel the run and begin another one by the policy in force";
    POLICY_NOT_DUE: FailedPrecondition [name, due]
        "{name} 自 {due} 起施行，此前不能取代现行办法" / "{name} is applied from {due}: it can't supersede the policy in force before"
        next "于该日起发布，或修改施行日期" / "publish it from that day on, or change the day in the draft";
    RUN_OPEN: FailedPrecondition [year, name]
        "{year} 年的 {name} 尚未办结" / "{name} of {year} is still open"
        next "先拨付、驳回或取消该次核定" / "release, reject or cancel that run first";
    RUN_NOT_COMPUTED: FailedPrecondition [name, run, state]
        "{run} 为 {state}，{name} 不能修改" / "{run} is {state}: {name} can't be changed"
        next "待计算完成，或由审批人退回修改" / "wait until it is computed, or have the approver request a revision";
    EXCEPTION_NEEDED: FailedPrecondition [name, count]
        "{name} 有 {count} 项低于保底且未经特批" / "{count} allocations of {name} are below their floor without an exception"
        next "用 exception_needed = true 列出，调整金额或请他人特批" / "list them by exception_needed = true; adjust them or have another person grant exceptions";
    EXCEPTION_NOT_NEEDED: FailedPrecondition [name]
        "{name} 不低于保底，或已经特批" / "{name} is not below its floor, or has its exception"
        next "无须特批" / "no exception is needed";
    ADJUSTMENT_BELOW_ZERO: FailedPrecondition [name, amount]
        "{name} 只有 {amount} 元，不能减至零以下" / "{name} has {amount} yuan only: it can't fall below zero"
        next "减少扣减金额" / "take off less";
    OPERATION_RUNNING: FailedPrecondition [name, operation]
        "{name} 的 {operation} 尚在进行" / "{operation} of {name} is still open"
        next "等待其结束，或先取消该操作" / "wait until it ends, or cancel it first";
    NOTICE_REQUIRED: FailedPrecondition [name]
        "{name} 须先公示" / "{name} needs a public notice first"
        next "由居委会发布公示（publishNotice）" / "let the committee begin the notice (publishNotice)";
    NOTICE_RUNNING: FailedPrecondition [name, due]
        "{name} 公示至 {due}，期满前不能批准" / "the notice of {name} lasts until {due}: nothing is approved before"
        next "公示期满次日起再批准" / "approve it from the day after on";
    NOTICE_OVER: FailedPrecondition [name, due]
        "{name} 的公示已于 {due} 期满" / "the notice of {name} was over on {due}"
        next "向镇社区办反映" / "tell the town's office";
    OBJECTION_OPEN: FailedPrecondition [name, count]
        "{name} 有 {count} 条异议未答复" / "{count} objection(s) to {name} wait for an answer"
        next "先答复异议（answerObjection）" / "answer them first (answerObjection)";
    OBJECTION_NOT_OPEN: FailedPrecondition [name, objection]
        "{name} 没有待答复的异议 {objection}" / "{name} has no open objection {objection}"
        next "见 objections" / "see objections";
    NOT_THE_APPLICANT: FailedPrecondition [name, verb]
        "{name} 的 {verb} 只能由申请人办理" / "{verb} of {name} is for its applicant alone"
        next "请申请人办理" / "ask the applicant";
    VOUCHERS_EXCEED_PAYMENT: FailedPrecondition [name, vouchers, paid]
        "票据合计 {vouchers} 元，超过 {name} 的付款额 {paid} 元" / "the vouchers add up to {vouchers} yuan, {name} was paid {paid}"
        next "核对票据；多出的部分另行申请" / "check the vouchers; apply for what is more";
    VOUCHER_USED: FailedPrecondition [number]
        "该开具方的票据 {number} 或其影像已使用过" / "voucher {number} of this issuer, or its scan, was used before"
        next "核对票据号码与开具方" / "check number and issuer";
    RETURN_FILE_UNREADABLE: InvalidArgument [count]
        "回单文件有 {count} 处不合要求" / "{count} place(s) of the return file are not as required"
        next "逐项改正 field_violations 所列各处后重传" / "mend the places listed in field_violations and send it again";
    OPEN_HOLDS: FailedPrecondition [name, amount]
        "{name} 尚有 {amount} 元被冻结" / "{amount} yuan of {name} are held"
        next "先办结占用该款的支出或冻结" / "finish the expenses or holds that use it first";
    OPEN_EXPENSES: FailedPrecondition [name, count, names]
        "{name} 尚有 {count} 笔支出未办结：{names}" / "{count} expenses of {name} are open still: {names}"
        next "先核销、撤回或驳回所列支出" / "settle, withdraw or reject these expenses first";
    DELEGATION_UNFUNDED: FailedPrecondition [name]
        "{name} 无经费随付，不得接收" / "{name} comes without its money and can't be accepted"
        next "请部门先拨付经费（fund），或退回（decline）" / "ask the department to fund it, or decline it";
    DELEGATION_FUNDED: FailedPrecondition [name, amount]
        "{name} 已随付 {amount} 元" / "{name} has its money already: {amount} yuan"
        next "追加任务请另行交办" / "offer another task for more";
    GRANT_OPEN: FailedPrecondition [project, source]
        "{project} 已有 {source} 的在途或在用拨款" / "{project} has an open grant from {source} already"
        next "先结项或撤回原拨款" / "close or withdraw that grant first";
    YEAR_NOT_READY: FailedPrecondition [year, count, names]
        "{year} 年度尚有 {count} 项未办结：{names}" / "{count} things of {year} are open still: {names}"
        next "办结、撤回或驳回所列事项后再提出结账" / "finish, withdraw or reject what is named, then propose again";
    EARLIER_YEAR_OPEN: FailedPrecondition [year, earlier]
        "{earlier} 年度尚未结账，{year} 年度不能先行结账" / "{earlier} is not closed: {year} can't end before it"
        next "先办完 {earlier} 年度结账" / "close {earlier} first";
    NEXT_YEAR_NOT_OPEN: FailedPrecondition [year, next]
        "{year} 年度有结转，而 {next} 年度未开启" / "something of {year} is to be carried over and {next} is not open"
        next "先发布 {next} 年度经费办法" / "publish the funding policy of {next} first";
    YEAR_END_APPROVED: FailedPrecondition [year]
        "{year} 年度结账已批准，不能撤销" / "the end of {year} is approved and can't be given up"
        next "等待结账完成" / "wait until it is done";
}
