//! An insurance service with its layers, near, a real governance as its peer, and callers with tokens.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use ::governance::access::BindingDirectory;
use chassis::{
    clock::Clock,
    context::Context,
    db::Schema,
    governance::{Governance, ServiceToken},
    identity::{CachedDirectory, DevClaims, DevDirectory, DevIssuer, Directory, Verifier},
    layers::{self, Gatekeeper, Layers, Permissions},
    objects::Objects,
    operations::Worker,
    peer::Peer,
    testing::TestDb,
    validate,
};
use contracts::google::r#type::Money;
use jiff::civil::Date;
use prost_reflect::DescriptorPool;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row};
use tonic::{Request, Status, body::Body};
use tonic_types::StatusExt;
use tower::{ServiceExt, service_fn};
use uuid::Uuid;

/// The folder of files, below that of the keys.
const FILES: &str = "objects";

/// Both services of one test.
pub(crate) struct Service {
    pub(crate) db: TestDb,
    pub(crate) governance_db: TestDb,
    pub(crate) clock: Clock,
    pub(crate) peer: Peer,
    pub(crate) governance: Governance,
    pub(crate) worker: Worker,
    governance_peer: Peer,
    away: Arc<AtomicBool>,
    keys: tempfile::TempDir,
    issuer: DevIssuer,
}

fn gatekeeper(
    service: &'static str,
    issuer: &DevIssuer,
    directory: Arc<dyn Directory>,
    clock: &Clock,
) -> Layers {
    let pool = DescriptorPool::decode(contracts::DESCRIPTORS).unwrap();
    let gatekeeper = Gatekeeper {
        service,
        permissions: Permissions::read(&pool),
        verifier: Verifier::new(vec![issuer.config()]),
        directory,
        clock: clock.clone(),
    };
    Layers { service, gatekeeper: Arc::new(gatekeeper), in_flight: 512, deadline: Duration::from_secs(60) }
}

/// An insurance service on the database, which remembers nothing of governance yet.
fn replica(
    context: &Context,
    governance: &Peer,
    keys: &std::path::Path,
    clock: &Clock,
) -> (Peer, Governance, Worker) {
    let issuer = || DevIssuer::load_or_create(keys).unwrap();
    let token = ServiceToken::development(issuer(), "insurance");
    let governance = Governance::new("insurance", governance.clone(), token);
    let directory: Arc<dyn Directory> = Arc::new(CachedDirectory::new(Arc::new(governance.clone())));
    let objects = Objects::local(keys.join(FILES)).unwrap();
    let worker = Worker::new(context.clone(), clock.clone(), insurance::jobs(&objects));
    let layers = gatekeeper("insurance", &issuer(), directory, clock);
    let routes = insurance::routes(context, &worker, &governance, &objects, None);
    (layers::near(layers::layered(routes, &layers)), governance, worker)
}

/// `peer`, unless it is away.
fn unless(away: &Arc<AtomicBool>, peer: Peer) -> Peer {
    let away = away.clone();
    Peer::new(service_fn(move |request: http::Request<Body>| {
        let (peer, away) = (peer.clone(), away.load(Ordering::SeqCst));
        async move {
            if away {
                return Err(Status::unavailable("nobody there"));
            }
            peer.oneshot(request).await
        }
    }))
}

/// Both services, with the town `malu`, its community `a` and the committees `c1` … `c3` and the village `v1` in governance, on
/// `today`. Insurance knows nothing yet.
pub(crate) async fn service(today: Date) -> Service {
    validate::install();
    let clock = Clock::starting(today);
    let dir = tempfile::tempdir().unwrap();
    let issuer = DevIssuer::load_or_create(dir.path()).unwrap();

    let governance_db = TestDb::new(&Schema::new("governance", &::governance::MIGRATIONS)).await;
    let bindings: Arc<dyn Directory> = Arc::new(BindingDirectory(Arc::new(governance_db.context.db.clone())));
    let directory: Arc<dyn Directory> =
        Arc::new(DevDirectory::new(Arc::new(CachedDirectory::new(bindings)), "malu"));
    let worker = Worker::new(governance_db.context.clone(), clock.clone(), ::governance::jobs());
    let governance_layers = gatekeeper("governance", &issuer, directory.clone(), &clock);
    let routes = ::governance::routes(&governance_db.context, &worker, directory, None);
    let away = Arc::new(AtomicBool::new(false));
    let governance_peer = unless(&away, layers::near(layers::layered(routes, &governance_layers)));

    let db = TestDb::new(&Schema::new("insurance", &insurance::MIGRATIONS)).await;
    let (peer, governance, worker) = replica(&db.context, &governance_peer, dir.path(), &clock);
    let service = Service {
        db,
        governance_db,
        clock,
        peer,
        governance,
        worker,
        governance_peer,
        away,
        keys: dir,
        issuer,
    };
    service.structure().await;
    service
}

impl Service {
    /// Goes on through another replica, which reads anew what governance says.
    pub(crate) fn fail_over(&mut self) {
        (self.peer, self.governance, self.worker) =
            replica(&self.db.context, &self.governance_peer, self.keys.path(), &self.clock);
    }

    /// Governance goes away, or comes back.
    pub(crate) fn governance_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// Where files lie.
    pub(crate) fn files(&self) -> std::path::PathBuf {
        self.keys.path().join(FILES)
    }

    async fn structure(&self) {
        self.governance_sql(
            "insert into town (town, display_name) values ('malu', '马陆镇'), ('other', '另一个镇');
             insert into community (town, id, display_name) values ('malu', 'a', '甲');
             insert into committee (town, id, kind, founding_date) select 'malu', 'c' || n, 'RESIDENTS_COMMITTEE', '2010-01-01' from generate_series(1, 3) n;
             insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
                 select town, gen_random_uuid(), id, '[2010-01-01,)', tstzrange(now(), null), '居委会 ' || id, 'a', 'FOUNDED' from committee",
        )
        .await;
        self.governance_sql(REGISTER).await;
    }

    async fn sql_in(db: &TestDb, schema: &str, sql: &str) -> Result<(), sqlx::Error> {
        let mut owner = PgConnection::connect(&db.database.owner_url).await?;
        let sql = format!("set search_path = {schema}, public; begin; {sql}; commit");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await?;
        Ok(())
    }

    /// SQL in insurance, behind the service's back, as the owner.
    pub(crate) async fn try_sql(&self, sql: &str) -> Result<(), sqlx::Error> {
        Service::sql_in(&self.db, "insurance", sql).await
    }

    /// The same, when it must work.
    pub(crate) async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// SQL in governance, as the owner.
    pub(crate) async fn governance_sql(&self, sql: &str) {
        let done = Service::sql_in(&self.governance_db, "governance", sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The constraint that refuses `sql`.
    pub(crate) async fn constraint(&self, sql: &str) -> String {
        let refused = self.try_sql(sql).await.expect_err(sql);
        let error = refused.as_database_error().unwrap_or_else(|| panic!("{sql}: {refused}"));
        error.constraint().map_or_else(|| error.message().to_owned(), str::to_owned)
    }

    /// One number that a query yields.
    pub(crate) async fn number(&self, sql: &str) -> i64 {
        let mut owner = PgConnection::connect(&self.db.database.owner_url).await.unwrap();
        sqlx::raw_sql("set search_path = insurance, public").execute(&mut owner).await.unwrap();
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut owner).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error}")).get(0)
    }

    /// Every row of every table of insurance, without what the sealer does in the background: two dumps are equal when no byte of
    /// state has changed.
    pub(crate) async fn dump(&self) -> String {
        let mut owner = PgConnection::connect(&self.db.database.owner_url).await.unwrap();
        sqlx::raw_sql("set search_path = insurance, public").execute(&mut owner).await.unwrap();
        let tables: Vec<String> = sqlx::query_scalar(
            "select tablename::text from pg_tables where schemaname = 'insurance' and tablename not like '%\\_migrations' order by 1",
        )
        .fetch_all(&mut owner)
        .await
        .unwrap();
        let mut all = String::new();
        for table in tables {
            let sql =
                format!("select coalesce(string_agg(t::text, E'\\n' order by t::text), '') from {table} t");
            let rows: String = sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut owner).await.unwrap();
            all.push_str(&format!("== {table}\n{rows}\n"));
        }
        all
    }

    /// A token of `role` in `area` for a stand-in: subject and person are the same.
    pub(crate) fn token(&self, who: &str, role: &str, area: &str) -> String {
        self.login(who, who, role, area)
    }

    /// A token of a login of somebody.
    pub(crate) fn login(&self, subject: &str, who: &str, role: &str, area: &str) -> String {
        let claims = DevClaims {
            subject: subject.to_owned(),
            groups: vec![format!("{role}@{area}")],
            person: Some(format!("towns/malu/people/{who}")),
            lifetime: Duration::from_secs(600),
        };
        self.issuer.token(&claims).unwrap()
    }

    /// A token of a login that is mapped to no person.
    pub(crate) fn personless(&self, subject: &str, role: &str, area: &str) -> String {
        let claims = DevClaims {
            subject: subject.to_owned(),
            groups: vec![format!("{role}@{area}")],
            person: None,
            lifetime: Duration::from_secs(600),
        };
        self.issuer.token(&claims).unwrap()
    }

    /// A request of a town officer, by name.
    pub(crate) fn officer<T>(&self, who: &str, message: T) -> Request<T> {
        with(message, &self.token(who, "town-officer", "malu"))
    }

    /// A request of an officer of a committee, by name.
    pub(crate) fn of_committee<T>(&self, who: &str, committee: &str, message: T) -> Request<T> {
        with(message, &self.token(who, "committee-officer", &format!("committee:{committee}")))
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

/// A message with a token.
pub(crate) fn with<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// An amount of so many fen.
pub(crate) fn fen(fen: i64) -> Money {
    let (units, nanos) = kernel::money::Fen::of(fen).to_units_nanos();
    Money { currency_code: "CNY".to_owned(), units, nanos }
}

pub(crate) fn date(date: Date) -> contracts::google::r#type::Date {
    chassis::wire::to_date(date)
}

pub(crate) fn uuid() -> String {
    Uuid::new_v4().to_string()
}

/// The reason of an error.
pub(crate) fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}
