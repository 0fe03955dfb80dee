//! The SQL of communities.

use chassis::{identity::Scope, paging, refusal::Refusal};
use kernel::{filter::Predicate, name::CommunityName};
use sqlx::{FromRow, PgConnection, QueryBuilder};

/// A community.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Community {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) display_name: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
}

const COLUMNS: &str = "select c.town, c.id, c.display_name, c.version, (extract(epoch from c.created) * 1000000)::bigint as created,
    (extract(epoch from c.updated) * 1000000)::bigint as updated from community c where c.town = ";

/// What a List is asked.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    pub(crate) town: &'a str,
    /// Only this one.
    pub(crate) id: Option<&'a str>,
    pub(crate) scope: &'a Scope,
    pub(crate) filter: &'a Predicate,
    pub(crate) descending: bool,
    pub(crate) after: Option<&'a str>,
    pub(crate) limit: i64,
    /// Locks what is found.
    pub(crate) lock: bool,
}

/// Communities that the caller sees: his own, and those in which he has a committee or block today.
pub(crate) async fn list(sql: &mut PgConnection, asked: &Asked<'_>) -> Result<Vec<Community>, Refusal> {
    let mut query = QueryBuilder::new(COLUMNS);
    query.push_bind(asked.town.to_owned());
    if let Some(id) = asked.id {
        query.push(" and c.id = ").push_bind(id.to_owned());
    }
    if !asked.scope.is_town() {
        let (communities, committees, blocks) = asked.scope.ids();
        query.push(" and (c.id = any(").push_bind(communities.to_vec());
        query.push(") or exists (select from committee_period p where p.town = c.town and p.community = c.id and upper_inf(p.recorded)");
        query.push(" and (p.committee = any(").push_bind(committees.to_vec());
        query.push(") or p.committee in (select b.committee from block_period b where b.town = c.town and upper_inf(b.recorded) and b.block = any(");
        query.push_bind(blocks.to_vec()).push(")))))");
    }
    query.push(" and ");
    paging::push_predicate(&mut query, asked.filter);
    if let Some(after) = asked.after {
        query
            .push(if asked.descending { " and c.id < " } else { " and c.id > " })
            .push_bind(after.to_owned());
    }
    query
        .push(if asked.descending { " order by c.id desc limit " } else { " order by c.id limit " })
        .push_bind(asked.limit);
    if asked.lock {
        query.push(" for update of c");
    }
    Ok(query.build_query_as().fetch_all(sql).await?)
}

/// Creates a community; `false` when the id is taken.
pub(crate) async fn create(
    sql: &mut PgConnection,
    name: &CommunityName,
    display_name: &str,
) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into community (town, id, display_name) select town, $2, $3 from town where town = $1 on conflict do nothing",
        name.town(),
        name.community(),
        display_name,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Renames a community; the next version.
pub(crate) async fn update(
    sql: &mut PgConnection,
    name: &CommunityName,
    display_name: &str,
) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update community set display_name = $3, version = version + 1, updated = clock_timestamp()
         where town = $1 and id = $2 returning version",
        name.town(),
        name.community(),
        display_name,
    );
    Ok(version.fetch_one(sql).await?)
}
