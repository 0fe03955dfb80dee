//! A refusal as `google.rpc.Status` with its details, in the language of the call.

use std::{collections::BTreeMap, collections::HashMap};

use kernel::ids::without_numbers;
use tonic::Status;
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, StatusExt};

use super::{Inner, Refusal};
use crate::ambient::{Ambient, Language};

/// `{key}` replaced by the value of `key`.
pub(super) fn fill(text: &str, values: &BTreeMap<&'static str, String>) -> String {
    values.iter().fold(text.to_owned(), |text, (key, value)| text.replace(&format!("{{{key}}}"), value))
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Status {
        let Ambient { language, trace_id } = Ambient::current();
        log(&refusal);
        let mut inner = *refusal.0;
        sift(&mut inner);
        let details = details(&inner, language, trace_id);
        Status::with_error_details(inner.reason.code, fill(inner.reason.en, &inner.metadata), details)
    }
}

/// Takes identity numbers out of whatever a refusal repeats: somebody typed one where a name belongs.
fn sift(inner: &mut Inner) {
    let clean = |text: &mut String| {
        if let std::borrow::Cow::Owned(clean) = without_numbers(text) {
            *text = clean;
        }
    };
    inner.metadata.values_mut().for_each(clean);
    for fault in &mut inner.fields {
        [&mut fault.field, &mut fault.zh, &mut fault.en].into_iter().for_each(clean);
    }
    for (_, subject, text) in &mut inner.violations {
        [subject, text].into_iter().for_each(clean);
    }
    if let Some((_, name)) = &mut inner.resource {
        clean(name);
    }
}

fn details(inner: &Inner, language: Language, trace_id: String) -> ErrorDetails {
    let mut details = ErrorDetails::new();
    let metadata: HashMap<String, String> =
        inner.metadata.iter().map(|(key, value)| ((*key).to_owned(), value.clone())).collect();
    details.set_error_info(inner.reason.name, inner.reason.domain, metadata);
    if !inner.fields.is_empty() {
        let violations = inner.fields.iter().map(|fault| {
            let text = if language == Language::Chinese { &fault.zh } else { &fault.en };
            let mut violation = FieldViolation::new(&fault.field, text);
            violation.reason = fault.reason.to_owned();
            violation
        });
        details.set_bad_request(violations.collect::<Vec<_>>());
    }
    if !inner.violations.is_empty() {
        let violations = inner
            .violations
            .iter()
            .map(|(kind, subject, text)| PreconditionViolation::new(*kind, subject, text));
        details.set_precondition_failure(violations.collect::<Vec<_>>());
    }
    if let Some((kind, name)) = &inner.resource {
        details.set_resource_info(*kind, name, "", "");
    }
    if let Some(after) = inner.retry_after {
        details.set_retry_info(Some(after));
    }
    let (text, next) = match language {
        Language::Chinese => (inner.reason.zh, inner.reason.next_zh),
        Language::English => (inner.reason.en, inner.reason.next_en),
    };
    let separator = if language == Language::Chinese { "。" } else { ". " };
    let message = fill(&format!("{text}{separator}{next}"), &inner.metadata);
    details.set_localized_message(language.tag(), message);
    if !trace_id.is_empty() {
        details.set_request_info(trace_id, "");
    }
    details
}

/// Logged once, here, where it leaves us: faults of ours as errors with their causes, the rest as a note.
fn log(refusal: &Refusal) {
    let reason = refusal.reason();
    match reason.code {
        tonic::Code::Internal | tonic::Code::Unknown | tonic::Code::DataLoss => {
            let causes: Vec<String> =
                std::iter::successors(std::error::Error::source(refusal), |e| e.source())
                    .map(|cause| without_numbers(&cause.to_string()).into_owned())
                    .collect();
            tracing::error!(error.r#type = reason.name, causes = ?causes, "refused");
        }
        _ => tracing::debug!(error.r#type = reason.name, "refused"),
    }
}

#[cfg(test)]
mod tests {
    use tonic_types::StatusExt;

    use super::*;
    use crate::{ambient::Ambient, refusal::FieldFault};

    #[tokio::test]
    async fn a_refusal_speaks_the_language_of_the_call_and_lists_every_field() {
        let ambient =
            Ambient { language: Language::English, trace_id: "0af7651916cd43dd8448eb211c80319c".to_owned() };
        let status = ambient
            .scope(async {
                Status::from(Refusal::fields(vec![
                    FieldFault::new("block.display_name", "REQUIRED", "必填", "required"),
                    FieldFault::new("block.committee", "PATTERN", "格式不符", "not a committee's name"),
                ]))
            })
            .await;
        let details = status.get_error_details();
        assert_eq!(details.error_info().unwrap().reason, "BAD_REQUEST");
        let fields: Vec<_> = details
            .bad_request()
            .unwrap()
            .field_violations
            .iter()
            .map(|v| (v.field.as_str(), v.description.as_str()))
            .collect();
        assert_eq!(
            fields,
            [("block.display_name", "required"), ("block.committee", "not a committee's name")]
        );
        assert_eq!(details.localized_message().unwrap().locale, "en");
        assert_eq!(details.request_info().unwrap().request_id, "0af7651916cd43dd8448eb211c80319c");
    }

    #[test]
    fn an_identity_number_is_repeated_nowhere() {
        let number = "310199195112050137";
        let named = || Refusal::not_found("linli.dev/Person", format!("towns/malu/people/{number}"));
        let fault = FieldFault::new(format!("a.{number}"), "FORMAT", number, number);
        for refusal in [named(), Refusal::fields(vec![fault])] {
            let status = Status::from(refusal);
            let told = format!("{status:?} {}", String::from_utf8_lossy(status.details()));
            assert!(!told.contains(number), "{told}");
        }
        assert_eq!(Status::from(named()).message().matches('*').count(), 18);
    }

    #[test]
    fn what_is_inside_stays_inside() {
        let status = Status::from(Refusal::internal(std::io::Error::other("secret path")));
        assert!(!format!("{status:?}").contains("secret path"));
    }
}
