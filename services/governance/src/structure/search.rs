//! Names by signs, pinyin and initials.

use chassis::{call::Call, paging::Paging, refusal::Refusal, wire};
use contracts::linli::governance::v1 as pb;
use kernel::{name::TownName, pinyin::Query};

use super::{
    Structures,
    store::{self, Named},
};
use crate::as_of::AsOf;

/// What the results are sorted by: how well they fit, then short names first.
fn rank(query: &Query, named: &Named) -> Option<Vec<String>> {
    let fit = query.fit(&named.display_name)?;
    let signs = named.display_name.chars().count();
    Some(vec![
        format!("{} {signs:04}", fit as u8),
        named.display_name.clone(),
        format!("{}/{}", named.collection, named.id),
    ])
}

impl Structures {
    pub(super) async fn search(
        &self,
        call: &Call,
        request: &pb::SearchNamesRequest,
    ) -> Result<pb::SearchNamesResponse, Refusal> {
        let town: TownName = wire::name("parent", &request.parent)?;
        let scope = call.scope(town.town())?;
        let as_of = AsOf::of(call, request.as_of_date.as_ref(), None)?;
        let query = Query::new(&request.query);
        if query.is_empty() {
            return Err(Refusal::field("query", "REQUIRED", "必填", "required"));
        }
        let bound = [town.town(), &request.query, &as_of.key()];
        let paging = Paging::open(&self.0, call, &bound, request.page_size, &request.page_token)?;
        let all = store::names(self.0.db.read().await?.sql(), town.town(), &scope, &as_of).await?;
        let mut found: Vec<(Vec<String>, Named)> =
            all.into_iter().filter_map(|named| Some((rank(&query, &named)?, named))).collect();
        found.retain(|(rank, _)| paging.after.is_empty() || *rank > paging.after);
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let next_page_token = paging.next(&mut found, |(rank, _)| rank.clone());
        let of =
            |path: &str| format!("towns/{}{}{path}", town.town(), if path.is_empty() { "" } else { "/" });
        let results = found.into_iter().map(|(_, named)| pb::NamedResource {
            resource: of(&format!("{}/{}", named.collection, named.id)),
            display_name: named.display_name,
            owner: of(&named.owner),
        });
        Ok(pb::SearchNamesResponse { results: results.collect(), next_page_token })
    }
}
