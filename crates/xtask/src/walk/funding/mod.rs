//! The money of 2020, walked: allocated, spent, delegated, accounted for, closed.

mod allocation;
mod spending;
mod tasks;
mod year;

use super::Walk;
use crate::Done;

pub(super) async fn walk(walk: &Walk) -> Done {
    allocation::walk(walk).await?;
    spending::walk(walk).await?;
    tasks::walk(walk).await?;
    year::walk(walk).await
}
