//! People: one record for each identity number, sealed at rest, masked in answers, read in clear under audit.

pub(crate) mod acts;
pub(crate) mod encode;
mod reencrypt;
pub(crate) mod sealed;
pub(crate) mod store;

pub(crate) use reencrypt::Reencrypt;

use chassis::{
    call::Call,
    context::Context,
    operations::Worker,
    paging::Paging,
    refusal::{FieldFault, Refusal},
    timeline, wire,
    work::{Record, Work, mutate},
};
use contracts::{
    google::longrunning as lro,
    linli::governance::v1::{self as pb, person_service_server::PersonService},
};
use kernel::{
    ids::CitizenId,
    name::{PersonName, TownName},
};
use tonic::{Request, Response, Status};

use crate::{force, membership, residence, stewardship};

/// The gRPC service.
#[derive(Clone)]
pub struct People {
    /// What handlers share.
    pub context: Context,
    /// The worker, to be woken.
    pub worker: Worker,
}

impl People {
    async fn read(&self, call: &Call, request: &pb::GetPersonRequest) -> Result<pb::Person, Refusal> {
        let name: PersonName = wire::name("name", &request.name)?;
        let scope = call.scope_about(&name)?;
        let found = store::get(self.context.db.read().await?.sql(), &name, &scope, call.today()).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Person", name.to_string()))?;
        encode::masked(self.context.db.vault(), &found)
    }

    async fn search(
        &self,
        call: &Call,
        request: &pb::SearchPeopleRequest,
    ) -> Result<pb::SearchPeopleResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let vault = self.context.db.vault();
        let citizen = match request.citizen_id.trim() {
            "" => None,
            text => Some(CitizenId::parse(text).map_err(|error| {
                Refusal::field("citizen_id", "CITIZEN_ID", "公民身份号码有误", error.to_string())
            })?),
        };
        let citizen = citizen.map(|citizen| sealed::citizen_index(vault, town.town(), &citizen));
        let full_name = Some(request.full_name.trim()).filter(|name| !name.is_empty());
        let full_name = full_name.map(|name| sealed::name_index(vault, town.town(), name));
        if citizen.is_none() && full_name.is_none() {
            let fault = FieldFault::new(
                "citizen_id",
                "REQUIRED",
                "号码与姓名至少填一项",
                "a number or a name is required",
            );
            return Err(Refusal::fields(vec![fault]));
        }
        // the token is bound to what is sought by its hashes, never by the text
        let hash = |index: &Option<Vec<u8>>| index.as_ref().map(hex::encode).unwrap_or_default();
        let bound = [town.town(), &hash(&citizen), &hash(&full_name)];
        let paging = Paging::open(&self.context, call, &bound, request.page_size, &request.page_token)?;
        let after = paging.after_first().map(str::to_owned);
        let sought = store::Sought { citizen, full_name, after, limit: paging.limit() };
        let mut read = self.context.db.read().await?;
        let mut found = store::search(read.sql(), (&scope, town.town(), call.today()), sought).await?;
        let next_page_token = paging.next(&mut found, |person| vec![person.id.clone()]);
        let people = found.iter().map(|person| encode::masked(vault, person)).collect::<Result<_, _>>()?;
        Ok(pb::SearchPeopleResponse { people, next_page_token })
    }

    /// Keeps the reading, in the audit too, before anything is shown.
    async fn unmask(
        &self,
        call: &Call,
        name: &str,
        purpose: &str,
    ) -> Result<(PersonName, pb::Person), Refusal> {
        let name: PersonName = wire::name("name", name)?;
        let scope = call.scope_about(&name)?;
        if purpose.trim().is_empty() {
            return Err(Refusal::field("purpose", "REQUIRED", "须写明用途", "say what for"));
        }
        let mut work = Work::plain(&self.context.db, call).await?;
        let found = store::get(work.sql(), &name, &scope, call.today()).await?;
        let found = found.ok_or_else(|| call.missing(&scope, "linli.dev/Person", name.to_string()))?;
        store::note_reading(work.sql(), &name, call.principal(), call.method(), purpose.trim()).await?;
        let record = Record {
            town: name.town().to_owned(),
            resource: name.to_string(),
            summary: format!("read {name} in clear"),
            changes: Vec::new(),
            // the answer of a reading is never kept
            answer: pb::Person::default(),
        };
        work.commit(record).await?;
        Ok((name, encode::revealed(self.context.db.vault(), &found)?))
    }

    async fn file(&self, call: &Call, request: &pb::ExportPersonRequest) -> Result<pb::PersonFile, Refusal> {
        let (name, person) = self.unmask(call, &request.name, &request.purpose).await?;
        let mut read = self.context.db.read().await?;
        let residences = residence::store::of_person(read.sql(), &name).await?;
        let memberships = membership::store::of_person(read.sql(), &name).await?;
        let stewardships = stewardship::store::of_person(read.sql(), &name).await?;
        let forces = force::store::of_person(read.sql(), &name).await?;
        let readings =
            store::readings(read.sql(), &name).await?.into_iter().map(|reading| pb::PersonReading {
                read_time: Some(wire::to_timestamp(reading.at)),
                principal: reading.principal,
                method: reading.method,
                purpose: reading.purpose,
            });
        Ok(pb::PersonFile {
            person: Some(person),
            residences: residences.iter().map(residence::encode).collect::<Result<_, _>>()?,
            memberships: memberships.iter().map(membership::encode).collect::<Result<_, _>>()?,
            stewardships: stewardships
                .iter()
                .map(stewardship::encode::stewardship)
                .collect::<Result<_, _>>()?,
            readings: readings.collect(),
            timeline: timeline::read(read.sql(), name.town(), &name.to_string()).await?,
            block_forces: forces.iter().map(force::encode).collect::<Result<_, _>>()?,
        })
    }
}

#[tonic::async_trait]
impl PersonService for People {
    async fn get_person(
        &self,
        request: Request<pb::GetPersonRequest>,
    ) -> Result<Response<pb::Person>, Status> {
        Ok(Response::new(self.read(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn search_people(
        &self,
        request: Request<pb::SearchPeopleRequest>,
    ) -> Result<Response<pb::SearchPeopleResponse>, Status> {
        Ok(Response::new(self.search(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn create_person(
        &self,
        request: Request<pb::CreatePersonRequest>,
    ) -> Result<Response<pb::Person>, Status> {
        mutate::<acts::Create>(&self.context, request).await
    }

    async fn update_person(
        &self,
        request: Request<pb::UpdatePersonRequest>,
    ) -> Result<Response<pb::Person>, Status> {
        mutate::<acts::Update>(&self.context, request).await
    }

    async fn reveal_person(
        &self,
        request: Request<pb::RevealPersonRequest>,
    ) -> Result<Response<pb::Person>, Status> {
        let (call, request) = (Call::of(&request)?, request.into_inner());
        Ok(Response::new(self.unmask(&call, &request.name, &request.purpose).await?.1))
    }

    async fn export_person(
        &self,
        request: Request<pb::ExportPersonRequest>,
    ) -> Result<Response<pb::PersonFile>, Status> {
        Ok(Response::new(self.file(&Call::of(&request)?, request.get_ref()).await?))
    }

    async fn reencrypt_people(
        &self,
        request: Request<pb::ReencryptPeopleRequest>,
    ) -> Result<Response<lro::Operation>, Status> {
        let answer = mutate::<reencrypt::Begin>(&self.context, request).await;
        self.worker.wake();
        answer
    }
}
