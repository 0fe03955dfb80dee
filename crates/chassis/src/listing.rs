//! What Lists share: what they are asked, the caller's areas, the two times, the page.

use crate::{
    as_of::AsOf,
    call::Call,
    context::Context,
    identity::Scope,
    paging::{self, Paging},
    refusal::Refusal,
    wire,
};
use contracts::google::r#type as google;
use jiff::civil::Date;
use kernel::{
    filter::{FieldSpec, Predicate},
    name::TownName,
};
use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

/// The fields that every List request has.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// `towns/{town}`.
    pub parent: &'a str,
    /// Rows wanted.
    pub page_size: i32,
    /// The token of the page before.
    pub page_token: &'a str,
    /// The filter.
    pub filter: &'a str,
    /// The order.
    pub order_by: &'a str,
    /// The day that is asked about.
    pub as_of_date: Option<&'a google::Date>,
    /// What was known at which instant.
    pub read_time: Option<&'a prost_types::Timestamp>,
}

/// The fields of a List request by their usual names: `listing::request!(request)`.
#[macro_export]
macro_rules! list_request {
    ($request:expr) => {
        $crate::listing::Request {
            parent: &$request.parent,
            page_size: $request.page_size,
            page_token: &$request.page_token,
            filter: &$request.filter,
            order_by: &$request.order_by,
            as_of_date: $request.as_of_date.as_ref(),
            read_time: $request.read_time.as_ref(),
        }
    };
}
pub use list_request as request;

/// The same for a List that knows neither of the two times: `listing::request_undated!(request)`.
#[macro_export]
macro_rules! list_request_undated {
    ($request:expr) => {
        $crate::listing::Request {
            parent: &$request.parent,
            page_size: $request.page_size,
            page_token: &$request.page_token,
            filter: &$request.filter,
            order_by: &$request.order_by,
            as_of_date: None,
            read_time: None,
        }
    };
}
pub use list_request_undated as request_undated;

/// What a List is asked.
#[derive(Debug)]
pub struct Asked {
    /// The town's id.
    pub town: String,
    /// What the caller may see of it.
    pub scope: Scope,
    /// The business day.
    pub today: Date,
    /// The two times.
    pub as_of: AsOf,
    /// The filter.
    pub filter: Predicate,
    /// Whether names fall.
    pub descending: bool,
    /// The id of the last row before.
    pub after: Option<String>,
    /// Rows to read: one more than wanted.
    pub limit: i64,
}

impl Asked {
    /// Reads a request; the page that belongs to it.
    ///
    /// # Errors
    /// Every field that can't be read; PERMISSION_DENIED; PAGE_TOKEN_INVALID.
    pub fn read(
        context: &Context,
        call: &Call,
        request: Request<'_>,
        fields: &[FieldSpec],
    ) -> Result<(Asked, Paging), Refusal> {
        Asked::read_bound(context, call, request, fields, request.filter)
    }

    /// The same for a List with fields of its own: `own` is everything that the caller may not change between pages beside the
    /// usual fields, the filter included.
    ///
    /// # Errors
    /// Those of [`Asked::read`].
    pub fn read_bound(
        context: &Context,
        call: &Call,
        request: Request<'_>,
        fields: &[FieldSpec],
        own: &str,
    ) -> Result<(Asked, Paging), Refusal> {
        let town: TownName = wire::name("parent", request.parent)?;
        let scope = call.scope(town.town())?;
        let as_of = AsOf::of(call, request.as_of_date, request.read_time)?;
        let order = paging::order_by(request.order_by, &["name"])?;
        let filter = paging::filter(request.filter, fields)?;
        let bound = [town.town(), own, request.order_by, &as_of.key()];
        let paging = Paging::open(context, call, &bound, request.page_size, request.page_token)?;
        let asked = Asked {
            town: town.town().to_owned(),
            scope,
            today: call.today(),
            as_of,
            filter,
            descending: order.descending,
            after: paging.after_first().map(str::to_owned),
            limit: paging.limit(),
        };
        Ok((asked, paging))
    }

    /// All of a town on a day, for an export.
    pub fn all(town: &str, day: Date) -> Asked {
        Asked {
            town: town.to_owned(),
            scope: Scope::Town,
            today: day,
            as_of: AsOf::now(day),
            filter: Predicate::And(Vec::new()),
            descending: false,
            after: None,
            limit: i64::MAX,
        }
    }

    /// Appends filter, key, order and bound to a statement that ends in a condition, for a column of server ids.
    pub fn push_uuid_page(&self, query: &mut QueryBuilder<Postgres>, id: &'static str) {
        query.push(" and ");
        paging::push_predicate(query, &self.filter);
        if let Some(after) = self.after.as_deref().and_then(|text| Uuid::parse_str(text).ok()) {
            query.push(" and ").push(id).push(if self.descending { " < " } else { " > " }).push_bind(after);
        }
        query.push(" order by ").push(id).push(if self.descending { " desc limit " } else { " limit " });
        query.push_bind(self.limit);
    }

    /// Appends filter, key, order and bound, by the column `id`.
    pub fn push_page(&self, query: &mut QueryBuilder<Postgres>, id: &'static str) {
        query.push(" and ");
        paging::push_predicate(query, &self.filter);
        if let Some(after) = &self.after {
            query
                .push(" and ")
                .push(id)
                .push(if self.descending { " < " } else { " > " })
                .push_bind(after.clone());
        }
        query.push(" order by ").push(id).push(if self.descending { " desc limit " } else { " limit " });
        query.push_bind(self.limit);
    }
}

/// Appends that the rows of `alias` hold on the day that is asked about, as known at the instant.
pub fn push_as_of(query: &mut QueryBuilder<Postgres>, alias: &'static str, as_of: &AsOf) {
    push_known(query, alias, as_of);
    query.push(" and ").push(alias).push(".valid @> ").push_bind(as_of.day.to_string()).push("::date");
}

/// Appends that the rows of `alias` were believed at the instant, whatever their days.
pub fn push_known(query: &mut QueryBuilder<Postgres>, alias: &'static str, as_of: &AsOf) {
    match as_of.read_time {
        None => query.push(" and upper_inf(").push(alias).push(".recorded)"),
        Some(at) => query
            .push(" and ")
            .push(alias)
            .push(".recorded @> ")
            .push_bind(at.to_string())
            .push("::timestamptz"),
    };
}
