//! Claims, from the report to the end.

mod attempts;
mod behind;
mod beneficiaries;
mod canaries;
mod eyes;
mod file_cells;
mod file_races;
mod files;
mod flow;
mod held;
mod parts;
mod queue;
mod races;
mod refusals;
mod reversals;
mod terms;

use contracts::linli::{
    common::v1::Payee,
    insurance::v1::{
        self as pb, claim_service_client::ClaimServiceClient, incident_service_client::IncidentServiceClient,
    },
};
use jiff::civil::Date;
use tonic::{Request, Status};

use crate::harness::{Service, date, fen, uuid, with};

/// What happened, to whom, where.
#[derive(Clone, Copy)]
pub(crate) struct Event<'a> {
    pub(crate) peril: &'a str,
    pub(crate) on: Date,
    /// A household `h-1`, an estate `e-1`, or words.
    pub(crate) place: &'a str,
    pub(crate) person: &'a str,
    pub(crate) household: &'a str,
}

/// A fire in the household of `r-1`.
pub(crate) fn fire(on: Date) -> Event<'static> {
    Event { peril: "FIRE", on, place: "h-1", person: "r-1", household: "h-1" }
}

pub(crate) fn payee() -> Payee {
    Payee {
        display_name: "钱甲子".to_owned(),
        bank: "示例银行".to_owned(),
        account_number: "6222021001123456789".to_owned(),
        masked: false,
    }
}

/// An incident as the family reports it.
pub(crate) fn incident_of(event: Event<'_>) -> pb::Incident {
    let place = match event.place {
        id if id.starts_with("h-") => {
            pb::incident::Place::PlaceHousehold(format!("towns/malu/households/{id}"))
        }
        id if id.starts_with("e-") => pb::incident::Place::PlaceEstate(format!("towns/malu/estates/{id}")),
        text => pb::incident::Place::PlaceText(text.to_owned()),
    };
    pb::Incident {
        peril: event.peril.to_owned(),
        happen_date: Some(date(event.on)),
        place: Some(place),
        description: "出险".to_owned(),
        source: pb::IncidentSource::Family.into(),
        person: format!("towns/malu/people/{}", event.person),
        household: if event.household.is_empty() {
            String::new()
        } else {
            format!("towns/malu/households/{}", event.household)
        },
        ..Default::default()
    }
}

/// Everything that a step is called with beside its name.
macro_rules! step {
    ($request:ident, $claim:expr $(, $field:ident: $value:expr)* $(,)?) => {
        contracts::linli::insurance::v1::$request {
            name: $claim.name.clone(), etag: $claim.etag.clone(), request_id: $crate::harness::uuid(),
            comment: String::new(), validate_only: false, $($field: $value),*
        }
    };
}
pub(crate) use step;

/// Who calls: a role, and where it holds.
#[derive(Clone, Copy)]
pub(crate) enum As<'a> {
    Committee(&'a str, &'a str),
    Adjuster(&'a str, &'a str),
}

impl Service {
    pub(crate) fn by<T>(&self, who: As<'_>, message: T) -> Request<T> {
        let token = match who {
            As::Committee(who, id) => self.token(who, "committee-officer", &format!("committee:{id}")),
            As::Adjuster(who, id) => self.token(who, "adjuster", &format!("organisation:{id}")),
        };
        with(message, &token)
    }

    pub(crate) fn claims(&self) -> ClaimServiceClient<chassis::peer::Peer> {
        ClaimServiceClient::new(self.peer.clone())
    }

    /// An incident that is reported and verified; its name.
    pub(crate) async fn incident(&self, event: Event<'_>) -> String {
        self.verified(incident_of(event)).await
    }

    /// The same, as it is said.
    pub(crate) async fn verified(&self, incident: pb::Incident) -> String {
        let mut client = IncidentServiceClient::new(self.peer.clone());
        let request = pb::CreateIncidentRequest {
            parent: "towns/malu".to_owned(),
            incident: Some(incident),
            request_id: uuid(),
            ..Default::default()
        };
        let incident = client.create_incident(self.officer("reporter", request)).await.unwrap().into_inner();
        let verify = step!(VerifyIncidentRequest, incident);
        client.verify_incident(self.officer("verifier", verify)).await.unwrap().into_inner().name
    }

    /// A claim as a request says it, of an incident.
    pub(crate) fn claim_draft(&self, incident: &str, event: Event<'_>, claimed: Option<i64>) -> pb::Claim {
        pb::Claim {
            incident: incident.to_owned(),
            insured: format!("towns/malu/people/{}", event.person),
            household: if event.household.is_empty() {
                String::new()
            } else {
                format!("towns/malu/households/{}", event.household)
            },
            claimed_amount: claimed.map(fen),
            payee: Some(payee()),
            ..Default::default()
        }
    }

    pub(crate) async fn report(&self, claim: pb::Claim) -> Result<pb::Claim, Status> {
        let request = pb::CreateClaimRequest {
            parent: "towns/malu".to_owned(),
            claim: Some(claim),
            request_id: uuid(),
            validate_only: false,
        };
        Ok(self.claims().create_claim(self.officer("reporter", request)).await?.into_inner())
    }

    /// A claim that is reported.
    pub(crate) async fn claim(&self, event: Event<'_>, claimed: Option<i64>) -> pb::Claim {
        let incident = self.incident(event).await;
        self.report(self.claim_draft(&incident, event, claimed)).await.unwrap()
    }

    /// The same, accepted, surveyed and assessed as claimed.
    pub(crate) async fn assessed(&self, event: Event<'_>, claimed: Option<i64>, grade: i32) -> pb::Claim {
        let claim = self.claim(event, claimed).await;
        self.assess(claim, claimed, grade).await
    }

    pub(crate) async fn assess(&self, claim: pb::Claim, loss: Option<i64>, grade: i32) -> pb::Claim {
        let mut client = self.claims();
        let accept = step!(AcceptClaimRequest, claim);
        let claim = client.accept_claim(self.officer("acceptor", accept)).await.unwrap().into_inner();
        let survey = step!(SurveyClaimRequest, claim, survey: "现场查勘".to_owned());
        let claim = client.survey_claim(self.officer("surveyor", survey)).await.unwrap().into_inner();
        let assess =
            step!(AssessClaimRequest, claim, assessed_amount: loss.map(fen), disability_grade: grade);
        client.assess_claim(self.officer("assessor", assess)).await.unwrap().into_inner()
    }

    pub(crate) async fn adjudicate(&self, claim: &pb::Claim) -> Result<pb::Claim, Status> {
        let request = step!(AdjudicateClaimRequest, claim, without_documents: false);
        Ok(self.claims().adjudicate_claim(self.officer("adjudicator", request)).await?.into_inner())
    }

    /// Published, and the day after the notice's end.
    pub(crate) async fn noticed(&self, claim: &pb::Claim) -> pb::Claim {
        let publish = step!(PublishClaimNoticeRequest, claim);
        let claim = self
            .claims()
            .publish_claim_notice(self.officer("publisher", publish))
            .await
            .unwrap()
            .into_inner();
        self.clock.set(after(&claim)).unwrap();
        claim
    }

    pub(crate) async fn pay(
        &self,
        claim: &pb::Claim,
        programme: &str,
        amount: i64,
    ) -> Result<pb::Claim, Status> {
        let request = step!(PayClaimRequest, claim, programme: format!("towns/malu/programmes/{programme}"),
            amount: Some(fen(amount)), pay_date: None, payment_reference: format!("r-{}-{programme}", claim.number));
        let insurer = if programme == "cci" { "o-insurer-0" } else { "o-insurer-1" };
        Ok(self.claims().pay_claim(self.by(As::Adjuster("payer", insurer), request)).await?.into_inner())
    }

    pub(crate) async fn read(&self, claim: &pb::Claim) -> pb::Claim {
        let request = pb::GetClaimRequest { name: claim.name.clone() };
        self.claims().get_claim(self.officer("reader", request)).await.unwrap().into_inner()
    }
}

/// The day after the end of a notice.
pub(crate) fn after(claim: &pb::Claim) -> Date {
    let end = claim.notice_end_date.unwrap();
    let (year, month, day) = (end.year, end.month, end.day);
    Date::new(year.try_into().unwrap(), month.try_into().unwrap(), day.try_into().unwrap())
        .unwrap()
        .tomorrow()
        .unwrap()
}

/// What the lines of the last decision approve, in fen.
pub(crate) fn approved(claim: &pb::Claim) -> Vec<i64> {
    let lines = &claim.decisions.last().unwrap().lines;
    lines.iter().map(|line| in_fen(line.approved_amount.as_ref())).collect()
}

pub(crate) fn in_fen(money: Option<&contracts::google::r#type::Money>) -> i64 {
    money.map_or(0, |money| money.units * 100 + i64::from(money.nanos / 10_000_000))
}
