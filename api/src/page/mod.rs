//! The pages for people.

use std::sync::Arc;

use poem::Route;

use crate::front::Front;

/// All pages.
pub(crate) fn pages(_front: &Arc<Front>) -> Route {
    Route::new()
}
