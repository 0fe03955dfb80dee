//! The reasons of workforce, beside the common ones.

chassis::reasons! { "linli.workforce";
    PEER_UNKNOWN: FailedPrecondition [name]
        "{name} 在基础信息中不存在" / "governance knows no {name}"
        next "核对名称，或先在基础信息中登记" / "check the name, or record it in governance first";
    CITIZEN_ID_INVALID: InvalidArgument [field]
        "{field} 不是有效的公民身份号码" / "{field} is no valid identity number"
        next "核对号码" / "check the number";
    CITIZEN_UNKNOWN: FailedPrecondition [field]
        "本镇没有该身份号码的人员" / "nobody of the town has this identity number"
        next "先登记人员" / "record the person first";
    BORN_AFTER_HIRING: InvalidArgument [field]
        "{field} 不晚于出生日期" / "{field} is not after the birth"
        next "核对入职日期与身份号码" / "check the day of hiring and the identity number";
    WORKER_TOO_YOUNG: InvalidArgument [field]
        "{field} 时未满 16 周岁（《劳动法》第十五条）" / "not yet 16 years old on {field} (Labour Law, article 15)"
        next "核对入职日期与身份号码" / "check the day of hiring and the identity number";
    WORKER_EMPLOYED: FailedPrecondition [other]
        "该人员已作为 {other} 在职" / "this person is employed as {other} on those days"
        next "在该记录上办理，或更正其离职日期" / "go on with that worker, or correct when the employment ended";
    NOT_ON_PROBATION: FailedPrecondition [name, date]
        "{name} 已于 {date} 转正" / "{name} is confirmed since {date}"
        next "无须转正" / "there is nothing to confirm";
    OUTSIDE_EMPLOYMENT: FailedPrecondition [name, days]
        "{days} 不在 {name} 的在职期间内" / "{days} lie outside the employment of {name}"
        next "核对日期，或更正在职期间（correct）" / "check the days, or correct the employment (correct)";
    POSTS_OVERLAP: FailedPrecondition [name, days, committee, post]
        "{name} 在 {days} 已任 {committee} 的 {post}" / "{name} holds the post {post} of {committee} on {days}"
        next "调动（transfer），或先免职（endPosting）" / "transfer the worker, or end that post first (endPosting)";
    NO_POST_HELD: FailedPrecondition [name, date]
        "{name} 在 {date} 没有任职" / "{name} holds no post on {date}"
        next "任命（assignPost）" / "give a post (assignPost)";
    POST_QUOTA_FULL: FailedPrecondition [committee, post, date]
        "{committee} 的 {post} 自 {date} 起超出职数" / "more than its quota would hold the post {post} of {committee} from {date} on"
        next "核对岗位职数，见 ListPostQuotas" / "look at the quotas: ListPostQuotas";
    ABSENCE_OVERLAP: FailedPrecondition [name, other]
        "{name} 在这些日期已有请假 {other}" / "{name} is away on some of those days: {other}"
        next "核对日期，或先销假（cancel）" / "check the days, or cancel the other first";
    ABSENCE_CANCELLED: FailedPrecondition [name]
        "{name} 已销假" / "{name} was cancelled before"
        next "无须重复办理" / "there is nothing left to cancel";
    CERTIFICATE_NUMBER_USED: AlreadyExists [other]
        "该证书编号已登记为 {other}" / "the number stands on {other} already"
        next "核对编号" / "check the number";
    CERTIFICATE_VOID: FailedPrecondition [name]
        "{name} 已作废" / "{name} is void already"
        next "无须重复办理" / "there is nothing left to do";
    PAY_SCALE_MISSING: FailedPrecondition [month]
        "{month} 没有已审批的薪酬标准" / "no approved pay scale holds for {month}"
        next "先审批薪酬标准（approvePayScale）" / "approve a pay scale first (approvePayScale)";
    PAY_RUN_OPEN: FailedPrecondition [name, month]
        "薪酬核算 {name} 尚未审批，不能开始 {month}" / "the pay run {name} is not decided yet; {month} can't begin"
        next "审批（approve）或作废（cancel）该核算" / "approve or cancel that run first";
    PAY_MONTH_APPROVED: FailedPrecondition [name, month]
        "{month} 或以后月份的薪酬已由 {name} 审批" / "the pay of {month} or a later month was approved with {name}"
        next "更正计入下一月份的补差" / "what is corrected is a difference in the next month's run";
    ROTA_COMMITTEE_EMPTY: FailedPrecondition [committee, days]
        "{committee} 在 {days} 没有任职人员" / "nobody holds a post of {committee} on {days}"
        next "先任命人员，或不将该居委会列入" / "give somebody a post there, or leave the committee out";
    ROTA_OVERLAPS: FailedPrecondition [other, committee]
        "{committee} 在这些日期已有值班表 {other}" / "{committee} has {other} for some of those days"
        next "先作废草稿（discard），或在 replaces 中写明要替代的值班表" / "discard the draft, or name the published rota in replaces";
    ROTA_REPLACES_OTHER: FailedPrecondition [name, other]
        "{name} 不能替代 {other}" / "{name} can't replace {other}"
        next "只能替代已发布、居委会相同、结束日期相同、且不晚开始的值班表" / "replace a published rota of the same committees with the same last day that begins no later";
    ROTA_CALENDAR_CHANGED: FailedPrecondition [name, days]
        "{name} 编制后，日历已变更：{days}" / "the calendar has changed since {name} was made: {days}"
        next "作废后重新编制" / "discard it and generate it again";
    ROTA_UNCOVERED: FailedPrecondition [name, duties]
        "{name} 有无人值班的时段：{duties}" / "{name} has duties without a worker: {duties}"
        next "安排人员（assign），或在 accepted_gaps 中逐一列明并说明理由" / "assign somebody, or name each of them in accepted_gaps and say why";
    ROTA_BROKEN: FailedPrecondition [name, duties]
        "{name} 中有人员不能值班：{duties}" / "workers of {name} can't be on duty: {duties}"
        next "改派（assign）" / "assign others";
    DUTY_IMPOSSIBLE: FailedPrecondition [name, worker, violations]
        "{worker} 不能承担 {name}：{violations}" / "{worker} can't take {name}: {violations}"
        next "改派他人" / "choose somebody else";
    DUTY_VIOLATES: FailedPrecondition [name, worker, violations]
        "{worker} 承担 {name} 违反：{violations}" / "{worker} on {name} violates: {violations}"
        next "改派他人，或在 accepted_violations 中写明" / "choose somebody else, or name it in accepted_violations";
    DUTY_NOT_HELD: FailedPrecondition [name]
        "{name} 没有值班人员" / "nobody is on {name}"
        next "核对值班" / "look at the duty";
    DUTY_NOT_IN_FORCE: FailedPrecondition [name]
        "{name} 未发布或已被替代" / "{name} isn't published, or was replaced"
        next "核对值班表" / "look at its rota";
    DUTY_SWAP_OPEN: FailedPrecondition [name, other]
        "{name} 已有换班申请 {other}" / "a swap of {name} is open: {other}"
        next "先撤回（withdraw）该申请" / "withdraw that one first";
    DUTY_SWAP_STALE: FailedPrecondition [name]
        "{name} 提出后，值班人员已变更" / "the workers of the duties have changed since {name} was proposed"
        next "撤回后重新申请" / "withdraw it and propose another";
    COURSE_IS_ASKED: FailedPrecondition [name, target]
        "{target} 要求通过 {name}，不能取消其考核" / "{target} asks to pass {name}: its exam can't be taken away"
        next "先修改学时要求（SetTrainingTarget）" / "change the target first (SetTrainingTarget)";
    COURSE_WITHOUT_EXAM: FailedPrecondition [courses]
        "没有考核或不存在的课程：{courses}" / "courses that have no exam, or don't exist: {courses}"
        next "先为课程设定合格分" / "give the course a pass mark first";
    COURSE_NOT_OPEN: FailedPrecondition [name, state]
        "{name} 未开设（{state}）" / "{name} is not open: {state}"
        next "先开设课程（openCourse）" / "open the course first (openCourse)";
    SESSION_IN_PAST: InvalidArgument [field, date]
        "{field} 早于今日 {date}" / "{field} lies before today, {date}"
        next "核对日期" / "check the day";
    SESSION_NOT_BEGUN: FailedPrecondition [name, date]
        "{name} 在 {date} 才举办" / "{name} is on {date}"
        next "在举办当日或之后办理" / "do it on that day or later";
    SESSION_NOT_PLANNED: FailedPrecondition [name, state]
        "{name} 不再接受报名变动（{state}）" / "{name} takes and loses no learners any more: {state}"
        next "另选班次" / "choose another session";
    SESSION_NOT_HELD: FailedPrecondition [name, state]
        "{name} 未举办（{state}）" / "{name} was not held: {state}"
        next "先登记班次已举办（hold）" / "say first that it was held (hold)";
    SESSION_FULL: FailedPrecondition [name, capacity]
        "{name} 的 {capacity} 个名额已满" / "the {capacity} places of {name} are taken"
        next "另选班次" / "choose another session";
    ENROLMENT_OVER: FailedPrecondition [name, date]
        "{name} 已于 {date} 截止报名" / "enrolment for {name} ended on {date}"
        next "另选班次" / "choose another session";
    ENROLLED_ALREADY: FailedPrecondition [name, other]
        "已报名 {name}：{other}" / "enrolled in {name} already: {other}"
        next "无须重复报名" / "there is nothing to do";
    ATTENDANCE_TOO_LONG: InvalidArgument [field, minutes]
        "{field} 超过班次的 {minutes} 分钟" / "{field} is more than the {minutes} minutes of the session"
        next "核对分钟数" / "check the minutes";
    TRAINING_DATE_OUTSIDE: InvalidArgument [field, start, end]
        "{field} 应在 {start} 至 {end} 之间" / "{field} must lie from {start} to {end}"
        next "核对日期" / "check the day";
    NO_EXAM: FailedPrecondition [name]
        "{name} 没有考核" / "{name} has no exam"
        next "无须登记成绩" / "there is no mark to record";
    ATTEMPTS_USED: FailedPrecondition [name, attempts]
        "{name} 的 {attempts} 次考核机会已用完" / "all {attempts} attempts of {name} are used"
        next "重新报名参加培训" / "enrol in another session";
    FEEDBACK_GIVEN: FailedPrecondition [name]
        "{name} 已评价" / "{name} was given feedback already"
        next "无须重复评价" / "there is nothing to do";
    EXAM_LEVEL_HELD: FailedPrecondition [name, level]
        "{name} 已取得同级或更高资格 {level}" / "{name} holds this level or a higher one already: {level}"
        next "选择更高级别" / "choose a higher level";
    EXAM_LEVEL_TOO_HIGH: FailedPrecondition [name, level]
        "{name} 须先取得 {level}" / "{name} must hold {level} first"
        next "先取得该级别证书，或登记已有证书（CreateCertificate）" / "pass that level first, or record the certificate that is held (CreateCertificate)";
    EXAM_YEAR_TAKEN: FailedPrecondition [name, other]
        "{name} 该年度已报考：{other}" / "{name} is registered for that year already: {other}"
        next "先撤回（withdraw）" / "withdraw that registration first (withdraw)";
    EXAM_YEAR_OVER: InvalidArgument [field, date]
        "{field} 早于今年（今日 {date}）" / "{field} lies before this year, today being {date}"
        next "核对考试年度" / "check the year of the exam";
    GROWTH_STEP_OVER: FailedPrecondition [name, state]
        "{name} 已结束（{state}）" / "{name} is over: {state}"
        next "无须重复办理" / "there is nothing left to do";
    GROWTH_STEP_BY_ITSELF: FailedPrecondition [name]
        "{name} 随证书自动完成" / "{name} is done by itself when the certificate is there"
        next "登记考核成绩或证书" / "record the exam or the certificate";
}
