//! What is laid before a service starts: settings, telemetry, clock, issuers, in development also a database and keys.

use std::{net::SocketAddr, num::NonZeroU32, path::PathBuf, time::Duration};

use axum::Router;
use chassis::{
    admin::Admin,
    clock::Clock,
    config::Config,
    context::Context,
    identity::{DevIssuer, IssuerConfig, Verifier},
    operations::Worker,
    seal::{self, Sealer},
    serve::serve as accept,
    telemetry::{self, Telemetry},
};
use gateway::Settings;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::Failure;
use crate::{Target, dev};

/// Everything that is needed before a service starts.
pub(crate) struct Ground {
    pub(crate) config: Config,
    pub(crate) development: Option<Development>,
    pub(super) clock: Clock,
    pub(super) verifier: Verifier,
    telemetry: Telemetry,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// What only development has.
pub(crate) struct Development {
    pub(crate) dir: PathBuf,
    pub(crate) issuer: DevIssuer,
    _lock: Option<std::fs::File>,
    _postgres: Option<devdb::Server>,
}

impl Ground {
    pub(super) async fn lay(target: Target) -> Result<Ground, Failure> {
        let mut config = dev::config()?;
        let development = dev::is_development(&config);
        if development {
            if config.get("LINLI_KEPT_TRACES") == Some("0") {
                config.set("LINLI_KEPT_TRACES", "2000");
            }
            if std::env::var_os("LINLI_LOG_FORMAT").is_none() {
                config.set("LINLI_LOG_FORMAT", "text");
            }
            if std::env::var_os("LINLI_LOG").is_none() {
                config.set("LINLI_LOG", "warn");
            }
        }
        let telemetry = telemetry::init(&telemetry::Settings {
            service: target.name().to_owned(),
            log: config.parsed("LINLI_LOG")?,
            json: config.get("LINLI_LOG_FORMAT") == Some("json"),
            otlp: config.get("OTEL_EXPORTER_OTLP_ENDPOINT").map(str::to_owned),
            kept_traces: config.parsed("LINLI_KEPT_TRACES")?,
        })?;
        let (development, clock) = if development {
            let development = Development::lay(&mut config, target).await?;
            let clock = Clock::kept_in(development.dir.join("clock"));
            (Some(development), clock)
        } else {
            (None, Clock::real())
        };
        let mut issuers: Vec<IssuerConfig> = config.issuer()?.into_iter().collect();
        issuers.extend(development.as_ref().map(|development| development.issuer.config()));
        if issuers.is_empty() {
            return Err(
                "no issuer of tokens: set LINLI_OIDC_ISSUER and LINLI_OIDC_JWKS, or LINLI_DEVELOPMENT=true"
                    .into(),
            );
        }
        let verifier = Verifier::new(issuers);
        Ok(Ground {
            config,
            development,
            telemetry,
            clock,
            verifier,
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
        })
    }

    fn banner(&self) -> Option<String> {
        self.development.as_ref().map(|_| dev::BANNER.to_owned())
    }

    pub(super) fn gateway_settings(&self) -> Result<Settings, Failure> {
        Ok(Settings {
            max_body: self.config.parsed("LINLI_MAX_BODY_BYTES")?,
            rate: self.config.parsed::<NonZeroU32>("LINLI_RATE_PER_SECOND")?,
            origins: self
                .config
                .get("LINLI_CORS_ORIGINS")
                .map(|list| list.split(',').map(|origin| origin.trim().to_owned()).collect()),
            banner: self.banner(),
        })
    }

    pub(super) fn admin(&self) -> Admin {
        let admin = Admin::default().traces(self.telemetry.store().cloned()).banner(self.banner());
        if self.development.is_some() { admin.settable_clock(self.clock.clone()) } else { admin }
    }

    /// In development: writes down where a process listens, for those beside it whose ports are picked by the system.
    pub(super) fn announce(
        &self,
        target: Target,
        main: SocketAddr,
        admin: SocketAddr,
    ) -> std::io::Result<()> {
        let Some(development) = &self.development else { return Ok(()) };
        let file = match target {
            Target::All => "addresses".to_owned(),
            _ => format!("{}.addresses", target.name()),
        };
        std::fs::write(development.dir.join(file), format!("{main}\n{admin}\n"))
    }

    pub(super) fn accept(&self, listener: TcpListener, router: Router) {
        self.tasks.spawn(accept(listener, router, self.stop.clone()));
    }

    /// What a service does beside answering calls: its operations, the numbers of its events, the chain of its audit.
    pub(super) fn work(&self, context: &Context, sealers: &'static [Sealer], worker: Worker) {
        let (db, often) = (context.db.clone(), Duration::from_millis(200));
        self.tasks.spawn(seal::run(db, sealers, often, self.stop.clone()));
        self.tasks.spawn(worker.run(self.stop.clone()));
    }

    /// Stops everything, and waits for the calls in flight.
    pub(super) async fn end(self) {
        self.stop.cancel();
        self.tasks.close();
        self.tasks.wait().await;
        self.telemetry.shutdown();
    }
}

impl Development {
    async fn lay(config: &mut Config, target: Target) -> Result<Development, Failure> {
        let dir = dev::data_dir(config);
        dev::prepare(&dir).map_err(|error| format!("preparing {}: {error}", dir.display()))?;
        let dir = dir.canonicalize()?;
        let lock = if target == Target::All { Some(dev::claim(&dir)?) } else { None };
        let without = target.services().iter().any(|service| config.get(service.database).is_none());
        let mut postgres = None;
        if without && config.get("LINLI_DATABASE_URL").is_none() {
            let (server, url) = dev::database(&dir).await?;
            config.set("LINLI_DATABASE_URL", url);
            postgres = Some(server);
        }
        config.or_set("LINLI_PAGE_KEY", dev::secret(&dir, "page.key")?);
        config.or_set("LINLI_INDEX_KEY", dev::secret(&dir, "index.key")?);
        config.or_set("LINLI_DATA_KEYS", dev::data_key(&dir)?);
        config.or_set("LINLI_OBJECT_STORE", format!("file://{}", dir.join("objects").display()));
        let issuer = DevIssuer::load_or_create(&dir)?;
        Ok(Development { dir, issuer, _lock: lock, _postgres: postgres })
    }
}
