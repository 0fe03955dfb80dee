//! The reasons that every service shares. Each service adds its own with [`crate::reasons!`].

crate::reasons! { "linli.common";
    BAD_REQUEST: InvalidArgument [count]
        "请求有 {count} 处不合要求" / "{count} field(s) of the request are not as required"
        next "逐项改正 field_violations 所列字段后重试" / "mend the fields listed in field_violations and call again";
    FILTER_SYNTAX: InvalidArgument [position, expected]
        "filter 第 {position} 个字符处有误，应为 {expected}" / "filter is wrong at character {position}: expected {expected}"
        next "改正 filter 后重试" / "mend the filter and call again";
    PAGE_TOKEN_INVALID: InvalidArgument [cause]
        "page_token 无效（{cause}）" / "the page_token is not valid ({cause})"
        next "从第一页重新查询，且不要改动 filter 与 order_by" / "start again from the first page and keep filter and order_by";
    REQUEST_ID_REUSED: InvalidArgument [request_id]
        "request_id {request_id} 已用于内容不同的请求" / "request_id {request_id} was used for a different request"
        next "新请求请换新的 request_id" / "use a new request_id for a new request";
    UNAUTHENTICATED: Unauthenticated [cause]
        "未提供有效的登录凭证（{cause}）" / "no valid credentials ({cause})"
        next "登录后携带 authorization: Bearer 令牌重试" / "log in and send authorization: Bearer with the token";
    PERMISSION_DENIED: PermissionDenied [permission]
        "没有权限 {permission}，或对象不在您的管辖范围" / "permission {permission} is not yours here, or there is nothing here for you"
        next "请有权人员为您授予角色" / "ask somebody who holds the permission for a role binding";
    NOT_FOUND: NotFound [name]
        "{name} 不存在" / "{name} does not exist"
        next "核对名称" / "check the name";
    ALREADY_EXISTS: AlreadyExists [name]
        "{name} 已存在" / "{name} exists already"
        next "换一个编号，或修改已有的" / "choose another id, or update what exists";
    ETAG_MISMATCH: Aborted [name, etag]
        "{name} 已被他人修改，当前 etag 为 {etag}" / "{name} has changed: its etag is now {etag}"
        next "重新读取后再提交" / "read it again and submit again";
    WRONG_STATE: FailedPrecondition [name, state, verb, allowed]
        "{name} 处于 {state}，不能 {verb}；可以：{allowed}" / "{name} is {state}: {verb} is not possible; allowed: {allowed}"
        next "见 available_actions" / "see available_actions";
    CONFLICT: Aborted []
        "与同时进行的操作冲突" / "this collided with another call"
        next "重试" / "call again";
    BUSY: ResourceExhausted []
        "服务繁忙" / "the service is busy"
        next "按 RetryInfo 所示时间后重试" / "call again after the time in RetryInfo";
    RATE_LIMITED: ResourceExhausted []
        "调用过于频繁" / "too many calls"
        next "按 RetryInfo 所示时间后重试" / "call again after the time in RetryInfo";
    DEADLINE: DeadlineExceeded []
        "超过时限" / "the deadline passed"
        next "用同一 request_id 重试" / "call again with the same request_id";
    UNAVAILABLE: Unavailable [peer]
        "{peer} 暂时不可用" / "{peer} is not available"
        next "稍后用同一 request_id 重试" / "call again later with the same request_id";
    UNKNOWN_METHOD: Unimplemented [method]
        "没有方法 {method}" / "there is no method {method}"
        next "见 /openapi.json 或反射服务" / "see /openapi.json or server reflection";
    INVALID_ENCODING: InvalidArgument [cause]
        "请求无法解码（{cause}）" / "the request could not be decoded ({cause})"
        next "核对内容格式" / "check the encoding of the body";
    AMOUNT_NOT_POSITIVE: InvalidArgument [field]
        "{field} 须大于零" / "{field} must be more than nothing"
        next "填写大于零的金额" / "give an amount above zero";
    AMOUNT_NEGATIVE: InvalidArgument [field]
        "{field} 不能为负" / "{field} must not be below zero"
        next "填写零或大于零的金额" / "give nothing or an amount above zero";
    AMOUNT_NOT_IN_FEN: InvalidArgument [field]
        "{field} 不足一分的部分不能入账" / "{field} has a part below one fen"
        next "金额最多两位小数" / "give two decimals at most";
    AMOUNT_OVERFLOW: InvalidArgument [field]
        "{field} 超出可记账范围" / "{field} is larger than an account can hold"
        next "核对金额" / "check the amount";
    AMOUNT_CURRENCY: InvalidArgument [field]
        "{field} 只能以人民币 CNY 计" / "{field} must be in CNY"
        next "以 CNY 填写金额" / "give the amount in CNY";
    MAKER_IS_CHECKER: FailedPrecondition [name, verb, former]
        "{name} 的 {verb} 须由他人办理：您已办理 {former}" / "{verb} of {name} needs somebody else: you did {former} already"
        next "请另一位有权人员办理" / "ask another person who holds the permission";
    PERSON_NEEDED: FailedPrecondition [name, verb, former]
        "{name} 的 {verb} 与 {former} 须由不同的人办理，而其中一个登录未对应到人" / "{verb} of {name} and {former} need two people, and one of the logins is mapped to no person"
        next "请管理员在角色授予中注明登录所属的人" / "ask an administrator to name the person in the role binding";
    REASON_REQUIRED: InvalidArgument [name, verb]
        "{name} 的 {verb} 须写明理由" / "{verb} of {name} needs a reason"
        next "在 comment 中写明理由" / "say why in comment";
    INTERNAL: Internal []
        "内部错误" / "an internal error"
        next "凭追踪号联系运维人员" / "give the trace id to the operator";
}
