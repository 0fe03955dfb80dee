//! The lists of this service as queries, for a test that looks at their plans: every filter by an index, no page sorts the table.
