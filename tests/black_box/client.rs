//! A client of the HTTP API: one person's browser, or one program with a token.

use std::{fmt, future::IntoFuture, ops::Index, pin::Pin, time::Duration};

use reqwest::{
    Method, Response,
    header::{HeaderMap, HeaderName, HeaderValue},
};
use serde_json::Value;

/// Who calls: a cookie jar with its CSRF token, a bearer token, or nobody.
#[derive(Clone)]
pub struct Api {
    http: reqwest::Client,
    base: String,
    csrf: Option<String>,
    bearer: Option<String>,
}

impl Api {
    /// A browser that has not signed in, for the server at `base`.
    pub fn new(base: &str) -> Self {
        Self { http: http().build().unwrap(), base: base.to_owned(), csrf: None, bearer: None }
    }

    /// The same cookies with this CSRF token.
    pub fn with_csrf(&self, token: &str) -> Self {
        Self { csrf: Some(token.to_owned()), ..self.clone() }
    }

    /// The same cookies without a CSRF token.
    pub fn without_csrf(&self) -> Self {
        Self { csrf: None, ..self.clone() }
    }

    /// A program with this token and no cookies.
    pub fn with_token(&self, token: &str) -> Self {
        Self { bearer: Some(token.to_owned()), ..Self::new(&self.base) }
    }

    /// The same without cookies, and with one connection that is kept and used again.
    pub fn on_one_connection(&self) -> Self {
        Self { http: http().pool_max_idle_per_host(1).build().unwrap(), ..self.clone() }
    }

    /// The same person at another address, with the same cookies.
    pub fn at(&self, base: &str) -> Self {
        Self { base: base.to_owned(), ..self.clone() }
    }

    /// A browser without cookies, for the same server.
    pub fn stranger(&self) -> Self {
        Self::new(&self.base)
    }

    /// A call of `/v1{path}`.
    pub fn call(&self, method: &Method, path: &str) -> Call {
        self.call_url(method, &format!("{}/v1{path}", self.base))
    }

    fn call_url(&self, method: &Method, url: &str) -> Call {
        let what = format!("{method} {url}");
        let mut request = self.http.request(method.clone(), url);
        if let Some(token) = &self.bearer {
            request = request.bearer_auth(token);
        }
        if let Some(token) = self.csrf.as_ref().filter(|_| *method != Method::GET) {
            request = request.header("X-CSRF-Token", token);
        }
        Call { request, what }
    }

    /// `GET /v1{path}`.
    pub fn get(&self, path: &str) -> Call {
        self.call(&Method::GET, path)
    }

    /// `POST /v1{path}` with a JSON body.
    pub fn post(&self, path: &str, body: &Value) -> Call {
        self.call(&Method::POST, path).json(body)
    }

    /// `PATCH /v1{path}` with a JSON body.
    pub fn patch(&self, path: &str, body: &Value) -> Call {
        self.call(&Method::PATCH, path).json(body)
    }

    /// `PUT /v1{path}` without a body.
    pub fn put(&self, path: &str) -> Call {
        self.call(&Method::PUT, path)
    }

    /// `DELETE /v1{path}`.
    pub fn delete(&self, path: &str) -> Call {
        self.call(&Method::DELETE, path)
    }

    /// `GET {path}`, for pages that are no part of `/v1`.
    pub fn page(&self, path: &str) -> Call {
        self.call_url(&Method::GET, &format!("{}{path}", self.base))
    }

    /// All items of a list, page by page.
    pub async fn all(&self, path: &str) -> Vec<Value> {
        let mut items = Vec::new();
        let mut cursor: Option<String> = None;
        let join = if path.contains('?') { '&' } else { '?' };
        for _ in 0..10_000 {
            let next = cursor.map(|c| format!("&cursor={c}")).unwrap_or_default();
            let mut page = self.get(&format!("{path}{join}limit=200{next}")).await.is(200).body;
            items.append(page["items"].as_array_mut().expect("a list has items"));
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return items,
            }
        }
        panic!("{path} never ends");
    }
}

fn http() -> reqwest::ClientBuilder {
    reqwest::Client::builder()
        .no_proxy()
        .cookie_store(true)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(90))
}

/// A call that is being put together; `.await` sends it.
pub struct Call {
    request: reqwest::RequestBuilder,
    what: String,
}

impl Call {
    /// With a JSON body.
    pub fn json(mut self, body: &Value) -> Self {
        self.request = self.request.json(body);
        self
    }

    /// With any body and its type.
    pub fn raw(mut self, content_type: &str, body: impl Into<reqwest::Body>) -> Self {
        self.request = self.request.header("Content-Type", content_type).body(body);
        self
    }

    /// With a header.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        self.request = self.request.header(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
        self
    }

    /// With an `Idempotency-Key`.
    pub fn key(self, key: &str) -> Self {
        self.header("Idempotency-Key", key)
    }

    /// Asking for 202 at once.
    pub fn respond_async(self) -> Self {
        self.header("Prefer", "respond-async")
    }

    /// For as long as it takes: the time-out of the client covers the body too, and a stream has no end.
    pub fn without_time_out(mut self) -> Self {
        self.request = self.request.timeout(Duration::from_secs(24 * 60 * 60));
        self
    }

    /// Sends it and returns as soon as the headers are there.
    pub async fn open(self) -> Response {
        self.request.send().await.unwrap_or_else(|error| panic!("{}: {error:?}", self.what))
    }

    /// Sends it; an error when no whole answer came back.
    pub async fn attempt(self) -> Result<Reply, reqwest::Error> {
        let response = self.request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await?;
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let body = serde_json::from_str(&text).unwrap_or(Value::Null);
        Ok(Reply { status, headers, text, body, what: self.what })
    }
}

impl IntoFuture for Call {
    type Output = Reply;
    type IntoFuture = Pin<Box<dyn Future<Output = Reply> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let what = self.what.clone();
            self.attempt().await.unwrap_or_else(|error| panic!("{what}: {error:?}"))
        })
    }
}

/// An answer.
pub struct Reply {
    /// Its status.
    pub status: u16,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body as it came.
    pub text: String,
    /// Its body, if it is JSON.
    pub body: Value,
    what: String,
}

impl Reply {
    /// It has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// It is this problem, well-formed as RFC 9457 and the contract say.
    #[track_caller]
    pub fn problem(self, status: u16, slug: &str) -> Self {
        let this = self.any_problem();
        assert_eq!(this.status, status, "{this:?}");
        assert!(this.body["type"].as_str().is_some_and(|t| t.ends_with(&format!("#{slug}"))), "{this:?}");
        this
    }

    /// It is a problem, whichever.
    #[track_caller]
    pub fn any_problem(self) -> Self {
        assert!(self.status >= 400, "{self:?}");
        let kind = self.header("content-type").unwrap_or_default();
        assert!(kind.starts_with("application/problem+json"), "{self:?}");
        for name in ["type", "title", "detail"] {
            assert!(self.body[name].as_str().is_some_and(|text| !text.is_empty()), "no {name}: {self:?}");
        }
        assert_eq!(self.body["status"], self.status, "{self:?}");
        self
    }

    /// It is a 422 that names this field.
    #[track_caller]
    pub fn invalid(self, field: &str) -> Self {
        let this = self.problem(422, "invalid");
        let errors = this.body["errors"].as_array().cloned().unwrap_or_default();
        let named =
            errors.iter().any(|e| e["field"] == field && e["detail"].as_str().is_some_and(|d| !d.is_empty()));
        assert!(named, "no error names {field}: {this:?}");
        this
    }

    /// A header as text.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// A field of the body that is text.
    #[track_caller]
    pub fn str(&self, name: &str) -> String {
        self.body[name].as_str().unwrap_or_else(|| panic!("no text {name}: {self:?}")).to_owned()
    }
}

impl Index<&str> for Reply {
    type Output = Value;

    fn index(&self, name: &str) -> &Value {
        &self.body[name]
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text: String = self.text.chars().take(2_000).collect();
        write!(f, "{} answered {}\n{:#?}\n{text}", self.what, self.status, self.headers)
    }
}
