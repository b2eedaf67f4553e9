//! Who writes, and the headers that every operation understands.

use poem::{FromRequest, Request, RequestBody};
use poem_openapi::{ApiExtractor, ApiExtractorType, ExtractParamOptions, registry::Registry};

use crate::{
    accept::{Envelope, Ticket},
    auth::{Caller, Place},
    front::Front,
};

/// The caller of an operation and what surrounds its body.
pub(crate) struct Writer {
    /// Who calls.
    pub caller: Caller,
    /// Method, path and headers.
    pub envelope: Envelope,
}

impl Writer {
    /// The ticket of an operation with this body in this place.
    pub fn ticket(&self, front: &Front, place: &Place, body: &[u8]) -> Ticket {
        Ticket::new(front, &self.caller, place, &self.envelope, body)
    }
}

impl<'a> ApiExtractor<'a> for Writer {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::SecurityScheme];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        <Caller as ApiExtractor>::register(registry);
    }

    fn security_schemes() -> Vec<&'static str> {
        <Caller as ApiExtractor>::security_schemes()
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let caller = Caller::of(request).await?;
        Ok(Self { caller, envelope: <Envelope as FromRequest>::from_request(request, body).await? })
    }
}
