//! Migrations: the chassis' tables and then the service's own, as the owner; rights for the service's role last.

use sqlx::{Connection, PgConnection, migrate::Migrator, postgres::PgConnectOptions};

use crate::refusal::Refusal;

static CHASSIS: Migrator = sqlx::migrate!("./migrations");

/// The schema of a service and the role that works in it.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The schema: `governance`.
    pub name: &'static str,
    /// The role: `linli_governance`.
    pub role: String,
    /// The service's own migrations.
    pub migrations: &'static Migrator,
}

impl Schema {
    /// The schema `name` with its usual role.
    pub fn new(name: &'static str, migrations: &'static Migrator) -> Schema {
        Schema { name, role: format!("linli_{name}"), migrations }
    }

    /// A key that changes with any migration, for templates of test databases.
    pub fn fingerprint(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        for migration in CHASSIS.iter().chain(self.migrations.iter()) {
            hash.update(&*migration.checksum);
        }
        hash.update(GRANTS);
        format!("{}_{}", self.name, hex::encode(&hash.finalize()[..8]))
    }
}

/// Brings `schema` up to date in the database at `owner_url`, whose user owns it. Safe to run twice and at once.
///
/// # Errors
/// What Postgres answered, or that a migration which ran has changed since.
pub async fn migrate(owner_url: &str, schema: &Schema) -> Result<(), Refusal> {
    let options: PgConnectOptions = owner_url.parse().map_err(Refusal::internal)?;
    let mut connection = PgConnection::connect_with(&options).await?;
    prepare(&mut connection, schema).await?;
    for (migrator, table) in [(&CHASSIS, "_chassis_migrations"), (schema.migrations, "_migrations")] {
        let mut migrator = Migrator::with_migrations(migrator.iter().cloned().collect());
        migrator.dangerous_set_table_name(format!("{}.{table}", schema.name));
        migrator.run(&mut connection).await.map_err(Refusal::internal)?;
    }
    run(&mut connection, &for_schema(GRANTS, schema)).await?;
    connection.close().await?;
    Ok(())
}

/// Extension, schema and role; under a lock, because roles belong to the whole cluster.
async fn prepare(connection: &mut PgConnection, schema: &Schema) -> Result<(), Refusal> {
    run(connection, &for_schema(PREPARE, schema)).await?;
    run(connection, &format!("set search_path = {}, public", schema.name)).await
}

async fn run(connection: &mut PgConnection, sql: &str) -> Result<(), Refusal> {
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned())).execute(connection).await?;
    Ok(())
}

fn for_schema(sql: &str, schema: &Schema) -> String {
    sql.replace("$schema", schema.name).replace("$role", &schema.role)
}

const PREPARE: &str = include_str!("prepare.sql");
const GRANTS: &str = include_str!("grants.sql");
