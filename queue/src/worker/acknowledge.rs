//! The layer that brings what a batch came to on its way back to the store.
//!
//! It stands outside all other layers, so that it sees the end of a batch however it ended.

use std::sync::Arc;
use std::task::{Context, Poll};

use apalis::prelude::{BoxDynError, Task};
use futures::FutureExt;
use futures::future::BoxFuture;
use tower::{Layer, Service};

use crate::{JobId, Settled, Verdict};

use super::station::{Batch, Finished, Station};

/// The verdicts on a batch.
pub(super) type Verdicts = Vec<(JobId, Verdict)>;

/// See the module.
pub(super) struct AcknowledgeLayer(pub Arc<Station>);

/// See the module.
pub(super) struct Acknowledge<S> {
    inner: S,
    station: Arc<Station>,
}

impl<S> Layer<S> for AcknowledgeLayer {
    type Service = Acknowledge<S>;

    fn layer(&self, inner: S) -> Acknowledge<S> {
        Acknowledge { inner, station: Arc::clone(&self.0) }
    }
}

impl<S> Service<Task<Batch>> for Acknowledge<S>
where
    S: Service<Task<Batch>, Response = Verdicts>,
    S::Error: Into<BoxDynError>,
    S::Future: Send + 'static,
{
    type Response = ();
    type Error = BoxDynError;
    type Future = BoxFuture<'static, Result<(), BoxDynError>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxDynError>> {
        self.inner.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, mut task: Task<Batch>) -> Self::Future {
        let token = task.args.hand.token;
        let slot = task.args.slot.take();
        let work = self.inner.call(task);
        let station = Arc::clone(&self.station);
        async move {
            match work.await.map_err(Into::into) {
                Ok(verdicts) => {
                    let settled = Settled { token, verdicts };
                    // The receiver is only gone when the whole worker is.
                    let _ = station.finished.send(Finished { settled, slot }).await;
                    Ok(())
                }
                Err(error) => {
                    tracing::error!(lane = station.lane.name, %error, "a batch ended without verdicts");
                    station.held().remove(&token);
                    Err(error)
                }
            }
        }
        .boxed()
    }
}
