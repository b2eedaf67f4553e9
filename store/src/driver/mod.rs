//! A thin driver: values, rows, statements, and a connection, so that no statement knows which engine runs it.
//!
//! Why not sqlx's `Any` or an ORM: what differs between the engines is small and must be seen (locking, upserts, how a
//! commit fails), and what is the same should be written once. Everything above this module speaks [`Value`] and
//! [`Columns`]; a second engine adds a variant to [`Connection`] and a module beside [`sqlite`], and changes no statement
//! that both understand. What must stay true: nothing outside this module names sqlx but to say why it could not open.

mod connection;
mod row;
pub(crate) mod sqlite;
mod statement;
mod value;
mod writer;

#[cfg(test)]
pub(crate) use self::connection::recorded;
pub(crate) use self::{
    connection::Connection,
    row::{Column, Columns, Json, Row},
    value::{Value, args},
    writer::Writer,
};
