//! Who learns: a worker, or a person of governance in another role.

use chassis::{
    call::Call,
    fields,
    governance::Governance,
    refusal::{Faults, FieldFault, Refusal},
    wire,
    work::Work,
};
use contracts::linli::workforce::v1 as pb;
use kernel::name::{PersonName, TownName, TrainingSessionName, WorkerName};

use crate::{
    known,
    reasons::{OUTSIDE_EMPLOYMENT, PEER_UNKNOWN},
    training::{course::read_role, rules::Role},
    worker,
};

/// Whom a request names.
#[derive(Clone, Debug)]
enum Named {
    /// A worker, whose role and committee follow from the post.
    Worker(WorkerName),
    /// Somebody else, in a role, of a committee.
    Person(PersonName, Role, String),
}

/// What a request says of an enrolment.
#[derive(Clone, Debug)]
pub(super) struct Given {
    pub(super) session: TrainingSessionName,
    named: Named,
}

/// Who learns.
#[derive(Clone, Debug)]
pub(super) struct Learner {
    pub(super) person: String,
    pub(super) worker: Option<String>,
    pub(super) role: Role,
    pub(super) committee: String,
}

/// Refuses a person or a committee that governance doesn't know; what is no name is told with the other faults of the request.
///
/// # Errors
/// PEER_UNKNOWN; UNAVAILABLE while governance can't be asked.
pub(in crate::training) async fn need_known(
    governance: &Governance,
    call: &Call,
    request: &pb::CreateEnrolmentRequest,
) -> Result<(), Refusal> {
    let town: TownName = wire::name("parent", &request.parent)?;
    let scope = call.scope(town.town())?;
    let Some(given) = request.enrolment.as_ref().filter(|given| given.worker.is_empty()) else {
        return Ok(());
    };
    let committee = fields::committee_id("", town.town(), &given.committee);
    let person = fields::in_town("", &given.person, town.town(), PersonName::town);
    let (Ok(committee), Ok(person)) = (committee, person) else { return Ok(()) };
    // of whom the caller may not ask, governance isn't asked
    if !scope.holds_committee(&committee) {
        return Err(call.denied());
    }
    known::need_committee(governance, &given.committee).await?;
    match governance.residences(&person, call.today()).await? {
        Some(_) => Ok(()),
        None => Err(Refusal::new(&PEER_UNKNOWN).with("name", person)),
    }
}

fn role(given: i32) -> Result<Role, FieldFault> {
    const FIELD: &str = "enrolment.role";
    let role = read_role(FIELD, given)?;
    if role.is_of_workers() {
        let (zh, en) = ("社区工作者请填 worker", "a worker learns as `worker`, not as `person`");
        return Err(FieldFault::new(FIELD, "ROLE", zh, en));
    }
    Ok(role)
}

/// Reads a request.
///
/// # Errors
/// Every field that doesn't fit.
pub(super) fn read(town: &str, given: &pb::Enrolment) -> Result<Given, Refusal> {
    let mut faults = Faults::default();
    let session = faults.take(fields::in_town(
        "enrolment.training_session",
        &given.training_session,
        town,
        TrainingSessionName::town,
    ));
    let named = match (given.worker.as_str(), given.person.as_str()) {
        ("", "") | (_, "") => {
            let name = fields::in_town("enrolment.worker", &given.worker, town, WorkerName::town);
            faults.take(name).map(Named::Worker)
        }
        ("", person) => {
            let person = faults.take(fields::in_town("enrolment.person", person, town, PersonName::town));
            let role = faults.take(role(given.role));
            let committee = faults.take(fields::committee_id("enrolment.committee", town, &given.committee));
            person.zip(role).zip(committee).map(|((person, role), of)| Named::Person(person, role, of))
        }
        (_, _) => {
            let (zh, en) = ("worker 与 person 只填一项", "either `worker` or `person`, not both");
            faults.push(FieldFault::new("enrolment.person", "EITHER", zh, en));
            None
        }
    };
    let (session, named) = faults.finish(session.zip(named))?;
    Ok(Given { session, named })
}

/// Who learns, when the caller may enrol him.
///
/// # Errors
/// NOT_FOUND, PERMISSION_DENIED, OUTSIDE_EMPLOYMENT.
pub(super) async fn find(work: &mut Work, given: &Given) -> Result<Learner, Refusal> {
    let call = work.call().clone();
    let scope = call.scope(given.session.town())?;
    match &given.named {
        Named::Person(person, role, committee) => {
            if !scope.holds_committee(committee) {
                return Err(call.denied());
            }
            let (person, committee) = (person.person().to_owned(), committee.clone());
            Ok(Learner { person, worker: None, role: *role, committee })
        }
        Named::Worker(name) => {
            let view = worker::store::get(work.sql(), name, &scope, call.today()).await?;
            let view = view.ok_or_else(|| call.missing(&scope, "linli.dev/Worker", name.to_string()))?;
            if view.state()? == worker::rules::State::Left {
                let days = call.today();
                return Err(Refusal::new(&OUTSIDE_EMPLOYMENT).with("name", name).with("days", days));
            }
            Ok(Learner {
                role: Role::of_post(view.post.as_deref()),
                committee: view.committee.unwrap_or_default(),
                person: view.person,
                worker: Some(view.id),
            })
        }
    }
}
