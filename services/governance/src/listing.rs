//! What the Lists of places share: what they are asked, the caller's areas, the two times, the page.

use chassis::{
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

use crate::as_of::AsOf;

/// The fields that every List request has.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) parent: &'a str,
    pub(crate) page_size: i32,
    pub(crate) page_token: &'a str,
    pub(crate) filter: &'a str,
    pub(crate) order_by: &'a str,
    pub(crate) as_of_date: Option<&'a google::Date>,
    pub(crate) read_time: Option<&'a prost_types::Timestamp>,
}

/// The fields of a List request by their usual names.
macro_rules! request {
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
pub(crate) use request;

/// What a List is asked.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) town: String,
    pub(crate) scope: Scope,
    pub(crate) today: Date,
    pub(crate) as_of: AsOf,
    pub(crate) filter: Predicate,
    pub(crate) descending: bool,
    pub(crate) after: Option<String>,
    pub(crate) limit: i64,
}

impl Asked {
    /// Reads a request; the page that belongs to it.
    pub(crate) fn read(
        context: &Context,
        call: &Call,
        request: Request<'_>,
        fields: &[FieldSpec],
    ) -> Result<(Asked, Paging), Refusal> {
        let town: TownName = wire::name("parent", request.parent)?;
        let scope = call.scope(town.town())?;
        let as_of = AsOf::of(call, request.as_of_date, request.read_time)?;
        let order = paging::order_by(request.order_by, &["name"])?;
        let filter = paging::filter(request.filter, fields)?;
        let bound = [town.town(), request.filter, request.order_by, &as_of.key()];
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
    pub(crate) fn all(town: &str, day: Date) -> Asked {
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

    /// Appends filter, key, order and bound, by the column `id`.
    pub(crate) fn push_page(&self, query: &mut QueryBuilder<Postgres>, id: &'static str) {
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
pub(crate) fn push_as_of(query: &mut QueryBuilder<Postgres>, alias: &'static str, as_of: &AsOf) {
    push_known(query, alias, as_of);
    query.push(" and ").push(alias).push(".valid @> ").push_bind(as_of.day.to_string()).push("::date");
}

/// Appends that the rows of `alias` were believed at the instant, whatever their days.
pub(crate) fn push_known(query: &mut QueryBuilder<Postgres>, alias: &'static str, as_of: &AsOf) {
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

/// Appends that a place lies in the caller's areas: `committee` and `block` are where it lies in the row that is asked for.
pub(crate) fn push_within(
    query: &mut QueryBuilder<Postgres>,
    (scope, town, today): (&Scope, &str, Date),
    committee: &'static str,
    block: &'static str,
) {
    if scope.is_town() {
        return;
    }
    let (communities, committees, blocks) = scope.ids();
    query.push(" and (").push(committee).push(" = any(").push_bind(committees.to_vec());
    query.push(") or ").push(block).push(" = any(").push_bind(blocks.to_vec());
    query.push(") or exists (select from committee_period cp where cp.town = ").push_bind(town.to_owned());
    query.push(" and cp.committee = ").push(committee).push(" and upper_inf(cp.recorded) and cp.valid @> ");
    query.push_bind(today.to_string()).push("::date and cp.community = any(");
    query.push_bind(communities.to_vec()).push(")))");
}
