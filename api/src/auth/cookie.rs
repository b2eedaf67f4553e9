//! The cookies: opaque, `HttpOnly`, `SameSite=Lax`, and where the public URL is https, `Secure` under a `__Host-` name,
//! which no other host and no plain connection can set.
//!
//! One holds the session. The other says that its browser has signed in to an account before; it outlives sign-out and
//! opens nothing, it only lets its owner in while strangers guess (`Front::sign_in`).

use fairy_jobs::link::{Device, LinkKey};
use poem::http::{HeaderMap, header};

use super::Secret;
use crate::Settings;

/// Browsers keep a cookie at most 400 days; how long the session lasts is what its row says.
const MAX_AGE: u32 = 400 * 24 * 60 * 60;

const SESSION: &str = "fairy_session";
const DEVICE: &str = "fairy_device";

fn prefix(settings: &Settings) -> &'static str {
    if settings.secure() { "__Host-" } else { "" }
}

fn cookie(settings: &Settings, name: &str, value: &str, max_age: u32) -> String {
    let secure = if settings.secure() { "; Secure" } else { "" };
    let prefix = prefix(settings);
    format!("{prefix}{name}={value}; Path=/; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}")
}

/// `Set-Cookie` for a new session.
pub(crate) fn session_cookie(settings: &Settings, secret: &Secret) -> String {
    cookie(settings, SESSION, secret.expose(), MAX_AGE)
}

/// `Set-Cookie` that ends it.
pub(crate) fn ended_cookie(settings: &Settings) -> String {
    cookie(settings, SESSION, "", 0)
}

/// `Set-Cookie` by which the browser is known again.
pub(super) fn device_cookie(settings: &Settings, key: &LinkKey, device: Device) -> String {
    cookie(settings, DEVICE, &key.device_code(device), MAX_AGE)
}

/// The secret in a request's cookies.
pub(super) fn session_secret(settings: &Settings, headers: &HeaderMap) -> Option<Secret> {
    Secret::parse_session(value(settings, headers, SESSION)?)
}

/// The browser that a request's cookies prove.
pub(crate) fn device(settings: &Settings, key: &LinkKey, headers: &HeaderMap) -> Option<Device> {
    key.open_device(value(settings, headers, DEVICE)?)
}

fn value<'a>(settings: &Settings, headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let values = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let named = |key: &str| key.strip_prefix(prefix(settings)) == Some(name);
    pairs.find(|(key, _)| named(key)).map(|(_, value)| value)
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
    #[test]
    fn a_browser_is_known_by_a_cookie_of_its_own() {
        let (key, settings) = (LinkKey::new([7; 32]), settings("https://fairy.example"));
        let device = Device { user: fairy_jobs::id::UserId::from_bytes([1; 16]), nonce: [2; 16] };
        let cookie = device_cookie(&settings, &key, device);
        assert!(
            cookie.starts_with("__Host-fairy_device=")
                && cookie.ends_with("; HttpOnly; SameSite=Lax; Secure")
        );
        let (pair, _) = cookie.split_once(';').unwrap();
        let headers =
            |pair: &str| HeaderMap::from_iter([(header::COOKIE, HeaderValue::from_str(pair).unwrap())]);
        assert_eq!(super::device(&settings, &key, &headers(pair)), Some(device));
        assert_eq!(
            super::device(&settings, &key, &headers(&pair.replace("__Host-", ""))),
            None,
            "another name"
        );
        assert_eq!(super::device(&settings, &LinkKey::new([8; 32]), &headers(pair)), None, "another key");
    }
}
