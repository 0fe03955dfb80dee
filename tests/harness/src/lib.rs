//! A service of the suite with its layers, near, a real governance as its peer, and callers with tokens: what the tests of every
//! service beside governance stand on.

#![expect(clippy::unwrap_used, reason = "a panic in a test is its failure")]

use std::{
    path::Path,
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
    operations::{Jobs, Worker},
    peer::Peer,
    testing::TestDb,
    validate,
};
use contracts::google::r#type as google;
use jiff::civil::Date;
use prost_reflect::DescriptorPool;
use sqlx::{AssertSqlSafe, Connection, PgConnection, Row, migrate::Migrator};
use tonic::{Request, Status, body::Body, service::Routes};
use tonic_types::StatusExt;
use tower::{ServiceExt, service_fn};
use uuid::Uuid;

/// The service that is tested.
#[derive(Clone, Copy, Debug)]
pub struct Tested {
    /// Its name, which its schema bears too.
    pub name: &'static str,
    /// The migrations of its schema.
    pub migrations: &'static Migrator,
    /// What works in its background, with governance to ask and a directory of the test's own.
    pub jobs: fn(&Governance, &Path) -> Jobs,
    /// What governance has: [`STRUCTURE`], or something of the test's own.
    pub structure: &'static str,
    /// Its gRPC services.
    pub routes: fn(&Context, &Worker, &Governance, &Path) -> Routes,
}

/// Both services of one test.
pub struct Service {
    /// The database of the service.
    pub db: TestDb,
    /// The database of governance.
    pub governance_db: TestDb,
    /// The clock of both.
    pub clock: Clock,
    /// The service, behind its layers.
    pub peer: Peer,
    /// Governance as the service asks it.
    pub governance: Governance,
    /// Governance, behind its layers.
    pub governance_peer: Peer,
    /// What works in the background; it does nothing by itself.
    pub worker: Worker,
    tested: Tested,
    away: Arc<AtomicBool>,
    keys: tempfile::TempDir,
    issuer: DevIssuer,
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

/// The service on its database, which remembers nothing of governance yet.
fn replica(
    tested: Tested,
    context: &Context,
    governance: &Peer,
    keys: &Path,
    clock: &Clock,
) -> (Peer, Governance, Worker) {
    let issuer = || DevIssuer::load_or_create(keys).unwrap();
    let token = ServiceToken::development(issuer(), tested.name);
    let governance = Governance::new(tested.name, governance.clone(), token);
    let directory: Arc<dyn Directory> = Arc::new(CachedDirectory::new(Arc::new(governance.clone())));
    let worker = Worker::new(context.clone(), clock.clone(), (tested.jobs)(&governance, keys));
    let layers = gatekeeper(tested.name, &issuer(), directory, clock);
    let routes = (tested.routes)(context, &worker, &governance, keys);
    (layers::near(layers::layered(routes, &layers)), governance, worker)
}

impl Service {
    /// Both services on `today`, with the structure in governance; the service knows nothing yet.
    pub async fn new(tested: Tested, today: Date) -> Service {
        validate::install();
        let clock = Clock::starting(today);
        let keys = tempfile::tempdir().unwrap();
        let issuer = DevIssuer::load_or_create(keys.path()).unwrap();

        let governance_db = TestDb::new(&Schema::new("governance", &::governance::MIGRATIONS)).await;
        let bindings: Arc<dyn Directory> =
            Arc::new(BindingDirectory(Arc::new(governance_db.context.db.clone())));
        let directory: Arc<dyn Directory> =
            Arc::new(DevDirectory::new(Arc::new(CachedDirectory::new(bindings)), "malu"));
        let worker = Worker::new(governance_db.context.clone(), clock.clone(), ::governance::jobs());
        let governance_layers = gatekeeper("governance", &issuer, directory.clone(), &clock);
        let routes = ::governance::routes(&governance_db.context, &worker, directory, None);
        let away = Arc::new(AtomicBool::new(false));
        let governance_peer = unless(&away, layers::near(layers::layered(routes, &governance_layers)));

        let db = TestDb::new(&Schema::new(tested.name, tested.migrations)).await;
        let (peer, governance, worker) = replica(tested, &db.context, &governance_peer, keys.path(), &clock);
        let service = Service {
            db,
            governance_db,
            clock,
            peer,
            governance,
            governance_peer,
            worker,
            tested,
            away,
            keys,
            issuer,
        };
        service.governance_sql(tested.structure).await;
        service
    }

    /// Goes on through another replica, which reads anew what governance says.
    pub fn fail_over(&mut self) {
        (self.peer, self.governance, self.worker) =
            replica(self.tested, &self.db.context, &self.governance_peer, self.keys.path(), &self.clock);
    }

    /// Governance goes away, or comes back.
    pub fn governance_away(&self, away: bool) {
        self.away.store(away, Ordering::SeqCst);
    }

    /// What works in the background beside the service's own.
    pub fn another_worker(&self) -> Worker {
        let jobs = (self.tested.jobs)(&self.governance, self.keys.path());
        Worker::new(self.db.context.clone(), self.clock.clone(), jobs)
    }

    /// A directory of the test's own.
    pub fn dir(&self) -> &Path {
        self.keys.path()
    }

    /// Does what waits in the background, until nothing does.
    pub async fn work(&self) {
        while self.worker.pass().await.unwrap() {}
    }

    async fn sql_in(db: &TestDb, schema: &str, sql: &str) -> Result<(), sqlx::Error> {
        let mut owner = PgConnection::connect(&db.database.owner_url).await?;
        let sql = format!("set search_path = {schema}, public; begin; {sql}; commit");
        sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut owner).await?;
        Ok(())
    }

    /// SQL in the service's schema, behind its back, as the owner.
    pub async fn try_sql(&self, sql: &str) -> Result<(), sqlx::Error> {
        Service::sql_in(&self.db, self.tested.name, sql).await
    }

    /// The same, when it must work.
    pub async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// SQL in governance, as the owner.
    pub async fn governance_sql(&self, sql: &str) {
        let done = Service::sql_in(&self.governance_db, "governance", sql).await;
        done.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// The constraint that refuses `sql`.
    pub async fn constraint(&self, sql: &str) -> String {
        let refused = self.try_sql(sql).await.expect_err(sql);
        let error = refused.as_database_error().unwrap_or_else(|| panic!("{sql}: {refused}"));
        error.constraint().map_or_else(|| error.message().to_owned(), str::to_owned)
    }

    async fn owner(&self) -> PgConnection {
        let mut owner = PgConnection::connect(&self.db.database.owner_url).await.unwrap();
        let path = format!("set search_path = {}, public", self.tested.name);
        sqlx::raw_sql(AssertSqlSafe(path)).execute(&mut owner).await.unwrap();
        owner
    }

    /// One number that a query yields.
    pub async fn number(&self, sql: &str) -> i64 {
        let row = sqlx::query(AssertSqlSafe(sql.to_owned())).fetch_one(&mut self.owner().await).await;
        row.unwrap_or_else(|error| panic!("{sql}: {error}")).get(0)
    }

    /// Every row of every table of the service, without what the sealer does in the background: two dumps are equal when no byte of
    /// state has changed.
    pub async fn dump(&self) -> String {
        let mut owner = self.owner().await;
        let tables: Vec<String> = sqlx::query_scalar(
            "select tablename::text from pg_tables where schemaname = $1 and tablename not like '%\\_migrations' order by 1",
        )
        .bind(self.tested.name)
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
    pub fn token(&self, who: &str, role: &str, area: &str) -> String {
        self.login(who, who, role, area)
    }

    /// A token of a login of somebody.
    pub fn login(&self, subject: &str, who: &str, role: &str, area: &str) -> String {
        self.issued(subject, Some(format!("towns/malu/people/{who}")), role, area)
    }

    /// A token of a login that is mapped to no person.
    pub fn personless(&self, subject: &str, role: &str, area: &str) -> String {
        self.issued(subject, None, role, area)
    }

    fn issued(&self, subject: &str, person: Option<String>, role: &str, area: &str) -> String {
        let claims = DevClaims {
            subject: subject.to_owned(),
            groups: vec![format!("{role}@{area}")],
            person,
            lifetime: Duration::from_secs(600),
        };
        self.issuer.token(&claims).unwrap()
    }

    /// A request of a town officer, by name.
    pub fn officer<T>(&self, who: &str, message: T) -> Request<T> {
        with(message, &self.token(who, "town-officer", "malu"))
    }

    /// A request of an officer of a committee, by name.
    pub fn of_committee<T>(&self, who: &str, committee: &str, message: T) -> Request<T> {
        with(message, &self.token(who, "committee-officer", &format!("committee:{committee}")))
    }
}

/// The town `malu`, its community `a`, and the committees `c1` … `c3`, since 2010; another town without any.
pub const STRUCTURE: &str = "insert into town (town, display_name) values ('malu', '马陆镇'), ('other', '另一个镇');
    insert into community (town, id, display_name) values ('malu', 'a', '甲');
    insert into committee (town, id, kind, founding_date) select 'malu', 'c' || n, 'RESIDENTS_COMMITTEE', '2010-01-01' from generate_series(1, 3) n;
    insert into committee_period (town, id, committee, valid, recorded, display_name, community, state)
        select town, gen_random_uuid(), id, '[2010-01-01,)', tstzrange(now(), null), '居委会 ' || id, 'a', 'FOUNDED' from committee";

/// A message with a token.
pub fn with<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

/// An amount of so many fen.
pub fn fen(fen: i64) -> google::Money {
    let (units, nanos) = kernel::money::Fen::of(fen).to_units_nanos();
    google::Money { currency_code: "CNY".to_owned(), units, nanos }
}

/// A day on the wire.
pub fn date(date: Date) -> google::Date {
    chassis::wire::to_date(date)
}

/// A request id.
pub fn uuid() -> String {
    Uuid::new_v4().to_string()
}

/// The reason of an error.
pub fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}

/// The fields of an error with their reasons.
pub fn fields(status: &Status) -> Vec<String> {
    let details = status.get_error_details();
    let violations = details.bad_request().map(|bad| bad.field_violations.clone()).unwrap_or_default();
    violations.into_iter().map(|violation| violation.field).collect()
}
