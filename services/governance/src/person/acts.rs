//! Recording and correcting people.

use chassis::{
    identity::Scope,
    refusal::{ALREADY_EXISTS, Faults, FieldFault, Refusal},
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use jiff::civil::Date;
use kernel::{
    ids::CitizenId,
    name::{PersonName, TownName},
    text,
};
use serde_json::json;

use super::{
    encode,
    sealed::{Clear, citizen_index},
    store,
};
use crate::reasons::SAME_PERSON;

/// Characters of a person's name at most.
pub(crate) const NAME_CHARS: usize = 100;

/// The change that tells of a person; the id alone, nothing personal.
pub(crate) fn change(name: &PersonName, version: i64, verb: &'static str) -> Change {
    Change {
        resource: name.to_string(),
        version,
        verb,
        from_state: "",
        to_state: "",
        comment: String::new(),
        event: if version == 1 { "person.created" } else { "person.updated" },
        data: json!({"person": name.to_string()}),
    }
}

/// A person that is to be recorded.
#[derive(Debug)]
pub(crate) struct New {
    pub(crate) name: PersonName,
    pub(crate) clear: Clear,
    pub(crate) sex: &'static str,
}

/// The refusal of a second record for one identity number, which is that of the person `bearer`.
pub(crate) fn same_person(name: &PersonName, bearer: &str) -> Result<Refusal, Refusal> {
    let bearer = PersonName::new(name.town(), bearer).map_err(Refusal::internal)?;
    Ok(Refusal::new(&SAME_PERSON).with("field", "person.citizen_id").with("name", bearer))
}

impl New {
    /// Stores it, sealed.
    pub(crate) async fn store(&self, work: &mut Work, verb: &'static str) -> Result<Change, Refusal> {
        let vault = work.vault().clone();
        let sealed = self.clear.seal(&vault, &self.name)?;
        if store::create(work.sql(), &self.name, self.sex, &sealed).await? {
            return Ok(change(&self.name, 1, verb));
        }
        let index = citizen_index(&vault, self.name.town(), &self.clear.citizen);
        match store::by_citizen(work.sql(), self.name.town(), &index).await? {
            Some(id) if id != self.name.person() => Err(same_person(&self.name, &id)?),
            _ => Err(Refusal::new(&ALREADY_EXISTS).with("name", &self.name)),
        }
    }
}

fn full_name(given: &str) -> Result<String, FieldFault> {
    if given.contains('*') {
        return Err(FieldFault::new(
            "person.full_name",
            "MASKED",
            "是遮盖后的姓名，请填写全名或不修改此项",
            "a masked name: write the full name, or leave the field out of the mask",
        ));
    }
    let name = text::display_name(given, NAME_CHARS).map(str::to_owned);
    name.map_err(|error| FieldFault::new("person.full_name", "TEXT", "姓名须为可见文字", error.to_string()))
}

/// Refuses somebody who is not born yet.
fn born(citizen: &CitizenId, today: Date) -> Result<(), FieldFault> {
    if citizen.birth_date() <= today {
        return Ok(());
    }
    Err(FieldFault::new("person.citizen_id", "FUTURE_DATE", "出生日期晚于今天", "born after today"))
}

fn sex(given: i32) -> &'static str {
    match pb::Sex::try_from(given).unwrap_or_default() {
        pb::Sex::Male => "MALE",
        pb::Sex::Female => "FEMALE",
        pb::Sex::Unspecified => "",
    }
}

async fn answer(work: &mut Work, name: &PersonName, change: Change) -> Result<Record<pb::Person>, Refusal> {
    let (today, vault) = (work.call().today(), work.vault().clone());
    let person = store::get(work.sql(), name, &Scope::Town, today).await?;
    let person = person.ok_or_else(|| Refusal::internal(format!("{name} vanished")))?;
    Ok(Record {
        town: name.town().to_owned(),
        resource: name.to_string(),
        summary: format!("{} {name}", change.verb),
        changes: vec![change],
        answer: encode::masked(&vault, &person)?,
    })
}

/// CreatePerson.
pub(super) struct Create;

#[tonic::async_trait]
impl Verb for Create {
    type Request = pb::CreatePersonRequest;
    type Answer = pb::Person;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Person>, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        work.call().scope(town.town())?;
        let default = pb::Person::default();
        let given = request.person.as_ref().unwrap_or(&default);
        let mut faults = Faults::default();
        let name = PersonName::new(town.town(), &request.person_id);
        let name = faults.take(
            name.map_err(|error| FieldFault::new("person_id", "FORMAT", "编号格式不符", error.to_string())),
        );
        let full_name = faults.take(full_name(&given.full_name));
        let citizen = faults.take(CitizenId::parse(&given.citizen_id).map_err(|error| {
            FieldFault::new("person.citizen_id", "CITIZEN_ID", "公民身份号码有误", error.to_string())
        }));
        if let Some(citizen) = &citizen {
            faults.take(born(citizen, work.call().today()));
        }
        let ((name, full_name), citizen) = faults.finish(name.zip(full_name).zip(citizen))?;
        let new = New { name, clear: Clear { full_name, citizen }, sex: sex(given.sex) };
        let change = new.store(work, "create").await?;
        answer(work, &new.name, change).await
    }
}

/// UpdatePerson.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdatePersonRequest;
    type Answer = pb::Person;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::Person>, Refusal> {
        let default = pb::Person::default();
        let given = request.person.as_ref().unwrap_or(&default);
        let name: PersonName = wire::name("person.name", &given.name)?;
        let (call, vault) = (work.call().clone(), work.vault().clone());
        let scope = call.scope(name.town())?;
        let missing = || call.missing(&scope, "linli.dev/Person", name.to_string());
        let version = store::lock(work.sql(), &name).await?.ok_or_else(missing)?;
        let found = store::get(work.sql(), &name, &scope, call.today()).await?.ok_or_else(missing)?;
        check_etag(&name.to_string(), &given.etag, version)?;
        let mut clear = Clear::open(&vault, &name, &found.name_sealed, &found.citizen_sealed)?;
        let (mut faults, mut new_sex) = (Faults::default(), found.sex);
        let fields = faults.take(wire::mask(request.update_mask.as_ref(), &["full_name", "sex"]));
        for field in fields.unwrap_or_default() {
            if field == "sex" {
                new_sex = sex(given.sex).to_owned();
            } else {
                clear.full_name = faults.take(full_name(&given.full_name)).unwrap_or_default();
            }
        }
        faults.finish(Some(()))?;
        let version = store::update(work.sql(), &name, &new_sex, &clear.seal(&vault, &name)?).await?;
        answer(work, &name, change(&name, version, "update")).await
    }
}
