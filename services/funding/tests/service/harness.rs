//! A funding service with its layers, near, a real governance as its peer, and callers with tokens.

use std::ops::{Deref, DerefMut};

use chassis::peer::Peer;
use contracts::linli::funding::v1::ledger_service_client::LedgerServiceClient;
use harness::Tested;
pub(crate) use harness::{date, fen, reason, uuid, with};
use jiff::civil::Date;
use uuid::Uuid;

const TESTED: Tested = Tested {
    name: "funding",
    migrations: &funding::MIGRATIONS,
    structure: STRUCTURE,
    jobs: |governance, _| funding::jobs(governance),
    routes: |context, worker, governance, _| funding::routes(context, worker, governance, None),
};

/// The town `malu` with its community `a`, the committees `c1` … `c3` and the village `v1`, since 2016.
const STRUCTURE: &str = "insert into town (town, display_name) values ('malu', '马陆镇'), ('other', '另一个镇');
             insert into community (town, id, display_name) values ('malu', 'a', '甲');
             insert into committee (town, id, kind, founding_date) values ('malu', 'c1', 'RESIDENTS_COMMITTEE', '2016-01-01'),
                 ('malu', 'c2', 'RESIDENTS_COMMITTEE', '2016-01-01'), ('malu', 'c3', 'RESIDENTS_COMMITTEE', '2016-01-01'),
                 ('malu', 'v1', 'VILLAGERS_COMMITTEE', '2016-01-01');
             insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
                 select town, gen_random_uuid(), id, '[2016-01-01,)', tstzrange(now(), null), '居委会 ' || id, 'a', 'FOUNDED' from committee";

/// Both services of one test.
pub(crate) struct Service(harness::Service);

impl Deref for Service {
    type Target = harness::Service;
    fn deref(&self) -> &harness::Service {
        &self.0
    }
}

impl DerefMut for Service {
    fn deref_mut(&mut self) -> &mut harness::Service {
        &mut self.0
    }
}

/// Both services on `today`. Funding knows nothing yet.
pub(crate) async fn service(today: Date) -> Service {
    Service(harness::Service::new(TESTED, today).await)
}

impl Service {
    pub(crate) fn ledger(&self) -> LedgerServiceClient<Peer> {
        LedgerServiceClient::new(self.peer.clone())
    }

    /// A fiscal year that is open, with these categories of each fund, as a published policy makes it.
    pub(crate) async fn year(&self, year: i32) {
        self.sql(&format!(
            "insert into fiscal_year (town, year) values ('malu', {year});
             insert into allowed_category (town, fiscal_year, fund, category, display_name) values
                 ('malu', {year}, 'WORK', 'OFFICE', '办公用品'), ('malu', {year}, 'SERVICE', 'ACTIVITY', '活动')"
        ))
        .await;
    }

    /// Gives a committee money of a fund, as a released allocation does; the account's name.
    pub(crate) async fn give(&self, committee: &str, fund: &str, year: i32, fen: i64) -> String {
        let (account, entry) = (Uuid::now_v7(), Uuid::now_v7());
        self.sql(&format!(
            "insert into account (town, id, kind, fund, fiscal_year) values ('malu', gen_random_uuid(), 'APPROPRIATION', '{fund}', {year})
                 on conflict do nothing;
             insert into account (town, id, kind, fund, fiscal_year, committee) values ('malu', '{account}', 'COMMITTEE', '{fund}', {year}, '{committee}');
             with booked as (insert into entry (town, id, kind, key, fiscal_year, booked_on, subject, description, postings, principal)
                     values ('malu', '{entry}', 'ALLOCATION', 'test/{entry}', {year}, '{year}-01-10', 'test', 'test', 2, 'test'))
             insert into posting (town, entry, n, account, amount_fen, booked_on)
                 values ('malu', '{entry}', 1, '{account}', {fen}, '{year}-01-10'),
                        ('malu', '{entry}', 2, (select id from account where town = 'malu' and kind = 'APPROPRIATION' and fund = '{fund}' and fiscal_year = {year}),
                         -{fen}, '{year}-01-10')"
        ))
        .await;
        format!("towns/malu/accounts/{account}")
    }
}
