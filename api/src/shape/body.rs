//! A JSON body: bounded while it is read, its bytes kept for the fingerprint.

use std::sync::Arc;

use bytes::Bytes;
use fairy_jobs::problem::{Problem, ProblemKind};
use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use serde::de::DeserializeOwned;

use super::{
    arrival::{Held, MOST_DISCARDED, OPEN_BYTES, receive, too_large},
    json::parse,
};
use crate::{
    front::Front,
    problem::{Refusal, internal},
};

/// The largest body of most requests, in bytes.
const MOST_BYTES: usize = 1 << 20;

/// A body, parsed as far as its JSON goes.
pub(crate) struct JsonBody<T, const LIMIT: usize = MOST_BYTES> {
    /// What it says.
    pub value: T,
    /// Its bytes.
    pub raw: Bytes,
    _room: Held,
}

/// A body that anybody may send: small, and in the strangers' room.
pub(crate) type OpenBody<T> = JsonBody<T, OPEN_BYTES>;

impl<'a, T: Type + DeserializeOwned, const LIMIT: usize> ApiExtractor<'a> for JsonBody<T, LIMIT> {
    const TYPES: &'static [ApiExtractorType] = &[ApiExtractorType::RequestObject];
    type ParamType = ();
    type ParamRawType = ();

    fn register(registry: &mut Registry) {
        T::register(registry);
    }

    fn request_meta() -> Option<MetaRequest> {
        let content = vec![MetaMediaType { content_type: "application/json", schema: T::schema_ref() }];
        Some(MetaRequest { description: None, content, required: true })
    }

    async fn from_request(
        request: &'a Request,
        body: &mut RequestBody,
        _: ExtractParamOptions<()>,
    ) -> poem::Result<Self> {
        let (raw, room) = read(request, body, LIMIT).await?;
        let value = parse(&raw).map_err(Refusal::from)?;
        Ok(Self { value, raw, _room: room })
    }
}

async fn read(request: &Request, body: &mut RequestBody, limit: usize) -> Result<(Bytes, Held), Refusal> {
    let json = |mime: &str| {
        let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
    };
    if !request.content_type().is_some_and(json) {
        let detail = "The body must be sent as application/json.";
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail).into());
    }
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse().ok()).unwrap_or(0);
    // Who asks first whether to send it is told at once; so is who would send more than anybody waits for.
    if length > MOST_DISCARDED || length > limit && headers.contains_key(header::EXPECT) {
        return Err(too_large(limit).into());
    }
    let front = request.data::<Arc<Front>>().ok_or_else(internal)?;
    Ok(receive(body, limit, front.rooms.place(limit)).await?)
}
