//! `fairy health`: whether the process beside it should be given work, for whatever can only run a command, such as the health
//! check of a container.
//!
//! It asks the admin address of its own settings, so it must be started with those of the process that it asks about. It opens
//! nothing, and speaks as much HTTP as one question takes.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    process::ExitCode,
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use super::run::print;
use crate::{Failure, config::Config};

/// How long the answer may take; readiness itself waits 2 s for a part.
const PATIENCE: Duration = Duration::from_secs(4);
/// More than `/health/ready` ever says.
const MOST: u64 = 64 * 1024;

/// Prints what `/health/ready` says if the process is ready, and fails with it otherwise.
pub async fn run(config: Config) -> Result<ExitCode, Failure> {
    let address = reachable(config.http.admin_address);
    let wrong = |words: &dyn std::fmt::Display| Failure::new(format_args!("http://{address}: {words}"));
    let answer = match tokio::time::timeout(PATIENCE, ask(address)).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(error)) => return Err(wrong(&error)),
        Err(_) => return Err(wrong(&format_args!("no answer within {} s", PATIENCE.as_secs()))),
    };
    match answer.split_once("\r\n\r\n") {
        Some((head, body)) if head.starts_with("HTTP/1.1 200 ") || head.starts_with("HTTP/1.0 200 ") => {
            print(body)
        }
        Some((_, body)) => Err(wrong(&body)),
        None => Err(wrong(&"the answer is not HTTP")),
    }
}

/// An address to listen on, as one to connect to.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => address.set_ip(Ipv4Addr::LOCALHOST.into()),
        IpAddr::V6(ip) if ip.is_unspecified() => address.set_ip(Ipv6Addr::LOCALHOST.into()),
        _ => {}
    }
    address
}

async fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let question = format!("GET /health/ready HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(question.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer).await?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_here() {
        for (listens, asked) in [
            ("0.0.0.0:3001", "127.0.0.1:3001"),
            ("[::]:3001", "[::1]:3001"),
            ("192.0.2.7:3001", "192.0.2.7:3001"),
        ] {
            assert_eq!(reachable(listens.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
