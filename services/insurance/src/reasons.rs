//! The reasons of insurance, beside the common ones.

chassis::reasons! { "linli.insurance";
    PEER_UNKNOWN: FailedPrecondition [name]
        "{name} 在基础信息中不存在" / "governance knows no {name}"
        next "核对名称，或先在基础信息中登记" / "check the name, or record it in governance first";
    CITIZEN_ID_INVALID: InvalidArgument [field]
        "{field} 不是有效的公民身份号码" / "{field} is no valid identity number"
        next "核对号码" / "check the number";
    CITIZEN_UNKNOWN: FailedPrecondition [field]
        "本镇没有该身份号码的人员" / "nobody of the town has this identity number"
        next "先登记人员" / "record the person first";
    EVENT_IN_FUTURE: InvalidArgument [field]
        "{field} 晚于今天" / "{field} is after today"
        next "核对日期" / "check the day";
    CLAIM_BEFORE_EVENT: FailedPrecondition [incident, happened]
        "报案日早于 {incident} 的出险日 {happened}" / "reported before {incident} happened on {happened}"
        next "核对报案日期" / "check the day of the report";
    CLAIM_INCIDENT_OF_ANOTHER: FailedPrecondition [incident]
        "{incident} 的出险人不是该被保险人" / "{incident} met somebody else than the insured"
        next "选择该人的出险事件，或先登记" / "name the incident of the insured, or report it first";
    CLAIM_OF_ANOTHER_DAY: FailedPrecondition [incident, happened, said]
        "{incident} 的出险日是 {happened}，不是 {said}" / "{incident} happened on {happened}, not on {said}"
        next "选择当日的出险事件，或先登记" / "name the incident of that day, or report it first";
    CLAIMANT_NOT_OF_HOUSEHOLD: FailedPrecondition [household, happened]
        "被保险人出险日 {happened} 不居住在 {household}" / "the insured did not live in {household} on {happened}"
        next "由居住在该户的人员索赔" / "let somebody who lived there claim";
    CLAIM_HOUSEHOLD_NEEDED: FailedPrecondition [peril]
        "{peril} 的保障对象是房屋，须注明户" / "{peril} is about a dwelling: the household is needed"
        next "填写 household" / "fill in household";
    CLAIM_ABOVE_SUM_INSURED: FailedPrecondition [amount, sum]
        "申报 {amount} 元，超过保险金额 {sum} 元" / "{amount} yuan are claimed, the sum insured is {sum}"
        next "核对金额" / "check the amount";
    ASSESSED_ABOVE_CLAIMED: FailedPrecondition [name, assessed, claimed]
        "{name} 定损 {assessed} 元，超过申报 {claimed} 元" / "{name} is assessed at {assessed} yuan, {claimed} were claimed"
        next "先更正申报损失，或核对定损" / "correct the claimed loss first, or check the assessment";
    ASSESSMENT_NEEDED: FailedPrecondition [name]
        "{name} 须有定损金额或伤残等级" / "{name} needs an assessed loss, or a grade of disability"
        next "填写 assessed_amount 或 disability_grade" / "fill in assessed_amount or disability_grade";
    DUPLICATE_CLAIM: FailedPrecondition [name, other]
        "{name} 与已受理的 {other} 为同一损失" / "{name} is for the loss that {other} is accepted for"
        next "不予受理（dismiss），或在 {other} 中补充" / "dismiss it, or add to {other}";
    INCIDENT_NOT_VERIFIED: FailedPrecondition [name, incident]
        "{name} 的 {incident} 尚未核实" / "{incident} of {name} is not verified yet"
        next "先核实出险（verify）" / "verify the incident first";
    DOCUMENTS_MISSING: FailedPrecondition [name, kinds]
        "{name} 缺少索赔材料：{kinds}" / "{name} lacks documents: {kinds}"
        next "通知补正（requestDocuments），或以 without_documents 拒赔" / "ask for them (requestDocuments), or decide without_documents";
    CLAIM_OF_ONES_OWN: FailedPrecondition [name, verb]
        "{name} 是您本人的案件，{verb} 须由他人办理" / "{name} is your own: {verb} is for somebody else"
        next "请另一位有权人员办理" / "ask another person who holds the permission";
    NOTHING_TO_PAY: FailedPrecondition [name]
        "{name} 未核定赔付" / "nothing is to be paid for {name}"
        next "可申请复议（appeal），或期满结案（close）" / "appeal, or close it when the term is over";
    NOTHING_TO_APPEAL: FailedPrecondition [name]
        "{name} 已全部核定赔付" / "all of {name} is approved"
        next "无须复议" / "there is nothing to appeal against";
    APPEALED_BEFORE: FailedPrecondition [name]
        "{name} 已复议过一次" / "{name} was appealed before, and can be once"
        next "复议决定为最终决定" / "the decision on the appeal is the last";
    APPEAL_OVER: FailedPrecondition [name, due]
        "{name} 的复议期限 {due} 已过" / "{name} could be appealed until {due}"
        next "事实有误的，请镇社区办重新核赔（reopen）" / "where a fact is wrong, ask the town to reopen it";
    APPEAL_OPEN: FailedPrecondition [name, due]
        "{name} 可复议至 {due}，此前不能结案" / "{name} can be appealed until {due} and isn't closed before"
        next "期满次日起结案" / "close it from the day after on";
    CLAIM_NOTICE_RUNNING: FailedPrecondition [name, due]
        "{name} 公示至 {due}，期满前不赔付" / "the notice of {name} lasts until {due}: nothing is paid before"
        next "公示期满次日起赔付" / "pay from the day after on";
    CLAIM_NOTICE_OVER: FailedPrecondition [name, due]
        "{name} 的公示已于 {due} 期满" / "the notice of {name} was over on {due}"
        next "向镇社区办反映" / "tell the town's office";
    CLAIM_OBJECTED: FailedPrecondition [name, count]
        "{name} 有 {count} 条异议未答复，暂停赔付" / "{count} objection(s) to {name} wait for an answer: the payment is held"
        next "先答复异议（answerObjection）" / "answer them first (answerObjection)";
    CLAIM_OBJECTION_NOT_OPEN: FailedPrecondition [name, objection]
        "{name} 没有待答复的异议 {objection}" / "{name} has no open objection {objection}"
        next "见 objections" / "see objections";
    CLAIM_PAID: FailedPrecondition [name, verb]
        "{name} 已有赔付，不能 {verb}" / "something of {name} is paid: {verb} is not possible any more"
        next "与保险人联系" / "turn to the insurer";
    PAYMENT_UNCONFIRMED: FailedPrecondition [name]
        "{name} 尚未赔付并确认到账" / "{name} is not paid and confirmed yet"
        next "赔付后由家庭确认（confirmPayment）" / "have the household confirm the payment (confirmPayment)";
    PAYMENT_CONFIRMED: FailedPrecondition [name]
        "{name} 的赔付已确认到账" / "what was paid for {name} is confirmed already"
        next "无须再确认" / "there is nothing left to confirm";
    NOTHING_TO_REVERSE: FailedPrecondition [name]
        "{name} 没有这笔可冲正的赔付" / "{name} has no such payment that could be taken back"
        next "核对赔付序号，见 payments" / "check the number of the payment: see payments";
    PAYMENT_REVERSED: FailedPrecondition [name, by]
        "{name} 的该笔赔付已由第 {by} 笔冲正" / "this payment of {name} was taken back by number {by}"
        next "一笔赔付只能冲正一次" / "a payment is taken back once";
    PAID_ABOVE_DECISION: FailedPrecondition [name, programme, paid, now]
        "{name} 的 {programme} 已赔付 {paid} 元，重新核定为 {now} 元" / "{programme} has paid {paid} yuan for {name}, and {now} would be decided"
        next "先冲正赔付（reversePayment）再核赔，或按已付结案（close）" / "take the payment back first (reversePayment), or close the claim with what was paid (close)";
    CLAIM_TO_BE_DECIDED: FailedPrecondition [name]
        "{name} 应重新核赔，不能按已付结案" / "{name} is to be decided anew and can't be closed with what was paid"
        next "核赔（adjudicate）" / "adjudicate it";
    PAYMENT_NOT_OF_CLAIM: FailedPrecondition [name, programme]
        "{name} 的 {programme} 没有待赔付金额" / "{name} has nothing to be paid by {programme}"
        next "核对项目，见最后一次核赔明细" / "check the programme: see the lines of the last decision";
    PAYMENT_MADE: FailedPrecondition [name, programme]
        "{name} 的 {programme} 已赔付" / "{programme} has paid {name} already"
        next "无须重复赔付" / "there is nothing left to pay";
    AMOUNT_DIFFERS: FailedPrecondition [name, amount, approved]
        "{name} 待赔付 {approved} 元，而非 {amount} 元" / "{approved} yuan are to be paid for {name}, not {amount}"
        next "按核定未付的金额赔付" / "pay what is approved and not paid yet";
    PAYMENT_DIFFERS: FailedPrecondition [name, programme, approved, now, rule]
        "{name} 复核后 {programme} 应付 {now} 元（{rule}），原核定 {approved} 元，暂停赔付" / "adjudicated again, {programme} pays {now} yuan for {name} ({rule}) instead of {approved}: the payment stops"
        next "核实变动的事实后重新核赔（reopen）" / "look at the fact that changed and reopen the claim";
    REFERENCE_USED: FailedPrecondition [reference]
        "赔付流水号 {reference} 已使用" / "payment reference {reference} was used before"
        next "核对流水号" / "check the reference";
    CAP_EXCEEDED: FailedPrecondition [name]
        "{name} 的赔付会超过限额" / "a limit would be passed by {name}"
        next "重新核赔" / "adjudicate again";
    PAYMENT_FILE_UNREADABLE: InvalidArgument [count]
        "赔付回单有 {count} 处不合要求" / "{count} place(s) of the payment file are not as required"
        next "逐项改正 field_violations 所列各处后重传" / "mend the places listed in field_violations and send it again";
    PAYMENT_FILE_KNOWN: AlreadyExists [name]
        "该文件已读入为 {name}" / "this file was read as {name}"
        next "无须重传" / "there is nothing to send again";
    DOCUMENT_TOO_LARGE: InvalidArgument [limit]
        "文件超过 {limit} 字节" / "the file is larger than {limit} bytes"
        next "压缩或拆分后再上传；上传的内容不得多于登记的大小" / "make it smaller or split it; no more can be written than was declared";
    DOCUMENTS_TOO_MANY: FailedPrecondition [owner, limit]
        "{owner} 已有 {limit} 份材料" / "{owner} has {limit} documents already"
        next "放弃未完成的上传，或作废多余的材料" / "delete uploads that aren't finished, or void what is superfluous";
    DOCUMENT_DECIDED_ON: FailedPrecondition [name, owner]
        "{name} 是 {owner} 核赔决定的依据，不得作废" / "the decision on {owner} rests on {name}"
        next "重新核赔（reopen）后再作废" / "void it once the claim is reopened";
    DOCUMENT_OFFSET: FailedPrecondition [name, offset]
        "{name} 的下一分片须从第 {offset} 字节开始" / "the next part of {name} begins at byte {offset}"
        next "从该处继续上传" / "go on from there";
    DOCUMENT_MISMATCH: FailedPrecondition [name, fields]
        "{name} 与登记不符：{fields}" / "{name} is not as it was declared: {fields}"
        next "大小不足时继续上传；否则放弃（delete）后重新登记" / "write what is missing of its size; otherwise delete it and declare it anew";
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
    INCIDENT_KNOWN: AlreadyExists [name, number]
        "同一人、险种、日期、地点的出险已登记为 {number}（{name}）" / "the same person, peril, day and place was reported before: {number} ({name})"
        next "在已登记的出险上继续办理" / "go on with the incident that is there";
    EVENT_OF_ANOTHER_DAY: FailedPrecondition [event, happened]
        "{event} 发生于 {happened}，不是同日的事故" / "{event} happened on {happened}, on another day"
        next "一次事故只有一个出险日；选择同日的出险，或不填 event" / "an event has one day: name an incident of the same day, or none";
    EVENT_KNOWN: FailedPrecondition [event]
        "当日该地点的出险属于事故 {event}" / "what happened there on that day is the event {event}"
        next "填写该事故，或不填 event" / "name that event, or none";
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
    CLAIM_DECIDED: FailedPrecondition [name, verb]
        "{name} 已拒赔或已复议，不能 {verb}" / "{name} was rejected or appealed: {verb} is not possible any more"
        next "申请复议（appeal），或期满结案（close）" / "appeal against it, or close it when the term is over";
}
