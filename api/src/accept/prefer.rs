//! The `Prefer` header (RFC 7240): how long the caller wants to wait for the outcome.

use std::time::Duration;

use poem::http::{HeaderMap, HeaderName};

/// How long a request waits that says nothing.
const DEFAULT: Duration = Duration::from_secs(10);
/// The longest a request waits.
const MOST_SECONDS: u64 = 60;
/// The same.
pub(crate) const MOST_PATIENCE: Duration = Duration::from_secs(MOST_SECONDS);

/// What the caller prefers; what is not understood is ignored, as the RFC wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Prefer {
    asynchronous: bool,
    wait: Option<u64>,
}

impl Prefer {
    /// The preferences in all `Prefer` headers; of a repeated preference the first counts (RFC 7240 §2).
    pub fn parse(headers: &HeaderMap) -> Self {
        let values = headers.get_all(HeaderName::from_static("prefer")).iter();
        let mut prefer = Self::default();
        for item in values.filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(',')) {
            // Parameters of a preference come after a semicolon; neither of ours has any.
            let preference = item.split(';').next().unwrap_or_default();
            let (name, value) = preference.split_once('=').unwrap_or((preference, ""));
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim().trim_matches('"'));
            match name.as_str() {
                "respond-async" => prefer.asynchronous = true,
                "wait" if prefer.wait.is_none() => {
                    prefer.wait = value.parse().ok().map(|seconds: u64| seconds.min(MOST_SECONDS));
                }
                _ => {}
            }
        }
        prefer
    }

    /// How long to wait for the outcome of an operation just accepted.
    pub fn patience(self) -> Duration {
        match (self.wait, self.asynchronous) {
            (Some(seconds), _) => Duration::from_secs(seconds),
            (None, true) => Duration::ZERO,
            (None, false) => DEFAULT,
        }
    }

    /// How long to wait when asking after an operation: not at all, unless a time is given.
    pub fn patience_when_asking(self) -> Duration {
        Duration::from_secs(self.wait.unwrap_or(0))
    }

    /// What `Preference-Applied` says of a request that `waited` as long as it wanted, or until there was an outcome, and
    /// was answered with `202` or not.
    pub fn applied(self, waited: bool, accepted: bool) -> Option<String> {
        let asynchronous = (self.asynchronous && accepted).then(|| "respond-async".to_owned());
        let wait = self.wait.filter(|_| waited).map(|seconds| format!("wait={seconds}"));
        let applied: Vec<String> = asynchronous.into_iter().chain(wait).collect();
        (!applied.is_empty()).then(|| applied.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn prefer(values: &[&str]) -> Prefer {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append("prefer", HeaderValue::from_str(value).unwrap());
        }
        Prefer::parse(&headers)
    }

    #[test]
    fn reads_what_it_knows() {
        assert_eq!(prefer(&[]).patience(), DEFAULT);
        assert_eq!(prefer(&["respond-async"]).patience(), Duration::ZERO);
        assert_eq!(prefer(&["wait=3"]).patience(), Duration::from_secs(3));
        assert_eq!(prefer(&["Wait = \"3\"; x=y"]).patience(), Duration::from_secs(3));
        assert_eq!(prefer(&["respond-async, wait=3"]).patience(), Duration::from_secs(3));
        assert_eq!(prefer(&["return=minimal", "RESPOND-ASYNC"]).patience(), Duration::ZERO);
        assert_eq!(prefer(&["wait=5, wait=7"]).patience(), Duration::from_secs(5));
        assert_eq!(prefer(&["wait=3600"]).applied(true, false).as_deref(), Some("wait=60"));
    }

    #[test]
    fn says_what_was_followed_and_no_more() {
        let applied = |values: &[&str], waited, accepted| prefer(values).applied(waited, accepted);
        assert_eq!(applied(&["respond-async"], true, true).as_deref(), Some("respond-async"));
        assert_eq!(applied(&["respond-async"], false, false), None, "the outcome was there");
        assert_eq!(applied(&["wait=30"], false, true), None, "cut short by a stop");
        let both = ["respond-async, wait=3"];
        assert_eq!(applied(&both, true, true).as_deref(), Some("respond-async, wait=3"));
        assert_eq!(applied(&both, true, false).as_deref(), Some("wait=3"));
        assert_eq!(applied(&[], true, true), None);
    }

    #[test]
    fn ignores_what_it_does_not_know() {
        for odd in ["wait", "wait=", "wait=-1", "wait=soon", "wait=1.5", "handling=lenient", ",;=,"] {
            assert_eq!(prefer(&[odd]), Prefer::default(), "{odd}");
        }
    }
}
