//! Carries exports to the collector, with the TLS that everything else has.
//!
//! The exporter asks from a thread of its own, outside of any runtime, so each request is a task of the process's. That the
//! collector is away is said once, and once more when it is back.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use hyper_rustls::{ConfigBuilderExt as _, HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::connect::HttpConnector;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response, hyper::HyperClient};
use rustls::{ClientConfig, crypto::ring};
use tokio::runtime::Handle;

use crate::Failure;

/// The way of exports.
#[derive(Debug)]
pub(super) struct Courier {
    client: Arc<HyperClient<HttpsConnector<HttpConnector>>>,
    handle: Handle,
    away: AtomicBool,
}

impl Courier {
    /// Over this runtime, with this much time for each export.
    ///
    /// # Errors
    /// When the certificates of this machine cannot be read.
    pub fn new(handle: Handle, timeout: Duration) -> Result<Self, Failure> {
        let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(Failure::new)?
            .with_native_roots()
            .map_err(|error| Failure::new(format_args!("the certificates of this machine: {error}")))?
            .with_no_client_auth();
        let connector =
            HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1().build();
        let client = Arc::new(HyperClient::new(connector, timeout, None));
        Ok(Self { client, handle, away: AtomicBool::new(false) })
    }
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let client = Arc::clone(&self.client);
        let sent = self.handle.spawn(async move { client.send_bytes(request).await }).await;
        let answer = sent.unwrap_or_else(|error| Err(error.into()));
        let fault = match &answer {
            Ok(answer) if answer.status().is_success() => None,
            Ok(answer) => Some(format!("it answers {}", answer.status())),
            Err(error) => Some(error.to_string()),
        };
        match (fault, self.away.load(Ordering::Relaxed)) {
            (Some(error), false) => {
                tracing::warn!(error, "the collector does not take traces; some are lost until it does");
                self.away.store(true, Ordering::Relaxed);
            }
            (None, true) => {
                tracing::info!("the collector takes traces again");
                self.away.store(false, Ordering::Relaxed);
            }
            _ => {}
        }
        answer
    }
}
