//! Where earmarked money came from, and what of other committees stays out of the answer.

use contracts::linli::funding::v1 as pb;
use jiff::civil::date;

use super::{APPLICANT, APPROVER, application, funded};
use crate::harness::{Service, uuid};

fn id(which: char) -> String {
    format!("00000000-0000-0000-0000-00000000000{which}")
}

impl Service {
    /// Books `fen` from one account to another, behind the service's back.
    async fn move_fen(&self, year: i32, kind: &str, subject: &str, (from, to): (char, char), fen: i64) {
        let (entry, from, to) = (uuid(), id(from), id(to));
        self.sql(&format!(
            "with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                 values ('malu', '{entry}', '{kind}', 'way/{entry}', {year}, '2020-05-01', '{subject}', 'x', 2, 'p'))
             insert into posting (town, entry, n, account, amount_fen, booked_on) values
                 ('malu', '{entry}', 1, '{from}', -{fen}, '2020-05-01'), ('malu', '{entry}', 2, '{to}', {fen}, '2020-05-01')"
        ))
        .await;
    }

    /// The way of the money of an application, each step by its kind and the last letters of its accounts.
    async fn way(&self, fund: pb::Fund, category: &str, earmark: &str) -> Vec<(String, char, char)> {
        let mut request = application("c1", fund, category, 10_000);
        earmark.clone_into(&mut request.expense.as_mut().unwrap().earmark);
        let applied = self.apply(APPLICANT, request).await.unwrap();
        let told = self.expense(APPROVER, &applied.name).await.provenance.unwrap();
        let last = |name: &str| name.chars().last().unwrap();
        let steps = told.steps.iter();
        steps.map(|step| (step.kind.clone(), last(&step.from_account), last(&step.to_account))).collect()
    }
}

#[tokio::test]
async fn what_was_taken_back_from_another_committee_does_not_show() {
    let service = funded(date(2020, 6, 1)).await;
    service
        .sql(
            "insert into fiscal_year (town, year) values ('malu', 2019);
             insert into account (town, id, kind, fund, fiscal_year, committee, earmark) values
                 ('malu', '00000000-0000-0000-0000-00000000000a', 'APPROPRIATION', 'SERVICE', 2019, null, null),
                 ('malu', '00000000-0000-0000-0000-00000000000b', 'COMMITTEE', 'SERVICE', 2019, 'c1', null),
                 ('malu', '00000000-0000-0000-0000-00000000000c', 'COMMITTEE', 'SERVICE', 2019, 'c2', null),
                 ('malu', '00000000-0000-0000-0000-00000000000d', 'COMMITTEE', 'SERVICE', 2020, 'c1', 'carried'),
                 ('malu', '00000000-0000-0000-0000-00000000000e', 'COMMITTEE', 'SERVICE', 2020, 'c2', 'carried')",
        )
        .await;
    service.move_fen(2019, "ALLOCATION", "towns/malu/allocationRuns/r", ('a', 'b'), 90_000).await;
    service.move_fen(2019, "ALLOCATION", "towns/malu/allocationRuns/r", ('a', 'c'), 90_000).await;
    service.move_fen(2019, "ALLOCATION", "towns/malu/allocationRuns/s", ('c', 'a'), 5_000).await;
    service.move_fen(2020, "CARRY_OVER", "towns/malu/fiscalYears/2019", ('b', 'd'), 60_000).await;
    service.move_fen(2020, "CARRY_OVER", "towns/malu/fiscalYears/2019", ('c', 'e'), 60_000).await;
    // another committee's transfer shows with what it brought, and not where that committee had it from
    service.move_fen(2020, "TRANSFER", "towns/malu/holds/h", ('e', 'd'), 1_000).await;
    let told = |kind: &str, from, to| (kind.to_owned(), from, to);
    assert_eq!(
        service.way(pb::Fund::Service, "ACTIVITY", "carried").await,
        [told("ALLOCATION", 'a', 'b'), told("CARRY_OVER", 'b', 'd'), told("TRANSFER", 'e', 'd')]
    );
}

#[tokio::test]
async fn of_a_task_the_shares_of_other_committees_do_not_show() {
    let service = funded(date(2020, 6, 1)).await;
    let (own, other) = (uuid(), uuid());
    service
        .sql(
            "insert into account (town, id, kind, fund, fiscal_year, committee, earmark) values
                 ('malu', '00000000-0000-0000-0000-00000000000a', 'DEPARTMENT', 'DELEGATED', 2020, null, 'delegation:t'),
                 ('malu', '00000000-0000-0000-0000-00000000000b', 'TASK', 'DELEGATED', 2020, null, 'delegation:t'),
                 ('malu', '00000000-0000-0000-0000-00000000000c', 'COMMITTEE', 'DELEGATED', 2020, 'c1', 'delegation:t'),
                 ('malu', '00000000-0000-0000-0000-00000000000d', 'COMMITTEE', 'DELEGATED', 2020, 'c2', 'delegation:t'),
                 ('malu', '00000000-0000-0000-0000-00000000000e', 'COMMITTEE', 'DELEGATED', 2020, 'c3', 'delegation:t');
             insert into delegation (town, id, department, title, fiscal_year, offered_on, reply_days, reply_due, due_provisional, offered_by)
                 values ('malu', 't', 'x', 'x', 2020, '2020-05-01', 5, '2020-05-08', false, 'd')",
        )
        .await;
    // an offer without money is funded share by share
    for (share, committee, to) in [(&own, "c1", 'c'), (&other, "c2", 'd')] {
        let subject = format!("towns/malu/delegationShares/{share}");
        service.move_fen(2020, "DELEGATION", &subject, ('a', 'b'), 50_000).await;
        service.move_fen(2020, "DELEGATION", &subject, ('b', to), 50_000).await;
        service
            .sql(&format!(
                "insert into delegation_share (town, id, delegation, committee, amount_fen, offered_by, state, accepted_by, decided_on)
                     values ('malu', '{share}', 't', '{committee}', 50000, 'd', 'ACCEPTED', 'w', '2020-05-02')"
            ))
            .await;
    }
    // what comes back to the department is given by somebody, and leads nowhere
    service.move_fen(2020, "RETURN", "towns/malu/delegationShares/x", ('d', 'a'), 20_000).await;
    let told = |from, to| ("DELEGATION".to_owned(), from, to);
    assert_eq!(
        service.way(pb::Fund::Delegated, "OFFICE", "towns/malu/delegations/t").await,
        [told('a', 'b'), told('b', 'c')]
    );
}
