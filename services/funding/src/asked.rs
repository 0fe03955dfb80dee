//! Lists that know one time only.

/// The fields of a List request without the two times, by their usual names.
macro_rules! asked {
    ($request:expr) => {
        ::chassis::listing::Request {
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
pub(crate) use asked;
