//! The shapes of the answers to operations, for the description: what is answered once it is applied, and `202`.

use std::marker::PhantomData;

use poem_openapi::{
    registry::{MetaResponse, Registry},
    types::Type,
};

use super::OperationView;
use crate::shape::{Shape, json_content, located, plain};

/// What an applied operation is answered with.
pub(crate) trait Applied {
    /// The status.
    const STATUS: u16;
    /// The response.
    fn response() -> MetaResponse;
    /// Registers what it shows.
    fn register(registry: &mut Registry);
}

/// `201` with what was made.
pub(crate) struct Created<T>(PhantomData<fn() -> T>);
/// `200` with what it is now.
pub(crate) struct Changed<T>(PhantomData<fn() -> T>);
/// `204`.
pub(crate) struct Nothing;
/// The answer to an operation: applied, or accepted.
pub(crate) struct Operated<A>(PhantomData<fn() -> A>);

const ETAG: (&str, &str) = ("ETag", "What is shown, for `If-None-Match`; and its version, for `If-Match`.");
const OPERATION_ID: (&str, &str) = ("Operation-Id", "The operation.");
const REPLAYED: (&str, &str) =
    ("Idempotency-Replayed", "`true` if an earlier request with the same key did it.");
const APPLIED: (&str, &str) = ("Preference-Applied", "What of `Prefer` was followed.");

impl<T: Type> Applied for Created<T> {
    const STATUS: u16 = 201;

    fn response() -> MetaResponse {
        located(
            201,
            "Applied; this is what was made.",
            json_content::<T>(),
            &[ETAG, OPERATION_ID, REPLAYED, APPLIED],
        )
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl<T: Type> Applied for Changed<T> {
    const STATUS: u16 = 200;

    fn response() -> MetaResponse {
        plain(
            200,
            "Applied; this is what it is now.",
            json_content::<T>(),
            &[ETAG, OPERATION_ID, REPLAYED, APPLIED],
        )
    }

    fn register(registry: &mut Registry) {
        T::register(registry);
    }
}

impl Applied for Nothing {
    const STATUS: u16 = 204;

    fn response() -> MetaResponse {
        plain(204, "Applied.", Vec::new(), &[OPERATION_ID, REPLAYED, APPLIED])
    }

    fn register(_: &mut Registry) {}
}

impl<A: Applied> Shape for Operated<A> {
    fn responses() -> Vec<MetaResponse> {
        let description =
            "Accepted and not applied yet, or asked for with `Prefer: respond-async`; `Location` tells more.";
        let headers = [OPERATION_ID, REPLAYED, APPLIED];
        vec![A::response(), located(202, description, json_content::<OperationView>(), &headers)]
    }

    fn register(registry: &mut Registry) {
        A::register(registry);
        OperationView::register(registry);
    }
}
