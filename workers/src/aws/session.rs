//! Who we are to AWS, and how long we wait for it.

use std::time::Duration;

use aws_config::{BehaviorVersion, ConfigLoader, SdkConfig, timeout::TimeoutConfig};
use aws_sdk_dynamodb::error::BuildError;
use aws_smithy_http_client::{
    Builder,
    tls::{Provider, rustls_provider::CryptoMode},
};

use super::fault::{Fault, Kind};

/// How long connecting may take.
const CONNECT: Duration = Duration::from_secs(3);
/// How long one attempt of a call may take; SES looks through a message before it answers.
const ATTEMPT: Duration = Duration::from_secs(10);
/// How long a call may take with all its attempts.
const CALL: Duration = Duration::from_secs(30);

/// Why AWS cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AwsError {
    /// It was not reached, is busy, or does not let us look: it may work later, or work all the same.
    #[error("{0}")]
    Away(String),
    /// Something is not there or not as it must be; waiting does not help.
    #[error("{0}")]
    Unfit(String),
}

impl From<Fault> for AwsError {
    fn from(fault: Fault) -> Self {
        match fault.kind {
            _ if fault.is("ResourceNotFoundException") => Self::Unfit(fault.text),
            Kind::Refused => Self::Unfit(fault.text),
            Kind::Throttled | Kind::Away | Kind::Lost => Self::Away(fault.text),
        }
    }
}

impl From<BuildError> for AwsError {
    fn from(error: BuildError) -> Self {
        Self::Unfit(error.to_string())
    }
}

/// The region, the credentials and the connections that all clients share.
#[derive(Debug, Clone)]
pub struct Aws(SdkConfig);

impl Aws {
    /// As the environment, the profile files and the machine's role say. Credentials are looked for when they are first
    /// needed, and again before they expire.
    ///
    /// # Errors
    /// Where no region is named.
    pub async fn from_environment() -> Result<Self, AwsError> {
        Self::load(aws_config::defaults(BehaviorVersion::v2026_01_12())).await
    }

    /// The same with some settings given in the program.
    ///
    /// # Errors
    /// Where no region is named.
    pub async fn load(loader: ConfigLoader) -> Result<Self, AwsError> {
        // The certificates of the system: those of a proxy that opens TLS are there and nowhere else.
        let http = Builder::new().tls_provider(Provider::Rustls(CryptoMode::Ring)).build_https();
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(CONNECT)
            .operation_attempt_timeout(ATTEMPT)
            .operation_timeout(CALL)
            .build();
        let config = loader.http_client(http).timeout_config(timeouts).load().await;
        if config.region().is_none_or(|region| region.as_ref().is_empty()) {
            return Err(AwsError::Unfit("no AWS region is named; set AWS_REGION".to_owned()));
        }
        Ok(Self(config))
    }

    pub(super) const fn config(&self) -> &SdkConfig {
        &self.0
    }
}
