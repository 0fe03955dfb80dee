//! The values every service speaks in: names, ids, money, periods, states, terms,
//! tokens, filters. Pure: no I/O, no clock, no SQL.

pub mod calendar;
pub mod etag;
pub mod filter;
pub mod ids;
pub mod money;
pub mod name;
pub mod order;
pub mod page;
pub mod periods;
pub mod pinyin;
pub mod state;
pub mod text;
