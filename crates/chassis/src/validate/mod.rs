//! The contract's rules, checked on the bytes of every request before it is decoded, all faults at once: the
//! annotations of `buf.validate` that we use, `REQUIRED` of `google.api.field_behavior`, real dates.

mod check;
mod rules;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use tonic::Status;

use crate::refusal::{FieldFault, INVALID_ENCODING, Refusal};
use rules::{MessageRules, Unknown};

/// The rules of every request message, made once.
pub struct Validator {
    requests: HashMap<String, (MessageDescriptor, Arc<MessageRules>)>,
}

impl Validator {
    /// Reads the rules of every method's request in `pool`.
    ///
    /// # Errors
    /// Names the first annotation that isn't enforced here: none may be a dead letter.
    pub fn new(pool: &DescriptorPool) -> Result<Validator, Unknown> {
        let mut reader = rules::Reader::new(pool);
        let mut requests = HashMap::new();
        for service in pool.services().filter(|service| service.full_name().starts_with("linli.")) {
            for method in service.methods() {
                let input = method.input();
                let rules = reader.message(&input)?;
                requests.insert(input.full_name().to_owned(), (input, rules));
            }
        }
        Ok(Validator { requests })
    }

    /// Checks the bytes of a message; one that is no request is not looked at.
    ///
    /// # Errors
    /// BAD_REQUEST with every fault; INVALID_ENCODING for bytes that are no such message.
    pub fn check(&self, full_name: &str, bytes: &Bytes) -> Result<(), Refusal> {
        let Some((descriptor, rules)) = self.requests.get(full_name) else { return Ok(()) };
        let message = DynamicMessage::decode(descriptor.clone(), bytes.clone()).map_err(|error| {
            Refusal::new(&INVALID_ENCODING)
                .with("cause", "not a message of this method")
                .because(error.to_string())
        })?;
        let mut faults: Vec<FieldFault> = Vec::new();
        check::message(&message, rules, "", &mut faults);
        if descriptor.get_field_by_name("update_mask").is_some() {
            // the resource of an update holds what changes alone (AIP-134): what else it must have is there already
            faults.retain(|fault| {
                fault.reason != "REQUIRED" || !fault.field.contains('.') || fault.field.ends_with(".name")
            });
        }
        if faults.is_empty() { Ok(()) } else { Err(Refusal::fields(faults)) }
    }
}

static VALIDATOR: LazyLock<Option<Validator>> = LazyLock::new(|| {
    let pool = DescriptorPool::decode(contracts::DESCRIPTORS).ok()?;
    Validator::new(&pool).ok()
});

fn check(package: &'static str, name: &'static str, bytes: &Bytes) -> Result<(), Status> {
    match VALIDATOR.as_ref() {
        Some(validator) => validator.check(&format!("{package}.{name}"), bytes).map_err(Status::from),
        None => Err(Refusal::internal("the contract's rules could not be read").into()),
    }
}

/// Has every generated service of this process check its requests.
pub fn install() {
    // a second time changes nothing
    let _ = contracts::codec::CHECK.set(check);
}

#[cfg(test)]
mod tests {
    use contracts::linli::governance::v1 as pb;
    use prost::{Message, Name};

    use super::*;

    fn faults<M: Message + Name>(message: &M) -> Vec<(String, &'static str)> {
        let validator = Validator::new(&DescriptorPool::decode(contracts::DESCRIPTORS).unwrap()).unwrap();
        match validator.check(&M::full_name(), &message.encode_to_vec().into()) {
            Ok(()) => Vec::new(),
            Err(refusal) => {
                refusal.offending().iter().map(|fault| (fault.field.clone(), fault.reason)).collect()
            }
        }
    }

    fn field(name: &str, reason: &'static str) -> (String, &'static str) {
        (name.to_owned(), reason)
    }

    #[test]
    fn every_annotation_of_the_contracts_is_enforced() {
        let made = Validator::new(&DescriptorPool::decode(contracts::DESCRIPTORS).unwrap());
        assert!(made.is_ok(), "{:?}", made.err());
    }

    #[test]
    fn all_faults_come_at_once_with_their_paths() {
        let request = pb::CreateCommitteeRequest {
            parent: String::new(),
            committee_id: "Not an id".to_owned(),
            committee: Some(pb::Committee {
                display_name: "x".repeat(201),
                kind: 99,
                founding_date: Some(contracts::google::r#type::Date { year: 2020, month: 2, day: 30 }),
                ..Default::default()
            }),
            request_id: "7".to_owned(),
            validate_only: false,
        };
        let found = faults(&request);
        for expected in [
            field("parent", "REQUIRED"),
            field("committee_id", "PATTERN"),
            field("committee.display_name", "TOO_LONG"),
            field("committee.kind", "UNKNOWN_VALUE"),
            field("committee.community", "REQUIRED"),
            field("committee.founding_date", "DATE"),
            field("request_id", "UUID"),
        ] {
            assert!(found.contains(&expected), "{expected:?} is not in {found:?}");
        }
        assert_eq!(found.len(), 7, "{found:?}");
    }

    #[test]
    fn an_update_holds_what_changes_alone() {
        let mut request = pb::UpdateCommitteeRequest {
            committee: Some(pb::Committee { display_name: "新名".to_owned(), ..Default::default() }),
            ..Default::default()
        };
        assert_eq!(faults(&request), []);
        request.committee = None;
        assert_eq!(faults(&request), [field("committee", "REQUIRED")]);
    }

    #[test]
    fn an_empty_request_id_is_none() {
        let request = pb::ListCommitteesRequest {
            parent: "towns/malu".to_owned(),
            page_size: -1,
            ..Default::default()
        };
        assert_eq!(faults(&request), [field("page_size", "TOO_SMALL")]);
    }

    #[test]
    fn bytes_that_are_no_message_are_refused() {
        let validator = Validator::new(&DescriptorPool::decode(contracts::DESCRIPTORS).unwrap()).unwrap();
        for bytes in [&b"\xff\xff\xff"[..], b"\x0a\x02\xff\xfe"] {
            let refusal = validator
                .check("linli.governance.v1.GetTownRequest", &Bytes::from_static(bytes))
                .unwrap_err();
            assert_eq!(refusal.reason().name, "INVALID_ENCODING");
        }
    }
}
