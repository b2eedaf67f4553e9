//! The session cookie: opaque, `HttpOnly`, `SameSite=Lax`, and where the public URL is https, `Secure` under a
//! `__Host-` name, which no other host and no plain connection can set.

use poem::http::{HeaderMap, header};

use super::Secret;
use crate::Settings;

/// Browsers keep a cookie at most 400 days; how long the session lasts is what its row says.
const MAX_AGE: u32 = 400 * 24 * 60 * 60;

fn name(settings: &Settings) -> &'static str {
    if settings.secure() { "__Host-fairy_session" } else { "fairy_session" }
}

fn cookie(settings: &Settings, value: &str, max_age: u32) -> String {
    let secure = if settings.secure() { "; Secure" } else { "" };
    format!("{}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}", name(settings))
}

/// `Set-Cookie` for a new session.
pub(crate) fn session_cookie(settings: &Settings, secret: &Secret) -> String {
    cookie(settings, secret.expose(), MAX_AGE)
}

/// `Set-Cookie` that ends it.
pub(crate) fn ended_cookie(settings: &Settings) -> String {
    cookie(settings, "", 0)
}

/// The secret in a request's cookies.
pub(super) fn session_secret(settings: &Settings, headers: &HeaderMap) -> Option<Secret> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let (_, value) = pairs.find(|(key, _)| *key == name(settings))?;
    Secret::parse_session(value)
}

#[cfg(test)]
mod tests {
    use poem::http::HeaderValue;

    use super::*;

    fn settings(url: &str) -> Settings {
        Settings::new(url.parse().unwrap())
    }

    #[test]
    fn https_makes_the_cookie_host_only() {
        let secret = Secret::parse_session(&"s".repeat(43)).unwrap();
        let plain = session_cookie(&settings("http://127.0.0.1:3000"), &secret);
        let secure = session_cookie(&settings("https://fairy.example"), &secret);
        assert!(plain.starts_with("fairy_session=sss") && !plain.contains("Secure"));
        assert!(secure.starts_with("__Host-fairy_session=sss") && secure.ends_with("; Secure"));
        assert!(plain.contains("HttpOnly") && plain.contains("SameSite=Lax") && plain.contains("Path=/"));
    }

    #[test]
    fn finds_its_own_cookie_among_others() {
        let mut headers = HeaderMap::new();
        let value = format!("a=b; fairy_session={}; c=d", "s".repeat(43));
        headers.insert(header::COOKIE, HeaderValue::from_str(&value).unwrap());
        assert!(session_secret(&settings("http://x.test"), &headers).is_some());
        assert!(session_secret(&settings("https://x.test"), &headers).is_none(), "another name");
    }
}
