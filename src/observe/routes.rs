//! The routes of the admin listener; nothing else is served there.

use poem::{
    EndpointExt as _, Response, Route, endpoint::BoxEndpoint, get, handler, http::StatusCode, web::Data,
};

use super::{Vitals, health, metrics};

/// `/health/live`, `/health/ready`, `/metrics`.
pub fn app(vitals: Vitals) -> BoxEndpoint<'static> {
    Route::new()
        .at("/health/live", get(live))
        .at("/health/ready", get(ready))
        .at("/metrics", get(figures))
        .data(vitals)
        .map_to_response()
        .boxed()
}

/// It answers, so it lives.
#[handler]
fn live() -> Response {
    json(StatusCode::OK, r#"{"live":true}"#.to_owned())
}

#[handler]
async fn ready(Data(vitals): Data<&Vitals>) -> Response {
    let readiness = health::readiness(vitals).await;
    let status = match readiness.ready {
        true => StatusCode::OK,
        false => StatusCode::SERVICE_UNAVAILABLE,
    };
    match serde_json::to_string(&readiness) {
        Ok(body) => json(status, body),
        Err(error) => json(StatusCode::INTERNAL_SERVER_ERROR, format!("{{\"error\":\"{error}\"}}")),
    }
}

#[handler]
async fn figures(Data(vitals): Data<&Vitals>) -> Response {
    let text = match metrics::text(vitals).await {
        Ok(text) => text,
        Err(error) => return json(StatusCode::INTERNAL_SERVER_ERROR, format!("{{\"error\":\"{error}\"}}")),
    };
    Response::builder()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .header("Cache-Control", "no-store")
        .body(text)
}

fn json(status: StatusCode, body: String) -> Response {
    Response::builder()
        .status(status)
        .content_type("application/json")
        .header("Cache-Control", "no-store")
        .body(body)
}
