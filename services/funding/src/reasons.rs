//! The reasons of funding, beside the common ones.

chassis::reasons! { "linli.funding";
    AMOUNT_NOT_POSITIVE: InvalidArgument [field]
        "{field} 须大于零" / "{field} must be more than nothing"
        next "填写大于零的金额" / "give an amount above zero";
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
}
