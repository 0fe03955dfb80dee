//! How a town handles claims: terms and required documents. Data of the town; a new one begins with the defaults here.

mod store;

pub(crate) use store::read;

use chassis::{
    call::Call,
    context::Context,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag, mutate},
};
use contracts::linli::insurance::v1::{self as pb, claim_settings_service_server::ClaimSettingsService};
use kernel::{etag::Etag, name::ClaimSettingsName, text::is_code};
use serde_json::json;
use tonic::{Request, Response, Status};

use super::rules::Leg;

/// The terms, in working days, and the documents that perils ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) accept: i32,
    pub(crate) survey: i32,
    pub(crate) assess: i32,
    pub(crate) adjudicate: i32,
    pub(crate) publish: i32,
    pub(crate) notice: i32,
    pub(crate) answer: i32,
    pub(crate) pay: i32,
    pub(crate) close: i32,
    pub(crate) appeal: i32,
    /// Peril and kind of document, sorted.
    pub(crate) documents: Vec<(String, String)>,
    /// 0 while the town has written none.
    pub(crate) version: i64,
    /// Microseconds since 1970.
    pub(crate) updated: i64,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            accept: 2,
            survey: 5,
            assess: 10,
            adjudicate: 5,
            publish: 2,
            notice: 5,
            answer: 5,
            pay: 10,
            close: 10,
            appeal: 15,
            documents: Vec::new(),
            version: 0,
            updated: 0,
        }
    }
}

impl Settings {
    /// The working days of a term.
    pub(crate) fn days(&self, leg: Leg) -> i32 {
        match leg {
            Leg::Accept => self.accept,
            Leg::Survey => self.survey,
            Leg::Assess => self.assess,
            Leg::Adjudicate => self.adjudicate,
            Leg::Publish => self.publish,
            Leg::Answer => self.answer,
            Leg::Pay => self.pay,
            Leg::Close => self.close,
        }
    }

    /// The kinds of documents that a peril asks for.
    pub(crate) fn required<'a>(&'a self, peril: &'a str) -> impl Iterator<Item = &'a str> {
        self.documents.iter().filter(move |(of, _)| of == peril).map(|(_, kind)| kind.as_str())
    }

    /// Those of them that aren't among `stored`.
    pub(crate) fn missing(&self, peril: &str, stored: &[String]) -> Vec<String> {
        self.required(peril).filter(|kind| !stored.iter().any(|has| has == kind)).map(str::to_owned).collect()
    }
}

/// The gRPC service.
#[derive(Clone, Debug)]
pub(crate) struct ClaimSettings(pub(crate) Context);

fn encode(town: &str, settings: &Settings) -> pb::ClaimSettings {
    let mut required: Vec<pb::PerilDocuments> = Vec::new();
    for (peril, kind) in &settings.documents {
        match required.last_mut().filter(|last| last.peril == *peril) {
            Some(last) => last.kinds.push(kind.clone()),
            None => required.push(pb::PerilDocuments { peril: peril.clone(), kinds: vec![kind.clone()] }),
        }
    }
    pb::ClaimSettings {
        name: format!("towns/{town}/claimSettings"),
        accept_days: settings.accept,
        survey_days: settings.survey,
        assess_days: settings.assess,
        adjudicate_days: settings.adjudicate,
        publish_days: settings.publish,
        notice_days: settings.notice,
        answer_days: settings.answer,
        pay_days: settings.pay,
        close_days: settings.close,
        appeal_days: settings.appeal,
        required_documents: required,
        etag: Etag::of(settings.version).to_string(),
        update_time: (settings.version > 0).then(|| wire::to_timestamp(settings.updated)),
    }
}

/// A code of a policy or a document: `FIRE`, `INVOICES`.
///
/// # Errors
/// A fault of the field.
pub(crate) fn code(field: &str, text: &str) -> Result<String, FieldFault> {
    let fault = || FieldFault::new(field, "FORMAT", "代码如 INVOICES", "a code looks like INVOICES");
    if is_code(text, 40) { Ok(text.to_owned()) } else { Err(fault()) }
}

fn documents(faults: &mut Faults, given: &[pb::PerilDocuments]) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for (n, one) in given.iter().enumerate() {
        let at = format!("claim_settings.required_documents[{n}]");
        let Some(peril) = faults.take(code(&format!("{at}.peril"), &one.peril)) else { continue };
        for (k, kind) in one.kinds.iter().enumerate() {
            all.extend(
                faults.take(code(&format!("{at}.kinds[{k}]"), kind)).map(|kind| (peril.clone(), kind)),
            );
        }
    }
    all.sort();
    all.dedup();
    all
}

/// UpdateClaimSettings.
struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateClaimSettingsRequest;
    type Answer = pb::ClaimSettings;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::ClaimSettings>, Refusal> {
        let default = pb::ClaimSettings::default();
        let given = request.claim_settings.as_ref().unwrap_or(&default);
        let name: ClaimSettingsName = wire::name("claim_settings.name", &given.name)?;
        work.call().whole_town(name.town())?;
        store::lock(work.sql(), name.town()).await?;
        let found = store::read(work.sql(), name.town()).await?;
        check_etag(&name.to_string(), &given.etag, found.version)?;
        let mut faults = Faults::default();
        let documents = documents(&mut faults, &given.required_documents);
        let written = Settings {
            accept: given.accept_days,
            survey: given.survey_days,
            assess: given.assess_days,
            adjudicate: given.adjudicate_days,
            publish: given.publish_days,
            notice: given.notice_days,
            answer: given.answer_days,
            pay: given.pay_days,
            close: given.close_days,
            appeal: given.appeal_days,
            documents,
            version: found.version,
            updated: found.updated,
        };
        let written = faults.finish(Some(written))?;
        let version = store::write(work.sql(), name.town(), &written).await?;
        let now = store::read(work.sql(), name.town()).await?;
        Ok(Record {
            town: name.town().to_owned(),
            resource: name.to_string(),
            summary: format!("write {name}"),
            changes: vec![Change {
                resource: name.to_string(),
                version,
                verb: "update",
                from_state: "",
                to_state: "",
                comment: String::new(),
                event: "claimSettings.changed",
                data: json!({"claim_settings": name.to_string(), "version": version}),
            }],
            answer: encode(name.town(), &now),
        })
    }
}

#[tonic::async_trait]
impl ClaimSettingsService for ClaimSettings {
    async fn get_claim_settings(
        &self,
        request: Request<pb::GetClaimSettingsRequest>,
    ) -> Result<Response<pb::ClaimSettings>, Status> {
        let call = Call::of(&request)?;
        let name: ClaimSettingsName = wire::name("name", &request.get_ref().name)?;
        call.scope(name.town())?;
        let settings = store::read(self.0.db.read().await?.sql(), name.town()).await?;
        Ok(Response::new(encode(name.town(), &settings)))
    }

    async fn update_claim_settings(
        &self,
        request: Request<pb::UpdateClaimSettingsRequest>,
    ) -> Result<Response<pb::ClaimSettings>, Status> {
        mutate::<Update>(&self.0, request).await
    }
}
