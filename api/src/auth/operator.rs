//! Who looks after the installation, proved by the one token that the settings give.
//!
//! Where none is given there is nothing to find here: all answers are 404. Where one is, a guess is compared by hash and in
//! constant time, and costs its network a token of a small bucket if it is wrong: the token is too long to be guessed at any
//! speed, and nobody's guesses keep out who has it.

use std::{fmt, net::Ipv4Addr, sync::Arc};

use fairy_jobs::problem::{Problem, ProblemKind};
use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaSecurityScheme, Registry},
};
use subtle::ConstantTimeEq as _;

use super::{caller::bearer, sha256};
use crate::{
    front::Front,
    network::Network,
    problem::{Refusal, internal},
};

/// The token of operators, of which only the hash is kept.
#[derive(Clone, PartialEq, Eq)]
pub struct AdminToken([u8; 32]);

impl AdminToken {
    /// The token with this text.
    pub fn new(text: &str) -> Self {
        Self(sha256(text.as_bytes()))
    }

    fn is(&self, guess: &str) -> bool {
        self.0.ct_eq(&sha256(guess.as_bytes())).into()
    }
}

impl fmt::Debug for AdminToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("AdminToken(…)")
    }
}

/// Somebody who has shown the token.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Operator;

impl Operator {
    async fn of(request: &Request) -> Result<Self, Refusal> {
        let front = request.data::<Arc<Front>>().ok_or_else(internal)?;
        let Some(token) = &front.settings.admin_token else {
            return Err(Problem::new(ProblemKind::NotFound, "There is nothing at this address.").into());
        };
        if shown(request).is_some_and(|guess| token.is(guess)) {
            return Ok(Self);
        }
        let network = request.data::<Network>().copied();
        let network = network.unwrap_or_else(|| Network::of(Ipv4Addr::UNSPECIFIED.into()));
        front.limits.operator.take(&network, front.now()).await?;
        let detail = "Send the token of the setting `admin.token` as `Authorization: Bearer`.";
        Err(Problem::new(ProblemKind::Unauthenticated, detail).into())
    }
}

fn shown(request: &Request) -> Option<&str> {
    bearer(request.headers().get(header::AUTHORIZATION)?.to_str().ok()?)
}

impl<'a> ApiExtractor<'a> for Operator {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        let scheme = MetaSecurityScheme {
            ty: "http",
            description: Some(
                "The token of the setting `admin.token`, for who looks after the installation.",
            ),
            name: None,
            key_in: None,
            scheme: Some("bearer"),
            bearer_format: None,
            flows: None,
            openid_connect_url: None,
        };
        registry.create_security_scheme("operator", scheme);
    }

    fn security_schemes() -> Vec<&'static str> {
        vec!["operator"]
    }

    async fn from_request(
        request: &'a Request,
        _: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        Ok(Self::of(request).await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_token_is_the_token_and_it_is_never_shown() {
        let token = AdminToken::new("0123456789abcdef0123456789abcdef");
        assert!(token.is("0123456789abcdef0123456789abcdef"));
        for guess in ["", "0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdeF"] {
            assert!(!token.is(guess), "{guess}");
        }
        assert_eq!(format!("{token:?}"), "AdminToken(…)");
    }

    #[test]
    fn the_token_comes_as_bearer_whatever_the_case() {
        let shown_as = |value: &str| {
            let request = Request::builder().header("authorization", value).finish();
            shown(&request).map(str::to_owned)
        };
        assert_eq!(shown_as("bEARER  x "), Some("x".to_owned()));
        assert_eq!(shown_as("Basic x"), None);
        assert_eq!(shown_as("x"), None);
    }
}
