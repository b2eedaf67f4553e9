//! A thin driver: values, rows, statements, and a connection, so that no statement knows which engine runs it.
//!
//! Why not sqlx's `Any` or an ORM: what differs between the engines is small and must be seen (locking, upserts, how a
//! commit fails), and what is the same should be written once. Everything above this module speaks [`Value`] and
//! [`Columns`], and says a statement twice only where the engines part ([`Text`]). How a unit of work becomes a
//! transaction is each engine's own: [`sqlite`] has one writer that commits in groups, [`mysql`] as many as its pool.
//! What must stay true: nothing outside this module names sqlx but to say why it could not open.

mod connection;
mod errand;
pub(crate) mod mysql;
#[cfg(test)]
mod recorded;
mod row;
pub(crate) mod sqlite;
mod statement;
mod value;

#[cfg(test)]
pub(crate) use self::recorded::recorded;
pub(crate) use self::{
    connection::{Asked, Connection},
    row::{Column, Columns, Json, Row},
    statement::{Dialect, Statement, Text},
    value::{Value, args},
};
