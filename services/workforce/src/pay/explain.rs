//! Lines of a statement on the wire, and in words: made of codes and numbers when they are read.

use chassis::{amount::to_money, wire};
use contracts::linli::workforce::v1 as pb;
use kernel::money::Fen;

use super::{
    rules::{Because, Certificate, Duty, Line, Part},
    scale::{
        self,
        encode::{certificate, duty},
    },
};
use crate::posting::encode::post;

/// Both languages, Chinese first.
pub(super) type Texts = (String, String);

fn post_texts(code: &str) -> (&str, &str) {
    match code {
        "WORKER" => ("社工", "worker"),
        "STEWARD" => ("小管家", "steward"),
        "DIRECTOR" => ("主任", "director"),
        "SECRETARY" => ("书记", "secretary"),
        other => (other, other),
    }
}

fn certificate_texts(kind: Certificate) -> (&'static str, &'static str) {
    match kind {
        Certificate::AssistantSocialWorker => ("助理社会工作师", "assistant social worker"),
        Certificate::SocialWorker => ("社会工作师", "social worker"),
        Certificate::SeniorSocialWorker => ("高级社会工作师", "senior social worker"),
    }
}

fn duty_texts(kind: Duty) -> (&'static str, &'static str) {
    match kind {
        Duty::Rest => ("休息日", "days of rest"),
        Duty::Holiday => ("法定节假日", "holidays"),
    }
}

/// The part of a month; nothing for all of it.
fn part_texts(part: Part) -> Texts {
    match part.days == part.of {
        true => Texts::default(),
        false => (
            format!("，{} 起 {}/{} 天", part.from, part.days, part.of),
            format!(", {} of {} days from {}", part.days, part.of, part.from),
        ),
    }
}

/// A line in words.
pub(super) fn texts(line: &Line) -> Texts {
    let yuan = |fen: i64| Fen::of(fen).to_string();
    match &line.because {
        Because::Base { post, step, monthly_fen, percent, part } => {
            let ((post_zh, post_en), (part_zh, part_en)) = (post_texts(post), part_texts(*part));
            let monthly = yuan(*monthly_fen);
            let (probation_zh, probation_en) = match percent {
                100 => Texts::default(),
                percent => (format!("，试用期 {percent}%"), format!(", {percent} % on probation")),
            };
            (
                format!("基本工资：{post_zh} {step} 级，每月 {monthly} 元{probation_zh}{part_zh}"),
                format!("base: {post_en}, step {step}, {monthly} yuan a month{probation_en}{part_en}"),
            )
        }
        Because::CertificateAllowance { certificate, monthly_fen, part } => {
            let ((zh, en), (part_zh, part_en)) = (certificate_texts(*certificate), part_texts(*part));
            let monthly = yuan(*monthly_fen);
            (
                format!("证书津贴：{zh}，每月 {monthly} 元{part_zh}"),
                format!("certificate: {en}, {monthly} yuan a month{part_en}"),
            )
        }
        Because::PostAllowance { post, monthly_fen, part } => {
            let ((zh, en), (part_zh, part_en)) = (post_texts(post), part_texts(*part));
            let monthly = yuan(*monthly_fen);
            (
                format!("岗位津贴：{zh}，每月 {monthly} 元{part_zh}"),
                format!("post: {en}, {monthly} yuan a month{part_en}"),
            )
        }
        Because::DutyAllowance { duty, each_fen, times } => {
            let ((zh, en), each) = (duty_texts(*duty), yuan(*each_fen));
            (format!("值班津贴：{zh} {times} 天 × {each} 元"), format!("duty: {times} {en} × {each} yuan"))
        }
        Because::Difference { due_fen, paid_fen, .. } => {
            let (due, paid) = (yuan(*due_fen), yuan(*paid_fen));
            let (year, month) = (line.month.year(), line.month.month());
            (
                format!("补差：{year} 年 {month} 月应发 {due} 元，已发 {paid} 元"),
                format!("difference of {year}-{month:02}: due {due} yuan, paid {paid} yuan"),
            )
        }
    }
}

fn of_part(line: pb::PayLine, part: Part) -> pb::PayLine {
    pb::PayLine { start_date: Some(wire::to_date(part.from)), days: part.days, month_days: part.of, ..line }
}

/// A line; `scale` is that of the statement's month.
pub(super) fn line(town: &str, scale: &str, line: &Line) -> pb::PayLine {
    use pb::PayLineKind as Kind;
    let money = |fen: i64| Some(to_money(Fen::of(fen)));
    let (text_zh, text_en) = texts(line);
    let plain = |kind: Kind| pb::PayLine {
        kind: kind.into(),
        month: Some(wire::to_date(line.month)),
        amount: money(line.fen),
        pay_scale: scale::encode::name(town, scale),
        text_zh: text_zh.clone(),
        text_en: text_en.clone(),
        ..Default::default()
    };
    match &line.because {
        Because::Base { post: its_post, step, monthly_fen, percent, part } => {
            let line = pb::PayLine {
                post: post(its_post).into(),
                step: *step,
                unit_amount: money(*monthly_fen),
                percent: i32::try_from(*percent).unwrap_or_default(),
                ..plain(Kind::Base)
            };
            of_part(line, *part)
        }
        Because::CertificateAllowance { certificate: kind, monthly_fen, part } => {
            let line = pb::PayLine {
                certificate_kind: certificate(*kind).into(),
                unit_amount: money(*monthly_fen),
                ..plain(Kind::CertificateAllowance)
            };
            of_part(line, *part)
        }
        Because::PostAllowance { post: its_post, monthly_fen, part } => {
            let line = pb::PayLine {
                post: post(its_post).into(),
                unit_amount: money(*monthly_fen),
                ..plain(Kind::PostAllowance)
            };
            of_part(line, *part)
        }
        Because::DutyAllowance { duty: kind, each_fen, times } => pb::PayLine {
            duty_kind: duty(*kind).into(),
            unit_amount: money(*each_fen),
            days: *times,
            ..plain(Kind::DutyAllowance)
        },
        Because::Difference { due_fen, paid_fen, scale } => pb::PayLine {
            due_amount: money(*due_fen),
            paid_amount: money(*paid_fen),
            pay_scale: scale::encode::name(town, scale),
            ..plain(Kind::Difference)
        },
    }
}
