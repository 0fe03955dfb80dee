//! Allocation runs 经费核定 and allocations: what the formula gives every committee, approved and released (Work points 3.3).

pub(crate) mod rules;
