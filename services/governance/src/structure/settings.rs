//! How a town checks its structure.

use chassis::{
    call::Call,
    refusal::Refusal,
    wire,
    work::{Change, Record, Verb, Work, check_etag},
};
use contracts::linli::governance::v1 as pb;
use kernel::{etag::Etag, name::StructureSettingsName};
use serde_json::json;

use super::{
    Structures,
    store::{self, Kept},
};

fn encode(name: &StructureSettingsName, kept: Kept) -> pb::StructureSettings {
    pb::StructureSettings {
        name: name.to_string(),
        term_notice_days: kept.settings.term_notice_days,
        block_forces: kept.settings.block_forces,
        etag: Etag::of(kept.version).to_string(),
    }
}

impl Structures {
    pub(super) async fn settings(
        &self,
        call: &Call,
        request: &pb::GetStructureSettingsRequest,
    ) -> Result<pb::StructureSettings, Refusal> {
        let name: StructureSettingsName = wire::name("name", &request.name)?;
        call.scope(name.town())?;
        Ok(encode(&name, store::kept(self.0.db.read().await?.sql(), name.town()).await?))
    }
}

/// UpdateStructureSettings.
pub(super) struct Update;

#[tonic::async_trait]
impl Verb for Update {
    type Request = pb::UpdateStructureSettingsRequest;
    type Answer = pb::StructureSettings;

    chassis::intent!();

    async fn act(work: &mut Work, request: &Self::Request) -> Result<Record<pb::StructureSettings>, Refusal> {
        let default = pb::StructureSettings::default();
        let given = request.settings.as_ref().unwrap_or(&default);
        let name: StructureSettingsName = wire::name("settings.name", &given.name)?;
        work.call().whole_town(name.town())?;
        let kept = store::lock_settings(work.sql(), name.town()).await?;
        let kept = kept.ok_or_else(|| Refusal::not_found("linli.dev/Town", name.to_string()))?;
        check_etag(&name.to_string(), &given.etag, kept.version)?;
        let known = ["term_notice_days", "block_forces"];
        let fields = wire::mask(request.update_mask.as_ref(), &known);
        let fields = fields.map_err(|fault| Refusal::fields(vec![fault]))?;
        let mut settings = kept.settings;
        if fields.contains(&"term_notice_days") {
            settings.term_notice_days = given.term_notice_days.max(1);
        }
        if fields.contains(&"block_forces") {
            settings.block_forces = given.block_forces;
        }
        let (days, forces) = (settings.term_notice_days, settings.block_forces);
        let version = store::save_settings(work.sql(), name.town(), settings).await?;
        let change = Change {
            resource: name.to_string(),
            version,
            verb: "update",
            from_state: "",
            to_state: "",
            comment: String::new(),
            event: "structure.settings_updated",
            data: json!({"town": format!("towns/{}", name.town()), "term_notice_days": days, "block_forces": forces}),
        };
        Ok(Record {
            town: name.town().to_owned(),
            resource: name.to_string(),
            summary: format!("update {name}"),
            changes: vec![change],
            answer: encode(&name, Kept { settings, version }),
        })
    }
}
