//! Blocks with their stewards, and the end of a steward's post.

use contracts::linli::governance::v1::{
    self as pb, block_service_client::BlockServiceClient,
    stewardship_service_client::StewardshipServiceClient,
};
use jiff::civil::Date;
use kernel::name::TownName;

use super::{Governance, PAGE, refused};
use crate::{refusal::Refusal, wire};

impl Governance {
    /// Every block of a town on a day, with its committee and its steward.
    ///
    /// # Errors
    /// UNAVAILABLE while governance can't be asked.
    pub async fn blocks(&self, town: &TownName, day: Date) -> Result<Vec<pb::Block>, Refusal> {
        let (mut blocks, mut page_token) = (Vec::new(), String::new());
        loop {
            let request = pb::ListBlocksRequest {
                parent: town.to_string(),
                page_size: PAGE,
                page_token,
                as_of_date: Some(wire::to_date(day)),
                ..Default::default()
            };
            let mut client = BlockServiceClient::new(self.0.peer.clone());
            let page = self.ask(request, async |request| client.list_blocks(request).await).await?;
            let page = page.map_err(refused)?;
            blocks.extend(page.blocks);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(blocks);
            }
        }
    }

    /// Tells that a steward's post ended before the hand-over: the committee's director covers. Safe to repeat with its `request_id`.
    /// How many blocks he covers.
    ///
    /// # Errors
    /// UNAVAILABLE while governance can't be asked; what it refuses.
    pub async fn end_steward_post(&self, request: pb::EndStewardPostRequest) -> Result<usize, Refusal> {
        let mut client = StewardshipServiceClient::new(self.0.peer.clone());
        let done = self.ask(request, async |request| client.end_steward_post(request).await).await?;
        Ok(done.map_err(refused)?.covers.len())
    }
}
