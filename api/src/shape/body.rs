//! A JSON body: bounded while it is read, its bytes kept for the fingerprint.

use std::{io, pin::pin, time::Duration};

use bytes::{Bytes, BytesMut};
use fairy_jobs::problem::{Problem, ProblemKind};
use futures::{Stream, StreamExt as _};
use poem::{Request, RequestBody, http::header};
use poem_openapi::{
    ApiExtractor, ApiExtractorType, ExtractParamOptions,
    registry::{MetaMediaType, MetaRequest, Registry},
    types::Type,
};
use serde::de::DeserializeOwned;

use super::json::parse;
use crate::problem::Refusal;

/// The largest body of most requests, in bytes.
const MOST_BYTES: usize = 1 << 20;
/// The most bytes that are read only to be dropped.
const MOST_DISCARDED: usize = 64 << 20;
/// How long a body may take to arrive.
const MOST_TIME: Duration = Duration::from_secs(30);

/// A body, parsed as far as its JSON goes.
pub(crate) struct JsonBody<T, const LIMIT: usize = MOST_BYTES> {
    /// What it says.
    pub value: T,
    /// Its bytes.
    pub raw: Bytes,
}

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
        let raw = read(request, body, LIMIT).await.map_err(Refusal::from)?;
        let value = parse(&raw).map_err(Refusal::from)?;
        Ok(Self { value, raw })
    }
}

async fn read(request: &Request, body: &mut RequestBody, limit: usize) -> Result<Bytes, Problem> {
    let json = |mime: &str| {
        let essence = mime.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        essence == "application/json" || essence.starts_with("application/") && essence.ends_with("+json")
    };
    if !request.content_type().is_some_and(json) {
        let detail = "The body must be sent as application/json.";
        return Err(Problem::new(ProblemKind::UnsupportedMediaType, detail));
    }
    let too_large = || {
        let detail = format!("The body may have at most {limit} bytes.");
        Problem::new(ProblemKind::BodyTooLarge, detail)
    };
    let malformed = |detail: &str| Problem::new(ProblemKind::Malformed, detail);
    let headers = request.headers();
    let length = headers.get(header::CONTENT_LENGTH).and_then(|l| l.to_str().ok()?.parse().ok()).unwrap_or(0);
    // Who asks first whether to send it is told at once; so is who would send more than anybody waits for.
    if length > MOST_DISCARDED || length > limit && headers.contains_key(header::EXPECT) {
        return Err(too_large());
    }
    let body = body.take().map_err(|_| malformed("There is no body."))?;
    match tokio::time::timeout(MOST_TIME, collect(body.into_bytes_stream(), limit)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => Err(too_large()),
        Ok(Err(_)) => Err(malformed("The body broke off.")),
        Err(_) => Err(malformed("The body did not arrive within 30 seconds.")),
    }
}

/// The bytes of a body, or `None` if they are more than `limit`: those are read and dropped, up to a bound, because a
/// client that is cut off while it writes never reads why.
async fn collect(
    body: impl Stream<Item = Result<Bytes, io::Error>>,
    limit: usize,
) -> Result<Option<Bytes>, io::Error> {
    let (mut body, mut kept, mut seen) = (pin!(body), BytesMut::new(), 0);
    while let Some(chunk) = body.next().await {
        let chunk = chunk?;
        seen += chunk.len();
        if seen > MOST_DISCARDED {
            break;
        }
        if seen <= limit {
            kept.extend_from_slice(&chunk);
        } else {
            kept = BytesMut::new();
        }
    }
    Ok((seen <= limit).then(|| kept.freeze()))
}

#[cfg(test)]
mod tests {
    use futures::stream;

    use super::*;

    async fn collected(chunks: &[usize], limit: usize) -> Option<usize> {
        let chunks: Vec<_> = chunks.iter().map(|size| Ok(Bytes::from(vec![b' '; *size]))).collect();
        collect(stream::iter(chunks), limit).await.unwrap().map(|bytes| bytes.len())
    }

    #[tokio::test]
    async fn a_body_is_whole_or_nothing() {
        assert_eq!(collected(&[], 10).await, Some(0));
        assert_eq!(collected(&[4, 6], 10).await, Some(10));
        assert_eq!(collected(&[4, 6, 1], 10).await, None);
        assert_eq!(collected(&[11], 10).await, None);
        assert_eq!(collected(&[MOST_DISCARDED, 1], 10).await, None);
    }
}
