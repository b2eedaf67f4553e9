//! Every way a request can be refused, in one registry.
//!
//! A [`Problem`] is what RFC 9457 calls a problem detail. Its `type` is stable and resolves to a heading of
//! `/docs/problems`, which is made from this registry; programs match on it, people read `detail`, which says what to
//! do. The domain answers refusals with the same type that HTTP and chat show, so nothing is translated on the way.

use serde::{Deserialize, Serialize};

macro_rules! problems {
    ($($(#[$doc:meta])* $kind:ident = $slug:literal, $status:literal, $title:literal, $help:literal;)*) => {
        /// What went wrong, of a closed set.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
        pub enum ProblemKind {
            $($(#[$doc])* #[serde(rename = $slug)] $kind,)*
        }

        impl ProblemKind {
            /// All of them, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            /// The last part of the problem's `type`.
            pub const fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug,)* }
            }

            /// The HTTP status it is answered with (RFC 9110 §15).
            pub const fn status(self) -> u16 {
                match self { $(Self::$kind => $status,)* }
            }

            /// A short summary that does not change from one occurrence to the next.
            pub const fn title(self) -> &'static str {
                match self { $(Self::$kind => $title,)* }
            }

            /// What it means and what to do about it, for the documentation.
            pub const fn help(self) -> &'static str {
                match self { $(Self::$kind => $help,)* }
            }
        }
    };
}

problems! {
    /// The request could not be read.
    Malformed = "malformed-request", 400, "The request could not be read",
        "The body, a header or a parameter is not of the form that the API description gives. `detail` says where.";
    /// No valid session or token.
    Unauthenticated = "unauthenticated", 401, "Sign in first",
        "There is no session or token, or it has expired or was revoked. Sign in again, or make a new token.";
    /// Wrong e-mail or password.
    InvalidCredentials = "invalid-credentials", 401, "E-mail or password is wrong",
        "Which of the two is not said, so that nobody can find out who has an account.";
    /// Known, visible, but not allowed.
    Forbidden = "forbidden", 403, "You may not do this",
        "Your role or your token's scopes do not allow it; `detail` names what is needed.";
    /// A cookie-authenticated write without its CSRF token.
    CsrfTokenInvalid = "csrf-token-invalid", 403, "The CSRF token is missing or wrong",
        "Send the `csrf_token` of sign-in or `GET /v1/me` in the header `X-CSRF-Token`.";
    /// Not there, or not for this caller to know of.
    NotFound = "not-found", 404, "Not found",
        "It does not exist, or you may not see it; the answer is the same for both.";
    /// The path knows other methods.
    MethodNotAllowed = "method-not-allowed", 405, "The path does not know this method",
        "See the API description for the methods of this path.";
    /// No representation that `Accept` allows.
    NotAcceptable = "not-acceptable", 406, "No such representation",
        "Ask for `application/json`, or where the description says so for `text/event-stream`.";
    /// Something with that name exists.
    Conflict = "conflict", 409, "It conflicts with what is there",
        "Something else has this name, key or state already; `detail` names it.";
    /// An account with that address exists.
    EmailTaken = "email-taken", 409, "There is an account with this e-mail address",
        "Sign in, or reset the password.";
    /// The link has expired or was used.
    LinkExpired = "link-expired", 410, "The link is no longer valid",
        "It has expired, was used already, or was withdrawn. Ask for a new one.";
    /// `If-Match` names another version.
    PreconditionFailed = "precondition-failed", 412, "It has changed in the meantime",
        "`If-Match` named another version than the present one. Read it again and decide anew.";
    /// Larger than the limit.
    BodyTooLarge = "body-too-large", 413, "The body is too large",
        "`detail` names the limit in bytes.";
    /// Not JSON.
    UnsupportedMediaType = "unsupported-media-type", 415, "The body must be JSON",
        "Send `Content-Type: application/json`.";
    /// The request names a host that is not this server's.
    Misdirected = "misdirected", 421, "The request was meant for another host",
        "The host name in the request is none under which this is answered; `detail` names those that are.";
    /// Well formed, but a value is not acceptable.
    Invalid = "invalid", 422, "A value is not acceptable",
        "`errors` names each field and what it must be.";
    /// The same key came with another request.
    IdempotencyKeyReused = "idempotency-key-reused", 422, "The idempotency key belongs to another request",
        "The key was used with another method, path, body or `If-Match`. Use a new key for a new request.";
    /// Asked too often.
    TooManyRequests = "too-many-requests", 429, "Too many requests",
        "Wait as many seconds as `Retry-After` says.";
    /// The workspace has too much waiting.
    BacklogFull = "backlog-full", 429, "Too much is waiting in this workspace",
        "10,000 operations are accepted and not yet applied. Wait as many seconds as `Retry-After` says.";
    /// A defect.
    Internal = "internal", 500, "Something broke on our side",
        "Nothing about it is in the answer but an incident id, which the log knows.";
    /// Accepted, but it could not be applied.
    OperationFailed = "operation-failed", 500, "The operation was accepted but could not be applied",
        "It was retried, then put among the dead letters; nothing of it was applied. A retry is a new operation.";
    /// Certainly not accepted.
    Unavailable = "unavailable", 503, "Not available just now",
        "Nothing was accepted. Send the same request again after `Retry-After` seconds.";
    /// May have been accepted.
    OutcomeUnknown = "outcome-unknown", 504, "It cannot be known yet whether it was accepted",
        "Ask at `Location`, or repeat the request with the same `Idempotency-Key`; it is applied once at the most.";
}

/// One field that is not acceptable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldError {
    /// The field's name in the request, such as `title` or `items.3.due`.
    pub field: String,
    /// What it must be; reads after the field's name.
    pub detail: String,
}

/// A refusal as the caller sees it (RFC 9457).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Which of the registry.
    pub kind: ProblemKind,
    /// What happened this time, and what to do.
    pub detail: String,
    /// The fields at fault, if it is about fields.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<FieldError>,
    /// In how many seconds to try again, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u32>,
}

impl Problem {
    /// A problem of this kind with this explanation.
    pub fn new(kind: ProblemKind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), errors: Vec::new(), retry_after: None }
    }

    /// One field is not acceptable.
    pub fn field(field: impl Into<String>, detail: impl Into<String>) -> Self {
        Self::fields(vec![FieldError { field: field.into(), detail: detail.into() }])
    }

    /// These fields are not acceptable; there must be at least one.
    pub fn fields(errors: Vec<FieldError>) -> Self {
        let detail =
            errors.iter().map(|e| format!("{} {}", e.field, e.detail)).collect::<Vec<_>>().join("; ");
        Self { errors, ..Self::new(ProblemKind::Invalid, detail) }
    }

    /// What the caller may not see does not exist for it.
    pub fn not_found(what: &str) -> Self {
        Self::new(ProblemKind::NotFound, format!("There is no such {what}, or you may not see it."))
    }

    /// The same problem, to be tried again in `seconds`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.kind.slug(), self.detail)
    }
}

impl std::error::Error for Problem {}
