//! Links that carry their own proof: invitations, address verification, password reset, CSRF tokens.
//!
//! A code is an id and an HMAC-SHA-256 over purpose and id under the server's key, so it can be made again whenever the
//! mail is sent, and nothing that opens a door is kept in a row, a job or a dead letter. Whether it still holds (not
//! used, not expired, not withdrawn) is what the row of that id says.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What a code opens; a code for one purpose is worthless for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "the names are the documentation")]
pub enum Purpose {
    Invitation,
    VerifyEmail,
    ResetPassword,
    Csrf,
}

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
        let mut bytes = [0; 48];
        bytes[..16].copy_from_slice(&id);
        bytes[16..].copy_from_slice(&self.mac(purpose, id).finalize().into_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The id in a code that this key made for this purpose; compared in constant time.
    pub fn open(&self, purpose: Purpose, code: &str) -> Option<[u8; 16]> {
        let mut bytes = [0; 48];
        let length = URL_SAFE_NO_PAD.decode_slice(code, &mut bytes).ok()?;
        let (id, mac) = bytes.split_first_chunk::<16>()?;
        (length == 48 && self.mac(purpose, *id).verify_slice(mac).is_ok()).then_some(*id)
    }

    fn mac(&self, purpose: Purpose, id: [u8; 16]) -> Hmac<Sha256> {
        // HMAC pads a short key with zeros to the block of its hash (RFC 2104 §2), 64 bytes for SHA-256.
        let mut block = [0; 64];
        block[..32].copy_from_slice(&self.0);
        let mut mac = Hmac::<Sha256>::new(&block.into());
        mac.update(match purpose {
            Purpose::Invitation => b"invitation\0",
            Purpose::VerifyEmail => b"verify-email\0",
            Purpose::ResetPassword => b"reset-password\0",
            Purpose::Csrf => b"csrf\0",
        });
        mac.update(&id);
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
}
