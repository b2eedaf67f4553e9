//! Puts the surface together.

use poem::{EndpointExt as _, Route, endpoint::BoxEndpoint};

use crate::{Services, Settings};

/// The whole HTTP surface: `/v1`, the pages, the documentation.
pub fn app(services: Services, settings: Settings) -> BoxEndpoint<'static> {
    drop((services, settings));
    Route::new().boxed()
}

/// The OpenAPI document as pretty JSON, the same for every build of the same source.
pub fn spec() -> String {
    String::new()
}
