//! devdb
