//! The SQL of partitions.

use chassis::refusal::Refusal;
use kernel::name::CommitteeName;
use sqlx::{FromRow, PgConnection, QueryBuilder};

use crate::{as_of::AsOf, listing::push_as_of};

/// A building of a committee on a day, with how many households it has now.
#[derive(Clone, Debug, FromRow)]
pub(crate) struct Placed {
    pub(crate) building: String,
    pub(crate) block: Option<String>,
    pub(crate) block_name: Option<String>,
    pub(crate) households: i64,
}

/// The buildings of a committee, by block and id.
pub(crate) async fn placed(
    sql: &mut PgConnection,
    committee: &CommitteeName,
    as_of: &AsOf,
) -> Result<Vec<Placed>, Refusal> {
    let mut query = QueryBuilder::new(
        "select p.building, p.block, b.display_name as block_name,
                (select count(*) from household h where h.town = p.town and h.building = p.building) as households
         from building_period p left join block_period b on b.town = p.town and b.block = p.block",
    );
    push_as_of(&mut query, "b", as_of);
    query.push(" where p.town = ").push_bind(committee.town()).push(" and p.committee = ");
    query.push_bind(committee.committee());
    push_as_of(&mut query, "p", as_of);
    query.push(" order by p.block nulls last, p.building");
    Ok(query.build_query_as().fetch_all(sql).await?)
}
