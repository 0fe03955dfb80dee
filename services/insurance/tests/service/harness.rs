//! An insurance service with its layers, near, a real governance as its peer, and callers with tokens.

use std::ops::{Deref, DerefMut};

use chassis::objects::Objects;
use harness::{STRUCTURE, Tested};
pub(crate) use harness::{date, fen, reason, uuid, with};
use jiff::civil::Date;
use tonic::Request;

/// The folder of files, below that of the keys.
const FILES: &str = "objects";

const TESTED: Tested = Tested {
    name: "insurance",
    migrations: &insurance::MIGRATIONS,
    structure: STRUCTURE,
    jobs: |_, dir| insurance::jobs(&Objects::local(dir.join(FILES)).unwrap()),
    routes: |context, worker, governance, dir| {
        insurance::routes(context, worker, governance, &Objects::local(dir.join(FILES)).unwrap(), None)
    },
};

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

/// Both services on `today`, with the register in governance. Insurance knows nothing yet.
pub(crate) async fn service(today: Date) -> Service {
    let service = harness::Service::new(TESTED, today).await;
    service.governance_sql(REGISTER).await;
    Service(service)
}

impl Service {
    /// Where files lie.
    pub(crate) fn files(&self) -> std::path::PathBuf {
        self.dir().join(FILES)
    }

    /// A request of an adjuster of an insurer, by name.
    pub(crate) fn adjuster<T>(&self, who: &str, insurer: &str, message: T) -> Request<T> {
        with(message, &self.token(who, "adjuster", &format!("organisation:{insurer}")))
    }

    /// The two schemes, signed for 2020, as `cci-2020` of `cci` (o-insurer-0, rank 1) and `li-2020` of `li` (o-insurer-1, rank 2).
    pub(crate) async fn schemes(&self) {
        self.sql(SCHEMES).await;
    }
}

/// Insurers, and who lives where: household `h-1` of the building `u-1` in the block `b-1`, whose steward is `steward`, estate `e-1`,
/// committee `c1`, has `r-1` and `r-2`; `h-2` of the same building has `r-3` by permit, and had `r-4` until 3 March 2020; `h-3` of the
/// building `u-2`, estate `e-2`, committee `c2`, which has no blocks, has `r-5` since June 2020; `r-6` lives nowhere.
const REGISTER: &str = include_str!("../data/register.sql");

/// The two schemes of Work points 3.4 with their benefit tables.
const SCHEMES: &str = include_str!("../data/schemes.sql");
