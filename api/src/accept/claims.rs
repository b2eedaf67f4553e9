//! Idempotency keys of requests that are being accepted just now.
//!
//! The lane refuses a request whose key it holds for another, whichever process brought that. But a request first looks
//! whether the rows have its key, and between that look and its push another with the same key may come, be applied and
//! leave the lane. In this process a claim closes that gap: of two different requests with one key at the same moment the
//! second is refused. Equal requests pass, for they are one operation. Between processes the gap is as long as a request
//! takes from its look to its push.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use fairy_jobs::{id::OperationId, operation::Fingerprint};

use super::{Ticket, push::same_request};
use crate::problem::Refusal;

/// The keys in use, by the id they lead to.
#[derive(Default)]
pub(crate) struct Claims(Mutex<HashMap<OperationId, (Fingerprint, usize)>>);

/// A key in use, until this is dropped.
pub(super) struct Claim<'a> {
    claims: &'a Claims,
    id: OperationId,
}

impl Claims {
    /// Claims the key of this request; without a key there is nothing to claim.
    pub(super) fn claim(&self, ticket: &Ticket) -> Result<Option<Claim<'_>>, Refusal> {
        if !ticket.keyed {
            return Ok(None);
        }
        self.hold(ticket.id, ticket.fingerprint()).map(Some)
    }

    fn hold(&self, id: OperationId, fingerprint: Fingerprint) -> Result<Claim<'_>, Refusal> {
        let mut held = self.lock();
        let (first, count) = held.entry(id).or_insert((fingerprint, 0));
        same_request(*first, fingerprint)?;
        *count += 1;
        Ok(Claim { claims: self, id })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<OperationId, (Fingerprint, usize)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Claim<'_> {
    fn drop(&mut self) {
        let mut held = self.claims.lock();
        if let Some((_, count)) = held.get_mut(&self.id) {
            *count -= 1;
            if *count == 0 {
                held.remove(&self.id);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use fairy_jobs::problem::ProblemKind;

    use super::*;

    #[test]
    fn a_key_is_of_one_request_while_it_is_being_accepted() {
        let claims = Claims::default();
        let (one, two) = (Fingerprint::of(&[b"one"]), Fingerprint::of(&[b"two"]));
        let hold = |id: u8, fingerprint| claims.hold(OperationId::from_bytes([id; 16]), fingerprint);
        let refused = |fingerprint| hold(1, fingerprint).err().map(|refusal| refusal.problem.kind);
        let first = hold(1, one).ok().unwrap();
        let again = hold(1, one).ok().unwrap();
        assert_eq!(refused(two), Some(ProblemKind::IdempotencyKeyReused));
        assert!(hold(2, two).is_ok(), "another key");
        drop(first);
        assert_eq!(refused(two), Some(ProblemKind::IdempotencyKeyReused), "the equal one is not through yet");
        drop(again);
        assert_eq!(refused(two), None);
        assert!(claims.lock().is_empty(), "nothing is kept of what is done");
    }
}
