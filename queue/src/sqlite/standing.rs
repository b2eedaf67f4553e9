//! Those who stand by for a lane that had nothing for them.
//!
//! A push hands out to them what it brings, in its own transaction: a job for an idle worker costs no second one, and
//! nobody has to be woken to ask.

use std::time::Duration;

use tokio::sync::oneshot;

use crate::{Hand, Settled, Verdict};

use super::command::{Answers, Claim, Command, LaneRef, Round};

/// At most one for each who works a lane: who asks anew has given up what they asked before.
#[derive(Default)]
pub(super) struct Standing {
    asks: Vec<Claim>,
    /// How many of the round's claims were of those who stood by.
    joined: usize,
}

impl Standing {
    /// Lets those join a round who stand by for what it pushes, and keeps those who begin to.
    pub fn join(&mut self, round: &mut Round) {
        self.asks.append(&mut round.standing);
        self.asks.retain(|(_, _, reply)| !reply.is_closed());
        let pushed = |lane: &LaneRef| round.pushes.iter().any(|(of, ..)| of.name == lane.name);
        let joining: Vec<Claim> = self.asks.extract_if(.., |(lane, ..)| pushed(lane)).collect();
        self.joined = joining.len();
        round.claims.extend(joining);
    }

    /// The lanes of which those who stood by have taken all there was.
    pub fn served(&self, round: &Round, answers: &Answers) -> Vec<&'static str> {
        let first = round.claims.len() - self.joined;
        let claims = round.claims.iter().zip(&answers.claims).skip(first);
        let all = claims.filter(|((_, ask, _), claimed)| {
            claimed.hands.len() < ask.hands && claimed.again_in != Some(Duration::ZERO)
        });
        all.map(|((lane, ..), _)| lane.name).collect()
    }
}

/// Hands back, as it was, what was handed out to somebody who had just given up.
pub(super) fn hand_back(lane: LaneRef, hands: Vec<Hand>) -> Command {
    let settled = |hand: Hand| Settled {
        token: hand.token,
        verdicts: hand.jobs.into_iter().map(|job| (job.id, Verdict::HandBack)).collect(),
    };
    // Nobody waits for the answer: a token that is lost by now was handed back by somebody else.
    let (reply, _) = oneshot::channel();
    Command::Settle(lane, hands.into_iter().map(settled).collect(), reply)
}
