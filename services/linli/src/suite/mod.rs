//! Every service in one process, or one of them.

mod ground;
mod services;

pub(crate) use services::{GOVERNANCE, SERVICES, Service};

use std::{collections::HashMap, time::Duration};

use chassis::{
    admin::Admin,
    context::Context,
    identity::refuse_unless_loopback,
    layers,
    peer::{self, Peer, traced},
};
use gateway::Backends;
use tokio::net::TcpListener;

use self::{
    ground::Ground,
    services::{FUNDING, INSURANCE, WORKFORCE},
};
use crate::{Done, Target, dev};

type Failure = Box<dyn std::error::Error + Send + Sync>;

impl Target {
    /// The one service that it runs, when it is one.
    fn service(self) -> Option<&'static Service> {
        match self {
            Target::All | Target::Gateway => None,
            Target::Governance => Some(&GOVERNANCE),
            Target::Funding => Some(&FUNDING),
            Target::Insurance => Some(&INSURANCE),
            Target::Workforce => Some(&WORKFORCE),
        }
    }

    /// The services that it runs.
    pub(crate) fn services(self) -> Vec<&'static Service> {
        match self {
            Target::All => SERVICES.to_vec(),
            _ => self.service().into_iter().collect(),
        }
    }

    /// What it is called in traces.
    fn name(self) -> &'static str {
        match self {
            Target::All => "linli",
            _ => self.service().map_or("gateway", |service| service.name),
        }
    }

    /// The setting of where it listens.
    fn listen(self) -> &'static str {
        self.service().map_or("LINLI_GATEWAY_LISTEN", |service| service.listen)
    }
}

/// Runs `target` until it is asked to stop.
pub(crate) async fn serve(target: Target) -> Done {
    let ground = Ground::lay(target).await?;
    let listen = Listeners::bind(&ground, target).await?;
    let done = match target.service() {
        Some(service) => alone(&ground, listen, target, service).await,
        None if target == Target::All => all(&ground, listen).await,
        None => gateway_alone(&ground, listen).await,
    };
    if done.is_ok() {
        stopped().await;
        tracing::info!("stopping: calls in flight are finished");
    }
    ground.end().await;
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
    async fn bind(ground: &Ground, target: Target) -> Result<Listeners, Failure> {
        let main = ground.config.listen(target.listen())?;
        let admin = ground.config.listen("LINLI_ADMIN_LISTEN")?;
        if ground.development.is_some() {
            refuse_unless_loopback(&[main, admin])?;
        }
        let bind = async |address| {
            TcpListener::bind(address).await.map_err(|error| format!("listening on {address}: {error}"))
        };
        Ok(Listeners { main: bind(main).await?, admin: bind(admin).await? })
    }
}

/// The admin port is ready when the database of the service answers.
fn checked(admin: Admin, context: &Context) -> Admin {
    let db = context.db.clone();
    admin.check(format!("{} database", context.service), move || {
        let db = db.clone();
        async move { db.ping().await }
    })
}

async fn all(ground: &Ground, listen: Listeners) -> Done {
    chassis::validate::install();
    let mut near: HashMap<&str, Peer> = HashMap::new();
    let mut admin_port = ground.admin();
    for service in SERVICES {
        let context = service.context(ground).await?;
        let router = service.layered(ground, &context, near.get(GOVERNANCE.name).cloned())?;
        near.insert(service.name, layers::near(router));
        admin_port = checked(admin_port, &context);
        if service.name == GOVERNANCE.name
            && ground.development.is_some()
            && ground.config.parsed("LINLI_DEMO")?
        {
            governance::demo::load(&context, &ground.clock).await?;
        }
    }
    let backends = near.into_iter().map(|(name, peer)| (name.to_owned(), traced(peer, "gateway")));
    let backends = Backends::new(backends.collect());
    let edge = gateway::gateway(&ground.gateway_settings()?, &backends, ground.verifier.clone())?;
    let (gateway, admin) = (listen.main.local_addr()?, listen.admin.local_addr()?);
    ground.accept(listen.main, edge);
    ground.accept(listen.admin, admin_port.router());
    ground.announce(Target::All, gateway, admin)?;
    if let Some(development) = &ground.development {
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

async fn alone(ground: &Ground, listen: Listeners, target: Target, service: &Service) -> Done {
    chassis::validate::install();
    let governance = match service.asks() {
        true => Some(peer::far(&ground.config.parsed::<String>(GOVERNANCE.url)?)?),
        false => None,
    };
    let context = service.context(ground).await?;
    let router = service.layered(ground, &context, governance)?;
    let (address, admin) = (listen.main.local_addr()?, listen.admin.local_addr()?);
    ground.accept(listen.main, router);
    ground.accept(listen.admin, checked(ground.admin(), &context).router());
    ground.announce(target, address, admin)?;
    tracing::info!(service = service.name, %address, %admin, "listening");
    Ok(())
}

/// The gateway before the services whose URL is set.
async fn gateway_alone(ground: &Ground, listen: Listeners) -> Done {
    let mut backends = HashMap::new();
    for service in SERVICES {
        if let Some(url) = ground.config.get(service.url) {
            backends.insert(service.name.to_owned(), traced(peer::far(url)?, "gateway"));
        }
    }
    if backends.is_empty() {
        let names = SERVICES.map(|service| service.url).join(", ");
        return Err(format!("no service to stand before: set {names}").into());
    }
    let backends = Backends::new(backends);
    let edge = gateway::gateway(&ground.gateway_settings()?, &backends, ground.verifier.clone())?;
    let (gateway, admin) = (listen.main.local_addr()?, listen.admin.local_addr()?);
    ground.accept(listen.main, edge);
    ground.accept(listen.admin, ground.admin().router());
    ground.announce(Target::Gateway, gateway, admin)?;
    tracing::info!(%gateway, %admin, "the gateway is listening");
    Ok(())
}
