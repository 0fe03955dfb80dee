//! Funding policies 经费政策: the formula, the rules of use and the terms of a year (Work points 3.3).

pub(crate) mod rules;
