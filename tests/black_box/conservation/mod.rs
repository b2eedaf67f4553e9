//! Nothing is lost and nothing doubled under kill -9.
