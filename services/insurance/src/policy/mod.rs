//! Policies 保单: one year's contract under a programme (Work points 3.4).

pub(crate) mod covering;
pub(crate) mod rules;
pub(crate) mod store;
