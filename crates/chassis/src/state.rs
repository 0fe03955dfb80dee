//! State tables at work: transitions refused with what is allowed, and `available_actions`.

use contracts::linli::common::v1::{AvailableAction, Obstacle};
use kernel::state::{Named, Table, WrongState};

use crate::{
    ambient::{Ambient, Language},
    call::Call,
    identity::Scope,
    refusal::{Refusal, WRONG_STATE},
};

/// The state after `verb`, or WRONG_STATE for `name`.
///
/// # Errors
/// WRONG_STATE with the state it is in and the verbs that it allows.
pub fn transition<S: Named, V: Named>(
    table: &Table<S, V>,
    name: &str,
    from: S,
    verb: V,
) -> Result<S, Refusal> {
    table.next(from, verb).map_err(|WrongState { from, verb, allowed }| {
        let allowed = if allowed.is_empty() { "-".to_owned() } else { allowed.join(", ") };
        Refusal::new(&WRONG_STATE)
            .with("name", name)
            .with("state", from)
            .with("verb", verb)
            .with("allowed", &allowed)
            .violating("STATE", name, format!("{from}: {allowed}"))
    })
}

/// What keeps the caller from a verb that state and permission allow, told in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hindrance {
    /// Whether somebody else must do it, or something comes first.
    pub obstacle: Obstacle,
    /// In Chinese.
    pub zh: String,
    /// In English.
    pub en: String,
}

impl Hindrance {
    /// Told as the refusal of the verb would tell it.
    pub fn of(obstacle: Obstacle, refusal: &Refusal) -> Hindrance {
        let (zh, en) = refusal.texts();
        Hindrance { obstacle, zh, en }
    }

    /// Told in words of its own.
    pub fn new(obstacle: Obstacle, zh: &str, en: &str) -> Hindrance {
        Hindrance { obstacle, zh: zh.to_owned(), en: en.to_owned() }
    }
}

/// What the caller can do with a resource in `state`, and why not what he can't. `sees` says whether a scope holds
/// the resource.
pub fn available<S: Named, V: Named>(
    table: &Table<S, V>,
    state: S,
    call: &Call,
    town: &str,
    sees: impl Fn(&Scope) -> bool,
) -> Vec<AvailableAction> {
    available_unless(table, state, call, town, sees, |_| None)
}

/// The same, where more than state and permission stands in the way: four eyes, a missing piece.
pub fn available_unless<S: Named, V: Named>(
    table: &Table<S, V>,
    state: S,
    call: &Call,
    town: &str,
    sees: impl Fn(&Scope) -> bool,
    hindered: impl Fn(V) -> Option<Hindrance>,
) -> Vec<AvailableAction> {
    let chinese = Ambient::current().language == Language::Chinese;
    let verbs = V::ALL.iter().filter_map(|verb| {
        table.rows.iter().find(|row| row.verb == *verb && row.from.is_some() && row.is_called())
    });
    verbs
        .map(|row| {
            let known = table.next(state, row.verb);
            let permitted = sees(&call.may(row.permission, town));
            let (obstacle, explanation) = match (known, permitted) {
                (Ok(_), true) => match hindered(row.verb) {
                    None => (Obstacle::Unspecified, String::new()),
                    Some(Hindrance { obstacle, zh, en }) => (obstacle, if chinese { zh } else { en }),
                },
                (Err(wrong), _) if chinese => (Obstacle::State, format!("当前状态 {} 不能执行", wrong.from)),
                (Err(wrong), _) => (Obstacle::State, wrong.to_string()),
                (Ok(_), false) if chinese => (Obstacle::Permission, format!("缺少权限 {}", row.permission)),
                (Ok(_), false) => (Obstacle::Permission, format!("permission {} is missing", row.permission)),
            };
            AvailableAction {
                verb: row.verb.name().to_owned(),
                allowed: obstacle == Obstacle::Unspecified,
                obstacle: obstacle.into(),
                explanation,
            }
        })
        .collect()
}
