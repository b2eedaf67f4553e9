//! What carries its own proof: links of invitations, address verification and password reset, CSRF tokens, and the
//! cookie by which an account knows a browser again.
//!
//! A code is an id and an HMAC-SHA-256 over purpose and id under the server's key, so it can be made again whenever the
//! mail is sent, and nothing that opens a door is kept in a row, a job or a dead letter. Whether it still holds (not
//! used, not expired, not withdrawn) is what the row of that id says.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::id::{IdSource, UserId};

/// What a code opens; a code for one purpose is worthless for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Purpose {
    Invitation,
    VerifyEmail,
    ResetPassword,
    Csrf,
}

/// A browser in which a person has signed in before. Whoever guesses at the account elsewhere does not count against it
/// (OWASP, "Slow Down Online Guessing Attacks with Device Cookies").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// The person.
    pub user: UserId,
    /// What tells it from their other browsers.
    pub nonce: [u8; 16],
}

impl Device {
    /// One that was not seen before.
    pub fn new(user: UserId, ids: &dyn IdSource) -> Self {
        let mut nonce = [0; 16];
        ids.fill(&mut nonce);
        Self { user, nonce }
    }
}

/// What is hashed before an id, so that a code for one purpose opens nothing else.
const fn label(purpose: Purpose) -> &'static [u8] {
    match purpose {
        Purpose::Invitation => b"invitation\0",
        Purpose::VerifyEmail => b"verify-email\0",
        Purpose::ResetPassword => b"reset-password\0",
        Purpose::Csrf => b"csrf\0",
    }
}

/// What is hashed before a person and a nonce.
const DEVICE: &[u8] = b"device\0";
/// The bytes of an HMAC-SHA-256.
const MAC: usize = 32;

/// The server's secret key, 32 bytes.
#[derive(Clone)]
pub struct LinkKey([u8; 32]);

impl LinkKey {
    /// The key of these bytes.
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The code for an id: 64 characters that are safe in a URL.
    pub fn code(&self, purpose: Purpose, id: [u8; 16]) -> String {
        self.seal(label(purpose), &id)
    }

    /// The id in a code that this key made for this purpose; compared in constant time.
    pub fn open(&self, purpose: Purpose, code: &str) -> Option<[u8; 16]> {
        self.unseal(label(purpose), code)
    }

    /// What a browser keeps to be known again: 86 characters that are safe in a cookie.
    pub fn device_code(&self, device: Device) -> String {
        let mut payload = [0; 32];
        payload[..16].copy_from_slice(&device.user.to_bytes());
        payload[16..].copy_from_slice(&device.nonce);
        self.seal(DEVICE, &payload)
    }

    /// The browser that this key made the code for; compared in constant time.
    pub fn open_device(&self, code: &str) -> Option<Device> {
        let payload: [u8; 32] = self.unseal(DEVICE, code)?;
        let (user, nonce) = payload.split_first_chunk::<16>()?;
        Some(Device { user: UserId::from_bytes(*user), nonce: nonce.try_into().ok()? })
    }

    fn seal(&self, label: &[u8], payload: &[u8]) -> String {
        let mut bytes = payload.to_vec();
        bytes.extend_from_slice(&self.mac(label, payload).finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    fn unseal<const N: usize>(&self, label: &[u8], code: &str) -> Option<[u8; N]> {
        // Only what can be a code is decoded: a stranger may send anything.
        if code.len() != ((N + MAC) * 4).div_ceil(3) {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(code).ok()?;
        let (payload, mac) = bytes.split_first_chunk::<N>()?;
        self.mac(label, payload).verify_slice(mac).is_ok().then_some(*payload)
    }

    fn mac(&self, label: &[u8], payload: &[u8]) -> Hmac<Sha256> {
        // HMAC pads a short key with zeros to the block of its hash (RFC 2104 §2), 64 bytes for SHA-256.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(label);
        mac.update(payload);
        mac
    }
}

impl std::fmt::Debug for LinkKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkKey(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn opens_only_what_it_made() {
        let key = LinkKey::new([7; 32]);
        let code = key.code(Purpose::Invitation, [1; 16]);
        assert_eq!(code.len(), 64);
        assert_eq!(key.open(Purpose::Invitation, &code), Some([1; 16]));
        assert_eq!(key.open(Purpose::ResetPassword, &code), None);
        assert_eq!(LinkKey::new([8; 32]).open(Purpose::Invitation, &code), None);
        assert_eq!(key.open(Purpose::Invitation, &code[..63]), None);
        assert_eq!(key.open(Purpose::Invitation, &format!("{code}A")), None);
    }
    #[test]
    fn knows_a_browser_again_and_for_nobody_else() {
        let key = LinkKey::new([7; 32]);
        let device = Device { user: UserId::from_bytes([1; 16]), nonce: [2; 16] };
        let code = key.device_code(device);
        assert_eq!(code.len(), 86);
        assert_eq!(key.open_device(&code), Some(device));
        assert_eq!(LinkKey::new([8; 32]).open_device(&code), None);
        assert_eq!(key.open_device(&code[1..]), None);
        assert_eq!(key.open_device(&format!("{code}A")), None);
        // The proof of one person does not fit another: every character counts.
        for at in 0..code.len() - 1 {
            let other = if code.as_bytes()[at] == b'A' { "B" } else { "A" };
            assert_eq!(key.open_device(&format!("{}{other}{}", &code[..at], &code[at + 1..])), None, "{at}");
        }
        assert_eq!(key.open(Purpose::Csrf, &code), None);
    }
}
