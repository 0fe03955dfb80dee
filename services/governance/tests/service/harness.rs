//! A governance service with its layers, near, and callers with tokens.

use std::{sync::Arc, time::Duration};

use chassis::{
    clock::Clock,
    db::Schema,
    identity::{CachedDirectory, DevClaims, DevDirectory, DevIssuer, Directory, Verifier},
    layers::{self, Gatekeeper, Layers, Permissions},
    operations::Worker,
    peer::Peer,
    testing::TestDb,
    validate,
};
use contracts::linli::governance::v1::{
    self as pb, block_service_client::BlockServiceClient, building_service_client::BuildingServiceClient,
    committee_service_client::CommitteeServiceClient, estate_service_client::EstateServiceClient,
    household_service_client::HouseholdServiceClient, stewardship_service_client::StewardshipServiceClient,
};
use governance::access::BindingDirectory;
use jiff::civil::Date;
use prost_reflect::DescriptorPool;
use tonic::{Request, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

/// A service of one test.
pub(crate) struct Service {
    pub(crate) db: TestDb,
    pub(crate) clock: Clock,
    pub(crate) peer: Peer,
    pub(crate) worker: Worker,
    pub(crate) issuer: DevIssuer,
}

/// A service with the town `malu`, its community `a` and the founded committee `c1`, on `today`.
pub(crate) async fn service(today: Date) -> Service {
    let schema = Schema::new("governance", &governance::MIGRATIONS);
    let db = TestDb::new(&schema).await;
    validate::install();
    let clock = Clock::starting(today);
    let dir = tempfile::tempdir().unwrap();
    let issuer = DevIssuer::load_or_create(dir.path()).unwrap();
    let bindings: Arc<dyn Directory> = Arc::new(BindingDirectory(Arc::new(db.context.db.clone())));
    let told: Arc<dyn Directory> = Arc::new(DevDirectory::new(bindings, "malu"));
    let directory = Arc::new(CachedDirectory::new(told.clone()));
    let pool = DescriptorPool::decode(contracts::DESCRIPTORS).unwrap();
    let gatekeeper = Gatekeeper {
        service: "governance",
        permissions: Permissions::read(&pool),
        verifier: Verifier::new(vec![issuer.config()]),
        directory,
        clock: clock.clone(),
    };
    let worker = Worker::new(db.context.clone(), clock.clone(), governance::jobs());
    let layers = Layers {
        service: "governance",
        gatekeeper: Arc::new(gatekeeper),
        in_flight: 512,
        deadline: Duration::from_secs(30),
    };
    let peer = layers::near(layers::layered(governance::routes(&db.context, &worker, told, None), &layers));
    let service = Service { db, clock, peer, worker, issuer };
    service
        .sql("insert into town (town, display_name) values ('malu', '马陆镇'), ('other', '另一个镇')")
        .await;
    service
        .sql("insert into community (town, id, display_name) values ('malu', 'a', '甲'), ('malu', 'b', '乙')")
        .await;
    service
}

impl Service {
    /// A worker beside the service's own.
    pub(crate) fn another_worker(&self, jobs: chassis::operations::Jobs) -> Worker {
        Worker::new(self.db.context.clone(), self.clock.clone(), jobs)
    }

    /// SQL behind the service's back, as the owner.
    pub(crate) async fn try_sql(&self, sql: &str) -> Result<(), sqlx::Error> {
        use sqlx::Connection;
        let mut owner = sqlx::PgConnection::connect(&self.db.database.owner_url).await?;
        let sql = format!("set search_path = governance, public; begin; {sql}; commit");
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut owner).await?;
        Ok(())
    }

    /// The same, when it must work.
    pub(crate) async fn sql(&self, sql: &str) {
        self.try_sql(sql).await.unwrap_or_else(|error| panic!("{sql}: {error}"));
    }

    /// A token of `role` in `area`.
    pub(crate) fn token(&self, subject: &str, role: &str, area: &str) -> String {
        let claims = DevClaims {
            subject: subject.to_owned(),
            groups: vec![format!("{role}@{area}")],
            person: None,
            lifetime: Duration::from_secs(600),
        };
        self.issuer.token(&claims).unwrap()
    }

    /// A request of a town officer.
    pub(crate) fn officer<T>(&self, message: T) -> Request<T> {
        with(message, &self.token("officer", "town-officer", "malu"))
    }

    pub(crate) fn committees(&self) -> CommitteeServiceClient<Peer> {
        CommitteeServiceClient::new(self.peer.clone())
    }

    pub(crate) fn blocks(&self) -> BlockServiceClient<Peer> {
        BlockServiceClient::new(self.peer.clone())
    }

    pub(crate) fn stewardships(&self) -> StewardshipServiceClient<Peer> {
        StewardshipServiceClient::new(self.peer.clone())
    }

    /// A founded committee of community `a`.
    pub(crate) async fn committee(&self, id: &str, founded: Date) -> pb::Committee {
        let committee = pb::Committee {
            display_name: format!("居委会 {id}"),
            kind: pb::CommitteeKind::ResidentsCommittee.into(),
            community: "towns/malu/communities/a".to_owned(),
            founding_date: Some(date(founded)),
            ..Default::default()
        };
        let request = pb::CreateCommitteeRequest {
            parent: "towns/malu".to_owned(),
            committee_id: id.to_owned(),
            committee: Some(committee),
            ..Default::default()
        };
        self.committees().create_committee(self.officer(request)).await.unwrap().into_inner()
    }

    /// A block of a committee with the steward `w-0`.
    pub(crate) async fn block(&self, id: &str, committee: &str, start: Date) -> pb::Block {
        let request = pb::CreateBlockRequest {
            parent: "towns/malu".to_owned(),
            block_id: id.to_owned(),
            block: Some(pb::Block {
                display_name: format!("区块 {id}"),
                committee: format!("towns/malu/committees/{committee}"),
                start_date: Some(date(start)),
                ..Default::default()
            }),
            steward: Some(steward(0)),
            ..Default::default()
        };
        self.blocks().create_block(self.officer(request)).await.unwrap().into_inner()
    }

    /// An estate of a committee.
    pub(crate) async fn estate(&self, id: &str, committee: &str) -> pb::Estate {
        let estate = pb::Estate {
            display_name: format!("小区 {id}"),
            committee: format!("towns/malu/committees/{committee}"),
            ..Default::default()
        };
        let request = pb::CreateEstateRequest {
            parent: "towns/malu".to_owned(),
            estate_id: id.to_owned(),
            estate: Some(estate),
            ..Default::default()
        };
        let mut client = EstateServiceClient::new(self.peer.clone());
        client.create_estate(self.officer(request)).await.unwrap().into_inner()
    }

    /// A building of an estate, in a block or in none.
    pub(crate) async fn building(&self, id: &str, estate: &str, block: Option<&str>) -> pb::Building {
        let building = pb::Building {
            display_name: format!("{id} 号楼"),
            estate: format!("towns/malu/estates/{estate}"),
            block: block.map(|id| format!("towns/malu/blocks/{id}")).unwrap_or_default(),
            ..Default::default()
        };
        let request = pb::CreateBuildingRequest {
            parent: "towns/malu".to_owned(),
            building_id: id.to_owned(),
            building: Some(building),
            ..Default::default()
        };
        let mut client = BuildingServiceClient::new(self.peer.clone());
        client.create_building(self.officer(request)).await.unwrap().into_inner()
    }

    /// A household behind a door.
    pub(crate) async fn household(&self, id: &str, building: &str, door: &str) -> pb::Household {
        let household = pb::Household {
            building: format!("towns/malu/buildings/{building}"),
            door: door.to_owned(),
            occupancy: pb::Occupancy::Owned.into(),
            ..Default::default()
        };
        let request = pb::CreateHouseholdRequest {
            parent: "towns/malu".to_owned(),
            household_id: id.to_owned(),
            household: Some(household),
            ..Default::default()
        };
        let mut client = HouseholdServiceClient::new(self.peer.clone());
        client.create_household(self.officer(request)).await.unwrap().into_inner()
    }

    /// Who is steward of a block on a day, as known at an instant.
    pub(crate) async fn steward_on(
        &self,
        block: &str,
        day: Date,
        read_time: Option<prost_types::Timestamp>,
    ) -> String {
        let request = pb::LookUpStewardRequest {
            name: format!("towns/malu/blocks/{block}"),
            as_of_date: Some(date(day)),
            read_time,
        };
        self.stewardships().look_up_steward(self.officer(request)).await.unwrap().into_inner().worker
    }
}

/// A message with a token.
pub(crate) fn with<T>(message: T, token: &str) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    request
}

pub(crate) fn date(date: Date) -> contracts::google::r#type::Date {
    chassis::wire::to_date(date)
}

pub(crate) fn steward(n: u32) -> pb::Steward {
    pb::Steward { person: String::new(), worker: format!("towns/malu/workers/w-{n}") }
}

pub(crate) fn uuid() -> String {
    Uuid::new_v4().to_string()
}

/// The reason of an error.
pub(crate) fn reason(status: &Status) -> String {
    status.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
}
