//! Every service in one process, or one of them.

use std::{collections::HashMap, num::NonZeroU32, path::PathBuf, sync::Arc, time::Duration};

use axum::Router;
use chassis::{
    admin::Admin,
    clock::Clock,
    config::Config,
    context::Context,
    db::{Db, PoolSettings, Schema, migrate},
    identity::{
        CachedDirectory, DevDirectory, DevIssuer, Directory, IssuerConfig, Verifier, refuse_unless_loopback,
    },
    layers::{self, Gatekeeper, Layers, Permissions},
    peer,
    serve::serve as accept,
    telemetry::{self, Telemetry},
};
use gateway::{Backends, Settings};
use governance::access::BindingDirectory;
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{Done, Target, dev};

/// Everything that is needed before a service starts.
pub(crate) struct Ground {
    pub(crate) config: Config,
    pub(crate) development: Option<Development>,
    telemetry: Telemetry,
    clock: Clock,
    verifier: Verifier,
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

/// The schema of governance.
pub(crate) fn governance_schema() -> Schema {
    Schema::new("governance", &governance::MIGRATIONS)
}

/// Runs `target` until it is asked to stop.
pub(crate) async fn serve(target: Target) -> Done {
    let ground = Ground::lay(target).await?;
    let listen = Listeners::bind(&ground, target).await?;
    let done = match target {
        Target::All => all(&ground, listen).await,
        Target::Governance => governance_alone(&ground, listen).await,
        Target::Gateway => gateway_alone(&ground, listen).await,
    };
    if done.is_ok() {
        stopped().await;
        tracing::info!("stopping: calls in flight are finished");
    }
    ground.stop.cancel();
    ground.tasks.close();
    ground.tasks.wait().await;
    ground.telemetry.shutdown();
    done
}

/// SIGTERM, SIGINT.
async fn stopped() {
    use tokio::signal::unix::{SignalKind, signal};
    let terminated = async {
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        () = terminated => {}
        _ = tokio::signal::ctrl_c() => {}
    }
}

struct Listeners {
    main: TcpListener,
    admin: TcpListener,
}

impl Listeners {
    async fn bind(
        ground: &Ground,
        target: Target,
    ) -> Result<Listeners, Box<dyn std::error::Error + Send + Sync>> {
        let main = match target {
            Target::All | Target::Gateway => "LINLI_GATEWAY_LISTEN",
            Target::Governance => "LINLI_GOVERNANCE_LISTEN",
        };
        let (main, admin) = (ground.config.listen(main)?, ground.config.listen("LINLI_ADMIN_LISTEN")?);
        if ground.development.is_some() {
            refuse_unless_loopback(&[main, admin])?;
        }
        let bind = async |address| {
            TcpListener::bind(address).await.map_err(|error| format!("listening on {address}: {error}"))
        };
        Ok(Listeners { main: bind(main).await?, admin: bind(admin).await? })
    }
}

impl Ground {
    async fn lay(target: Target) -> Result<Ground, Box<dyn std::error::Error + Send + Sync>> {
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
            service: match target {
                Target::All => "linli",
                Target::Governance => "governance",
                Target::Gateway => "gateway",
            }
            .to_owned(),
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

    /// The database of governance with its context, migrated in development.
    pub(crate) async fn governance(&self) -> Result<Context, Box<dyn std::error::Error + Send + Sync>> {
        let schema = governance_schema();
        let url = self
            .config
            .get("LINLI_GOVERNANCE_DATABASE_URL")
            .or_else(|| self.config.get("LINLI_DATABASE_URL"));
        let url = url.ok_or("no database: set LINLI_GOVERNANCE_DATABASE_URL or LINLI_DATABASE_URL")?;
        if self.development.is_some() {
            migrate(url, &schema).await?;
        }
        let pool = PoolSettings {
            connections: self.config.parsed("LINLI_POOL_CONNECTIONS")?,
            ..PoolSettings::default()
        };
        Ok(Context {
            service: "governance",
            db: Db::open(url, &schema, &pool, self.config.vault()?)?,
            pages: self.config.page_key()?,
        })
    }

    /// Governance within its layers, with its background work.
    fn layered_governance(
        &self,
        context: &Context,
    ) -> Result<Router, Box<dyn std::error::Error + Send + Sync>> {
        chassis::validate::install();
        let bindings: Arc<dyn Directory> = Arc::new(BindingDirectory(Arc::new(context.db.clone())));
        let bindings: Arc<dyn Directory> = Arc::new(CachedDirectory::new(bindings));
        let directory: Arc<dyn Directory> = match &self.development {
            Some(_) => Arc::new(DevDirectory::new(bindings, dev::DEMO_TOWN)),
            None => bindings,
        };
        let pool = prost_reflect::DescriptorPool::decode(contracts::DESCRIPTORS)?;
        let gatekeeper = Gatekeeper {
            service: "governance",
            permissions: Permissions::read(&pool),
            verifier: self.verifier.clone(),
            directory: directory.clone(),
            clock: self.clock.clone(),
        };
        let worker =
            chassis::operations::Worker::new(context.clone(), self.clock.clone(), governance::jobs());
        let layers = Layers {
            service: "governance",
            gatekeeper: Arc::new(gatekeeper),
            in_flight: 512,
            deadline: Duration::from_secs(60),
        };
        let router = layers::layered(
            governance::routes(
                context,
                &worker,
                directory,
                self.development.as_ref().map(|_| governance::demo::MARK),
            ),
            &layers,
        );
        self.tasks.spawn(chassis::seal::run(
            context.db.clone(),
            &[],
            Duration::from_millis(200),
            self.stop.clone(),
        ));
        self.tasks.spawn(worker.run(self.stop.clone()));
        Ok(router)
    }

    fn gateway_settings(&self) -> Result<Settings, Box<dyn std::error::Error + Send + Sync>> {
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

    fn admin(&self) -> Admin {
        let admin = Admin::default().traces(self.telemetry.store().cloned()).banner(self.banner());
        if self.development.is_some() { admin.settable_clock(self.clock.clone()) } else { admin }
    }

    fn accept(&self, listener: TcpListener, router: Router) {
        self.tasks.spawn(accept(listener, router, self.stop.clone()));
    }
}

impl Development {
    async fn lay(
        config: &mut Config,
        target: Target,
    ) -> Result<Development, Box<dyn std::error::Error + Send + Sync>> {
        let dir = dev::data_dir(config);
        dev::prepare(&dir).map_err(|error| format!("preparing {}: {error}", dir.display()))?;
        let dir = dir.canonicalize()?;
        let lock = if target == Target::All { Some(dev::claim(&dir)?) } else { None };
        let own = config.get("LINLI_DATABASE_URL").is_none()
            && config.get("LINLI_GOVERNANCE_DATABASE_URL").is_none();
        let mut postgres = None;
        if own && target != Target::Gateway {
            let (server, url) = dev::database(&dir).await?;
            config.set("LINLI_DATABASE_URL", url);
            postgres = Some(server);
        }
        config.or_set("LINLI_PAGE_KEY", dev::secret(&dir, "page.key")?);
        config.or_set("LINLI_INDEX_KEY", dev::secret(&dir, "index.key")?);
        config.or_set("LINLI_DATA_KEYS", dev::data_key(&dir)?);
        let issuer = DevIssuer::load_or_create(&dir)?;
        Ok(Development { dir, issuer, _lock: lock, _postgres: postgres })
    }
}

async fn all(ground: &Ground, listen: Listeners) -> Done {
    let context = ground.governance().await?;
    let router = ground.layered_governance(&context)?;
    let near = layers::near(router);
    let backends =
        Backends::new(HashMap::from([("governance".to_owned(), peer::traced(near.clone(), "gateway"))]));
    if ground.development.is_some() && ground.config.parsed("LINLI_DEMO")? {
        governance::demo::load(&context, &ground.clock).await?;
    }
    let edge = gateway::gateway(&ground.gateway_settings()?, &backends, ground.verifier.clone())?;
    let (gateway, admin) = (listen.main.local_addr()?, listen.admin.local_addr()?);
    let db = context.db.clone();
    ground.accept(listen.main, edge);
    ground.accept(
        listen.admin,
        ground
            .admin()
            .check("governance database", move || {
                let db = db.clone();
                async move { db.ping().await }
            })
            .router(),
    );
    if let Some(development) = &ground.development {
        std::fs::write(development.dir.join("addresses"), format!("{gateway}\n{admin}\n"))?;
        let token = dev::token(
            &development.issuer,
            "town-officer",
            None,
            Some("town-officer-1"),
            Duration::from_secs(12 * 3600),
        )?;
        dev::welcome(gateway, admin, &development.dir, &token);
    }
    tracing::info!(%gateway, %admin, "listening");
    Ok(())
}

async fn governance_alone(ground: &Ground, listen: Listeners) -> Done {
    let context = ground.governance().await?;
    let router = ground.layered_governance(&context)?;
    let (service, admin) = (listen.main.local_addr()?, listen.admin.local_addr()?);
    let db = context.db.clone();
    ground.accept(listen.main, router);
    ground.accept(
        listen.admin,
        ground
            .admin()
            .check("database", move || {
                let db = db.clone();
                async move { db.ping().await }
            })
            .router(),
    );
    tracing::info!(%service, %admin, "governance is listening");
    Ok(())
}

async fn gateway_alone(ground: &Ground, listen: Listeners) -> Done {
    let url: String = ground.config.parsed("LINLI_GOVERNANCE_URL")?;
    let backends =
        Backends::new(HashMap::from([("governance".to_owned(), peer::traced(peer::far(&url)?, "gateway"))]));
    let edge = gateway::gateway(&ground.gateway_settings()?, &backends, ground.verifier.clone())?;
    let (gateway, admin) = (listen.main.local_addr()?, listen.admin.local_addr()?);
    ground.accept(listen.main, edge);
    ground.accept(listen.admin, ground.admin().router());
    tracing::info!(%gateway, %admin, "the gateway is listening");
    Ok(())
}
