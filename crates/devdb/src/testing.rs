//! Databases for tests: one server for all test processes of a user, one database for each test, cloned from a
//! template that is migrated once.

use std::{path::PathBuf, sync::OnceLock};

use sqlx::{AssertSqlSafe, Connection, PgConnection};

use crate::{Error, Options, Server, account::unprivileged};

static CLUSTER: OnceLock<Result<TestCluster, String>> = OnceLock::new();

/// The server of the tests.
#[derive(Debug)]
pub struct TestCluster {
    server: Server,
}

/// A database of one test. It is dropped by a later run, when the process that made it is gone.
#[derive(Clone, Debug)]
pub struct TestDatabase {
    /// Its name.
    pub name: String,
    /// A URL for the owner.
    pub owner_url: String,
}

impl TestCluster {
    /// The server of this process, joined or started once.
    ///
    /// # Panics
    /// When there is none to be had: no test could run.
    pub fn shared() -> &'static TestCluster {
        let started = CLUSTER.get_or_init(|| {
            let dir = std::env::var_os("LINLI_TEST_DIR").map(PathBuf::from);
            let user = rustix::process::geteuid().as_raw();
            let dir = dir.unwrap_or_else(|| {
                std::env::temp_dir()
                    .join(format!("linli-test-{user}-{}", unprivileged().map_or(0, |a| a.uid)))
            });
            let options = Options { dir, durable: false, connections: 400 };
            let started = Server::join_or_start(&options).or_else(|error| match error {
                // a machine that went down can't harm what is durable, but tests do without: begin anew
                Error::Tool { .. } => {
                    let _ = std::fs::remove_dir_all(options.dir.join("data"));
                    Server::join_or_start(&options)
                }
                other => Err(other),
            });
            started.map(|server| TestCluster { server }).map_err(|error| chain(&error))
        });
        match started {
            Ok(cluster) => cluster,
            Err(error) => panic!("the Postgres of the tests: {error}"),
        }
    }

    /// A new database, cloned from the template `key`, which `migrate` fills when it isn't there yet.
    ///
    /// # Errors
    /// What Postgres or `migrate` answered.
    pub async fn database<F>(
        &self,
        key: &str,
        migrate: impl FnOnce(String) -> F,
    ) -> Result<TestDatabase, Error>
    where
        F: Future<Output = Result<(), String>>,
    {
        let template = format!("tpl_{key}");
        let mut admin = PgConnection::connect(&self.server.owner_url("postgres")).await?;
        // one at a time: CREATE DATABASE wants its template to itself
        sqlx::query("select pg_advisory_lock(hashtext('linli test databases'))").execute(&mut admin).await?;
        if !exists(&mut admin, &template).await? {
            sweep(&mut admin).await?;
            let half = format!("{template}_new");
            run(&mut admin, format!("drop database if exists \"{half}\" with (force)")).await?;
            run(&mut admin, format!("create database \"{half}\"")).await?;
            migrate(self.server.owner_url(&half)).await.map_err(Error::Migrate)?;
            run(&mut admin, format!("alter database \"{half}\" rename to \"{template}\"")).await?;
        }
        let name = format!("t_{}_{}", std::process::id(), uuid::Uuid::new_v4().simple());
        run(&mut admin, format!("create database \"{name}\" template \"{template}\" strategy wal_log"))
            .await?;
        // settings of roles in a database don't come with its template
        copy_role_settings(&mut admin, &template, &name).await?;
        admin.close().await?;
        Ok(TestDatabase { owner_url: self.server.owner_url(&name), name })
    }

    /// A URL for another role.
    pub fn url(&self, role: &str, password: &str, database: &str) -> String {
        self.server.url(role, password, database)
    }
}

fn chain(error: &dyn std::error::Error) -> String {
    std::iter::successors(Some(error), |e| e.source()).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

async fn exists(admin: &mut PgConnection, name: &str) -> Result<bool, Error> {
    Ok(sqlx::query_scalar("select exists (select from pg_database where datname = $1)")
        .bind(name)
        .fetch_one(admin)
        .await?)
}

async fn run(admin: &mut PgConnection, sql: String) -> Result<(), Error> {
    sqlx::raw_sql(AssertSqlSafe(sql)).execute(admin).await?;
    Ok(())
}

/// Drops the databases of processes that are gone.
async fn sweep(admin: &mut PgConnection) -> Result<(), Error> {
    let names: Vec<String> = sqlx::query_scalar(
        "select datname from pg_database where datname like 't\\_%' or datname like 'tpl\\_%'",
    )
    .fetch_all(&mut *admin)
    .await?;
    for name in names {
        let pid = name
            .strip_prefix("t_")
            .and_then(|rest| rest.split('_').next())
            .and_then(|pid| pid.parse::<u32>().ok());
        if pid.is_some_and(|pid| !std::path::Path::new(&format!("/proc/{pid}")).exists()) {
            run(admin, format!("drop database if exists \"{name}\" with (force)")).await?;
        }
    }
    Ok(())
}

async fn copy_role_settings(admin: &mut PgConnection, from: &str, to: &str) -> Result<(), Error> {
    let settings: Vec<(String, Vec<String>)> = sqlx::query_as(
        "select r.rolname::text, s.setconfig from pg_db_role_setting s join pg_roles r on r.oid = s.setrole
         join pg_database d on d.oid = s.setdatabase where d.datname = $1",
    )
    .bind(from)
    .fetch_all(&mut *admin)
    .await?;
    for (role, config) in settings {
        for (name, value) in config.iter().filter_map(|entry| entry.split_once('=')) {
            run(admin, format!("alter role \"{role}\" in database \"{to}\" set {name} = {value}")).await?;
        }
    }
    Ok(())
}
