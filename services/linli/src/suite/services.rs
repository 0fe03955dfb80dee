//! What the suite knows of its services: names, settings, and how each is put together.

use std::sync::Arc;

use axum::Router;
use chassis::{
    context::Context,
    db::{Db, PoolSettings, Schema, migrate},
    governance::{Governance, ServiceToken},
    identity::{CachedDirectory, DevDirectory, Directory},
    layers::{self, Gatekeeper, Layers, Permissions},
    objects::Objects,
    operations::{Jobs, Worker},
    peer::Peer,
    seal::Sealer,
};
use governance::access::BindingDirectory;
use sqlx::migrate::Migrator;
use tonic::service::Routes;

use super::{Failure, ground::Ground};
use crate::dev;

/// A service of the suite.
#[derive(Debug)]
pub(crate) struct Service {
    /// Its name, which its schema and its package bear too: `governance`.
    pub(crate) name: &'static str,
    /// The setting of where it listens when it is a process of its own.
    pub(crate) listen: &'static str,
    /// The setting of where others find it then.
    pub(crate) url: &'static str,
    /// The setting of its database.
    pub(crate) database: &'static str,
    migrations: &'static Migrator,
    /// What it seals beside events and audit records.
    sealers: &'static [Sealer],
    build: Build,
}

/// How a service is put together.
#[derive(Clone, Copy, Debug)]
enum Build {
    /// From its database alone.
    Alone(fn(&Ground, &Context) -> Parts),
    /// With governance to ask.
    Asking(fn(&Governance) -> Parts),
    /// With governance to ask, and a place for files.
    Filing(fn(&Governance, Objects) -> Parts),
}

/// Its gRPC services, with what exported files say of a demonstration.
type MakeRoutes = Box<dyn FnOnce(&Context, &Worker, Option<&'static str>) -> Routes>;

/// What differs from service to service.
struct Parts {
    directory: Arc<dyn Directory>,
    jobs: Jobs,
    routes: MakeRoutes,
}

/// Every service, those first that others ask.
pub(crate) static SERVICES: [&Service; 4] = [&GOVERNANCE, &FUNDING, &INSURANCE, &WORKFORCE];

/// The structure of the town, its calendar and its roles.
pub(crate) static GOVERNANCE: Service = Service {
    name: "governance",
    listen: "LINLI_GOVERNANCE_LISTEN",
    url: "LINLI_GOVERNANCE_URL",
    database: "LINLI_GOVERNANCE_DATABASE_URL",
    migrations: &governance::MIGRATIONS,
    sealers: &[],
    build: Build::Alone(|ground, context| {
        let bindings: Arc<dyn Directory> = Arc::new(BindingDirectory(Arc::new(context.db.clone())));
        let told: Arc<dyn Directory> = match &ground.development {
            Some(_) => Arc::new(DevDirectory::new(bindings, dev::DEMO_TOWN)),
            None => bindings,
        };
        let directory = Arc::new(CachedDirectory::new(told.clone()));
        let routes =
            |context: &Context, worker: &Worker, mark| governance::routes(context, worker, told, mark);
        Parts { directory, jobs: governance::jobs(), routes: Box::new(routes) }
    }),
};

/// Money.
pub(crate) static FUNDING: Service = Service {
    name: "funding",
    listen: "LINLI_FUNDING_LISTEN",
    url: "LINLI_FUNDING_URL",
    database: "LINLI_FUNDING_DATABASE_URL",
    migrations: &funding::MIGRATIONS,
    sealers: funding::SEALERS,
    build: Build::Asking(|governance| {
        let asked = governance.clone();
        let routes =
            move |context: &Context, worker: &Worker, mark| funding::routes(context, worker, &asked, mark);
        Parts {
            directory: Arc::new(CachedDirectory::new(Arc::new(governance.clone()))),
            jobs: funding::jobs(governance),
            routes: Box::new(routes),
        }
    }),
};

/// Programmes, claims, outreach.
pub(crate) static INSURANCE: Service = Service {
    name: "insurance",
    listen: "LINLI_INSURANCE_LISTEN",
    url: "LINLI_INSURANCE_URL",
    database: "LINLI_INSURANCE_DATABASE_URL",
    migrations: &insurance::MIGRATIONS,
    sealers: &[],
    build: Build::Filing(|governance, objects| {
        let asked = governance.clone();
        let jobs = insurance::jobs(&objects);
        let routes = move |context: &Context, worker: &Worker, mark| {
            insurance::routes(context, worker, &asked, &objects, mark)
        };
        Parts {
            directory: Arc::new(CachedDirectory::new(Arc::new(governance.clone()))),
            jobs,
            routes: Box::new(routes),
        }
    }),
};

/// Community workers.
pub(crate) static WORKFORCE: Service = Service {
    name: "workforce",
    listen: "LINLI_WORKFORCE_LISTEN",
    url: "LINLI_WORKFORCE_URL",
    database: "LINLI_WORKFORCE_DATABASE_URL",
    migrations: &workforce::MIGRATIONS,
    sealers: &[],
    build: Build::Asking(|governance| {
        let asked = governance.clone();
        let routes =
            move |context: &Context, worker: &Worker, mark| workforce::routes(context, worker, &asked, mark);
        Parts {
            directory: Arc::new(CachedDirectory::new(Arc::new(governance.clone()))),
            jobs: workforce::jobs(governance),
            routes: Box::new(routes),
        }
    }),
};

impl Service {
    /// Its schema.
    pub(crate) fn schema(&self) -> Schema {
        Schema::new(self.name, self.migrations)
    }

    /// Whether it asks governance.
    pub(crate) fn asks(&self) -> bool {
        matches!(self.build, Build::Asking(_) | Build::Filing(_))
    }

    /// Its database with its context, migrated in development.
    pub(crate) async fn context(&self, ground: &Ground) -> Result<Context, Failure> {
        let (config, schema) = (&ground.config, self.schema());
        let url = config.get(self.database).or_else(|| config.get("LINLI_DATABASE_URL"));
        let url = url.ok_or_else(|| format!("no database: set {} or LINLI_DATABASE_URL", self.database))?;
        if ground.development.is_some() {
            migrate(url, &schema).await?;
        }
        let pool =
            PoolSettings { connections: config.parsed("LINLI_POOL_CONNECTIONS")?, ..PoolSettings::default() };
        Ok(Context {
            service: self.name,
            db: Db::open(url, &schema, &pool, config.vault()?)?,
            pages: config.page_key()?,
        })
    }

    /// The service within its layers, with its background work. `governance` is where it asks, when it does.
    pub(crate) fn layered(
        &self,
        ground: &Ground,
        context: &Context,
        governance: Option<Peer>,
    ) -> Result<Router, Failure> {
        let asked = || {
            let peer = governance.ok_or_else(|| format!("{} has no governance to ask", self.name))?;
            Ok::<_, Failure>(Governance::new(self.name, peer, self.token(ground)?))
        };
        let parts = match self.build {
            Build::Alone(build) => build(ground, context),
            Build::Asking(build) => build(&asked()?),
            Build::Filing(build) => build(&asked()?, ground.config.objects()?),
        };
        let pool = prost_reflect::DescriptorPool::decode(contracts::DESCRIPTORS)?;
        let gatekeeper = Gatekeeper {
            service: self.name,
            permissions: Permissions::read(&pool),
            verifier: ground.verifier.clone(),
            directory: parts.directory,
            clock: ground.clock.clone(),
        };
        let layers = Layers {
            service: self.name,
            gatekeeper: Arc::new(gatekeeper),
            in_flight: 512,
            deadline: std::time::Duration::from_secs(60),
        };
        let worker = Worker::new(context.clone(), ground.clock.clone(), parts.jobs);
        let mark = ground.development.as_ref().map(|_| governance::demo::MARK);
        let router = layers::layered((parts.routes)(context, &worker, mark), &layers);
        ground.work(context, self.sealers, worker);
        Ok(router)
    }

    /// The token of its account.
    fn token(&self, ground: &Ground) -> Result<ServiceToken, Failure> {
        Ok(match &ground.development {
            Some(development) => ServiceToken::development(development.issuer.clone(), self.name),
            None => ServiceToken::of(&ground.config)?,
        })
    }
}

#[cfg(test)]
mod tests {
    use devdb::TestCluster;
    use sqlx::{Connection, PgConnection, postgres::PgConnectOptions};

    use super::*;

    /// Both schemas in one database, as in development: each role works in its own and sees nothing of the other.
    #[tokio::test]
    async fn a_services_role_sees_no_other_schema() {
        // a name of Postgres has 63 bytes: the beginning of the hash at the end of each fingerprint will do
        let hash = |service: &Service| {
            let hash = service.schema().fingerprint().split_off(service.name.len());
            hash.chars().take(12).collect::<String>()
        };
        let key = format!("suite{}", SERVICES.map(hash).concat());
        let made = TestCluster::shared().database(&key, |url| async move {
            for service in SERVICES {
                migrate(&url, &service.schema()).await.map_err(|refusal| refusal.to_string())?;
            }
            Ok(())
        });
        let database = made.await.unwrap();
        let mut owner = PgConnection::connect(&database.owner_url).await.unwrap();
        for service in SERVICES {
            let options: PgConnectOptions = database.owner_url.parse().unwrap();
            let options = options.options([("role", service.schema().role.as_str())]);
            let mut connection = PgConnection::connect_with(&options).await.unwrap();
            // what is granted on a database is no part of its template
            migrate(&database.owner_url, &service.schema()).await.unwrap();
            let made = sqlx::raw_sql("create temporary table account ()").execute(&mut connection).await;
            let code = made
                .unwrap_err()
                .as_database_error()
                .and_then(|error| error.code().map(|code| code.into_owned()));
            assert_eq!(code.as_deref(), Some("42501"), "{} makes temporary tables", service.name);
            for other in SERVICES {
                let tables: Vec<String> = sqlx::query_scalar(
                    "select table_name::text from information_schema.tables where table_schema = $1 and table_name not like '\\_%'",
                )
                .bind(other.name)
                .fetch_all(&mut owner)
                .await
                .unwrap();
                assert!(tables.len() > 10, "{}: {tables:?}", other.name);
                for table in tables {
                    let read = format!("select count(*) from {}.{table}", other.name);
                    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(read)).execute(&mut connection).await;
                    let code = done
                        .err()
                        .and_then(|error| error.as_database_error()?.code().map(|code| code.into_owned()));
                    let expected = (service.name != other.name).then_some("42501");
                    assert_eq!(code.as_deref(), expected, "{} reads {}.{table}", service.name, other.name);
                }
            }
        }
    }
}
