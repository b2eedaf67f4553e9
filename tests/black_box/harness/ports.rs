//! Ports that stay free for one server through kills and restarts, among many tests and test processes.
//!
//! Taking a port from the kernel and letting go of it again would race with every other test. Ports below the range
//! that outgoing connections are given are claimed by binding the UDP port of the same number for as long as the
//! test lives; the server has the TCP port.

use std::{
    net::{TcpListener, UdpSocket},
    sync::atomic::{AtomicU16, Ordering},
};

const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A TCP port on the loopback address that only this test uses.
pub struct Port {
    number: u16,
    _claim: UdpSocket,
}

impl Port {
    /// Claims a port that nobody listens on.
    pub fn claim() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let start = u16::try_from(std::process::id() % u32::from(COUNT)).expect("less than COUNT");
        for _ in 0..COUNT {
            let step = NEXT.fetch_add(1, Ordering::Relaxed) % COUNT;
            let number = FIRST + (start.wrapping_mul(37) % COUNT + step) % COUNT;
            if let Ok(claim) = UdpSocket::bind(("127.0.0.1", number))
                && TcpListener::bind(("127.0.0.1", number)).is_ok()
            {
                return Self { number, _claim: claim };
            }
        }
        panic!("no free port between {FIRST} and {}", FIRST + COUNT);
    }

    /// Its number.
    pub const fn number(&self) -> u16 {
        self.number
    }
}
