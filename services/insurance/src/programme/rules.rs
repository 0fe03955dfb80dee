//! The rules of programmes 险种. Pure.

use kernel::{
    named,
    state::{Row, Table},
};

named! {
    /// The life of a programme.
    pub(crate) State {
        /// Policies may be signed under it 有效.
        Active = "ACTIVE",
        /// It was taken away 已删除.
        Deleted = "DELETED",
    }
}

named! {
    /// What is done with a programme.
    pub(crate) Verb {
        /// Recorded.
        Create = "create",
        /// Changed.
        Update = "update",
        /// Taken away.
        Delete = "delete",
        /// Brought back.
        Undelete = "undelete",
    }
}

/// The life of a programme.
pub(crate) static TABLE: Table<State, Verb> = Table {
    resource: "programme",
    rows: &[
        Row::new(None, Verb::Create, State::Active, "insurance.programmes.create", &[]),
        Row::new(
            Some(State::Active),
            Verb::Update,
            State::Active,
            "insurance.programmes.update",
            &["its rank as long as no policy was signed"],
        ),
        Row::new(
            Some(State::Active),
            Verb::Delete,
            State::Deleted,
            "insurance.programmes.delete",
            &["it has no policies"],
        ),
        Row::new(
            Some(State::Deleted),
            Verb::Undelete,
            State::Active,
            "insurance.programmes.delete",
            &["its rank is free"],
        ),
    ],
};

/// What a programme is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Programme {
    /// The name as shown.
    pub(crate) display_name: String,
    /// The lower pays first.
    pub(crate) rank: i32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_stands() {
        assert!(TABLE.faults().is_empty());
    }
}
