//! Posts on the wire.

use chassis::{
    fields, history,
    refusal::{FieldFault, Refusal},
    wire,
};
use contracts::linli::workforce::v1 as pb;
use kernel::{
    filter::{FieldSpec, Kind as Type},
    state::Named,
};

use super::{
    rules::{Facts, Kind, Post},
    store::View,
};

const fn field(name: &'static str, column: &'static str, kind: Type) -> FieldSpec {
    FieldSpec { name, column, kind }
}

/// What a List may ask for.
pub(crate) const FILTER: &[FieldSpec] = &[
    field("worker", "p.worker", Type::Name { collection: "workers", town: "p.town" }),
    field("committee", "p.committee", Type::Name { collection: "committees", town: "p.town" }),
    field("post", "p.post", Type::Enum(Post::NAMES)),
    field("kind", "p.kind", Type::Enum(Kind::NAMES)),
    field("start_date", "lower(p.valid)", Type::Date),
];

/// The fields of a List of quotas.
pub(crate) const QUOTAS: &[FieldSpec] = &[
    field("committee", "c.committee", Type::Name { collection: "committees", town: "c.town" }),
    field("post", "c.post", Type::Enum(Post::NAMES)),
];

/// A post by its name here.
pub(crate) fn post(name: &str) -> pb::Post {
    pb::Post::from_str_name(&format!("POST_{name}")).unwrap_or_default()
}

/// A kind of entry by its name here.
pub(crate) fn kind(name: &str) -> pb::PostingKind {
    pb::PostingKind::from_str_name(&format!("POSTING_KIND_{name}")).unwrap_or_default()
}

/// The name of a committee by its id; nothing for a gap.
pub(crate) fn committee(town: &str, id: &str) -> String {
    if id.is_empty() { String::new() } else { format!("towns/{town}/committees/{id}") }
}

/// The post that a request names.
pub(crate) fn read_post(field: &str, given: i32) -> Result<Post, FieldFault> {
    let name = pb::Post::try_from(given).unwrap_or_default().as_str_name();
    Post::from_name(name.trim_start_matches("POST_"))
        .ok_or_else(|| FieldFault::new(field, "REQUIRED", "必填", "required"))
}

/// A post of a committee, as a request names it; `prefix` is the message that holds both fields.
pub(crate) fn facts(prefix: &str, town: &str, committee: &str, post: i32) -> Result<Facts, Vec<FieldFault>> {
    let field = |name: &str| if prefix.is_empty() { name.to_owned() } else { format!("{prefix}.{name}") };
    let committee = fields::committee_id(&field("committee"), town, committee);
    match (committee, read_post(&field("post"), post)) {
        (Ok(committee), Ok(post)) => Ok(Facts::held(&committee, post.name())),
        (committee, post) => Err(committee.err().into_iter().chain(post.err()).collect()),
    }
}

/// An entry.
pub(crate) fn posting(view: &View) -> Result<pb::Posting, Refusal> {
    let day = |text: &str| history::day(text).map(wire::to_date);
    Ok(pb::Posting {
        name: view.name(),
        worker: format!("towns/{}/workers/{}", view.town, view.worker),
        kind: kind(&view.kind).into(),
        committee: committee(&view.town, &view.committee),
        post: post(&view.post).into(),
        start_date: Some(day(&view.starts)?),
        end_date: view.ends.as_deref().map(day).transpose()?,
        reason: view.reason.clone(),
        record_time: Some(wire::to_timestamp(view.recorded)),
        supersede_time: view.superseded.map(wire::to_timestamp),
    })
}
