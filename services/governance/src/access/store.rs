//! The SQL of role bindings.

use chassis::refusal::Refusal;
use kernel::name::RoleBindingName;
use sqlx::PgConnection;

/// A role binding.
#[derive(Clone, Debug)]
pub(crate) struct Binding {
    pub(crate) town: String,
    pub(crate) id: String,
    pub(crate) member: String,
    pub(crate) role: String,
    pub(crate) area: String,
    pub(crate) person: String,
    pub(crate) version: i64,
    pub(crate) created: i64,
    pub(crate) updated: i64,
    pub(crate) deleted: Option<i64>,
}

/// A binding, withdrawn or not.
pub(crate) async fn get(sql: &mut PgConnection, name: &RoleBindingName) -> Result<Option<Binding>, Refusal> {
    let row = sqlx::query_as!(
        Binding,
        r#"select town, id, member, role, area, person, version, (extract(epoch from created) * 1000000)::bigint as "created!",
                  (extract(epoch from updated) * 1000000)::bigint as "updated!", (extract(epoch from deleted) * 1000000)::bigint as deleted
           from role_binding where town = $1 and id = $2"#,
        name.town(),
        name.role_binding(),
    );
    Ok(row.fetch_optional(sql).await?)
}

/// A page of the bindings that hold.
pub(crate) async fn list(
    sql: &mut PgConnection,
    town: &str,
    after: Option<&str>,
    limit: i64,
) -> Result<Vec<Binding>, Refusal> {
    let rows = sqlx::query_as!(
        Binding,
        r#"select town, id, member, role, area, person, version, (extract(epoch from created) * 1000000)::bigint as "created!",
                  (extract(epoch from updated) * 1000000)::bigint as "updated!", (extract(epoch from deleted) * 1000000)::bigint as deleted
           from role_binding where town = $1 and deleted is null and ($2::text is null or id > $2) order by id limit $3"#,
        town,
        after,
        limit,
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Creates a binding; `false` when the same one holds already, or the town isn't there.
pub(crate) async fn create(sql: &mut PgConnection, binding: &Binding) -> Result<bool, Refusal> {
    let done = sqlx::query!(
        "insert into role_binding (town, id, member, role, area, person) select town, $2, $3, $4, $5, $6 from town where town = $1
         on conflict do nothing",
        binding.town,
        binding.id,
        binding.member,
        binding.role,
        binding.area,
        binding.person,
    );
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// Withdraws a binding of this version; `None` when it has another one.
pub(crate) async fn withdraw(sql: &mut PgConnection, name: &RoleBindingName) -> Result<i64, Refusal> {
    let version = sqlx::query_scalar!(
        "update role_binding set deleted = clock_timestamp(), updated = clock_timestamp(), version = version + 1
         where town = $1 and id = $2 returning version",
        name.town(),
        name.role_binding(),
    );
    Ok(version.fetch_one(sql).await?)
}

/// Locks a binding.
pub(crate) async fn lock(sql: &mut PgConnection, name: &RoleBindingName) -> Result<Option<Binding>, Refusal> {
    sqlx::query!(
        "select version from role_binding where town = $1 and id = $2 for update",
        name.town(),
        name.role_binding()
    )
    .fetch_optional(&mut *sql)
    .await?;
    get(sql, name).await
}

/// Role, area and person of every binding that holds for these members.
pub(crate) async fn of_members(
    sql: &mut PgConnection,
    members: &[String],
) -> Result<Vec<(String, String, String)>, Refusal> {
    let rows = sqlx::query!(
        "select role, area, person from role_binding where member = any($1) and deleted is null",
        members
    );
    Ok(rows.fetch_all(sql).await?.into_iter().map(|row| (row.role, row.area, row.person)).collect())
}

/// Community of each committee and committee of each block of a town today.
pub(crate) async fn tree(
    sql: &mut PgConnection,
    town: &str,
    day: &str,
) -> Result<(Vec<(String, String)>, Vec<(String, String)>), Refusal> {
    let committees = sqlx::query!(
        "select committee, community from committee_period where town = $1 and upper_inf(recorded) and valid @> $2::text::date",
        town,
        day
    );
    let committees = committees
        .fetch_all(&mut *sql)
        .await?
        .into_iter()
        .map(|row| (row.committee, row.community))
        .collect();
    let blocks = sqlx::query!(
        "select block, committee from block_period where town = $1 and upper_inf(recorded) and valid @> $2::text::date",
        town,
        day
    );
    let blocks = blocks.fetch_all(sql).await?.into_iter().map(|row| (row.block, row.committee)).collect();
    Ok((committees, blocks))
}

/// A committee in its community.
#[derive(Debug)]
pub(crate) struct Lies {
    pub(crate) town: String,
    pub(crate) community: String,
    pub(crate) committee: String,
}

/// The committees that lie in these communities (`towns[n]`, `communities[n]`) on a day.
pub(crate) async fn committees_in(
    sql: &mut PgConnection,
    towns: &[String],
    communities: &[String],
    day: &str,
) -> Result<Vec<Lies>, Refusal> {
    let rows = sqlx::query_as!(
        Lies,
        "select p.town, p.community, p.committee from committee_period p
         where (p.town, p.community) in (select * from unnest($1::text[], $2::text[])) and upper_inf(p.recorded)
           and p.valid @> $3::text::date
         order by p.town, p.committee",
        towns,
        communities,
        day,
    );
    Ok(rows.fetch_all(sql).await?)
}

/// Notes the first administrator; `false` when there was one.
pub(crate) async fn bootstrap(sql: &mut PgConnection, principal: &str) -> Result<bool, Refusal> {
    let done =
        sqlx::query!("insert into bootstrap (principal) values ($1) on conflict do nothing", principal);
    Ok(done.execute(sql).await?.rows_affected() == 1)
}

/// The first administrator, when there is one.
pub(crate) async fn first_administrator(sql: &mut PgConnection) -> Result<Option<String>, Refusal> {
    Ok(sqlx::query_scalar!("select principal from bootstrap").fetch_optional(sql).await?)
}
