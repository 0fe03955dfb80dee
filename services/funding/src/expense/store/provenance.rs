//! The entries that brought money to an account.

use chassis::refusal::Refusal;
use kernel::money::Fen;
use sqlx::PgConnection;
use uuid::Uuid;

use crate::expense::provenance::Step;

/// Steps that are told at most: the newest of them.
const MOST: i64 = 200;

/// The steps that lead to `account`, in whatever order. Followed are the accounts of its committee and its earmark, the task that hands the
/// money down, and for what was carried over the free money that it was. Where money comes from is where it ends: appropriation, department,
/// opening balances and pool get money back from everybody, and what others gave back is none of this account's. What was taken back is left
/// out with what takes it back, and so is what a department gave for the share of another committee.
///
/// # Errors
/// What Postgres answered.
pub(crate) async fn steps(sql: &mut PgConnection, town: &str, account: Uuid) -> Result<Vec<Step>, Refusal> {
    let rows = sqlx::query!(
        r#"with recursive way (account, committee, earmark) as (
               select its.id, its.committee, its.earmark from account its where its.town = $1 and its.id = $2
               union
               select source.id, way.committee, way.earmark
               from way join posting got on got.town = $1 and got.account = way.account and got.amount_fen > 0
               join posting given on given.town = got.town and given.entry = got.entry and given.amount_fen < 0
               join entry e on e.town = got.town and e.id = got.entry and e.kind not in ('EXPENSE', 'REFUND')
               join account source on source.town = given.town and source.id = given.account
               where (source.kind = 'TASK' or (source.kind = 'COMMITTEE' and source.committee = way.committee))
                   and (source.earmark = way.earmark or (way.earmark = 'carried' and source.earmark is null)))
           select e.id, e.ord as "ord!", e.kind, e.booked_on::text as "booked_on!", e.subject, e.description, given.account as "from!",
                  got.account as "to!", least(got.amount_fen, -given.amount_fen) as "amount!"
           from way join posting got on got.town = $1 and got.account = way.account and got.amount_fen > 0
           join posting given on given.town = got.town and given.entry = got.entry and given.amount_fen < 0
           join entry e on e.town = got.town and e.id = got.entry and e.kind not in ('EXPENSE', 'REFUND') and e.reverses is null
           where not exists (select from entry b where b.town = e.town and b.reverses = e.id)
               and not exists (select from delegation_share s where s.town = e.town and 'delegation:' || s.delegation = way.earmark
                   and s.committee <> way.committee and e.subject = 'towns/' || s.town || '/delegationShares/' || s.id)
           order by e.ord desc limit $3"#,
        town,
        account,
        MOST,
    );
    let steps = rows.fetch_all(sql).await?.into_iter().map(|row| Step {
        entry: row.id,
        ord: row.ord,
        kind: row.kind,
        booked_on: row.booked_on,
        subject: row.subject,
        description: row.description,
        from: row.from,
        to: row.to,
        amount: Fen::of(row.amount),
    });
    Ok(steps.collect())
}
