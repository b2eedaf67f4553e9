//! What stands in front of several API processes: it asks each whether it is ready and gives a new connection to one that is, in
//! turn. It knows nothing of requests, and tries nothing twice: what a process refuses is refused.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures::future::join_all;
use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};

use crate::harness::{Port, pass};

/// How long between two questions.
const PACE: Duration = Duration::from_millis(50);

/// A process behind it.
struct Door {
    /// Where it answers requests.
    place: String,
    /// Where it tells whether it is ready.
    question: String,
    ready: AtomicBool,
}

/// See the module; it ends with the value.
pub struct Balancer {
    port: Port,
    doors: Arc<Vec<Door>>,
    tasks: [JoinHandle<()>; 2],
}

impl Balancer {
    /// One before processes of which these are the URLs of the API and of the admin listener.
    pub async fn before(processes: impl IntoIterator<Item = (String, String)>) -> Self {
        let door = |(api, admin): (String, String)| Door {
            place: api.replace("http://", ""),
            question: format!("{admin}/health/ready"),
            ready: AtomicBool::new(false),
        };
        let doors = Arc::new(processes.into_iter().map(door).collect::<Vec<_>>());
        let port = Port::claim();
        let listener = TcpListener::bind(("127.0.0.1", port.number())).await.unwrap();
        let tasks = [tokio::spawn(ask(doors.clone())), tokio::spawn(listen(listener, doors.clone()))];
        Self { port, doors, tasks }
    }

    /// Where it listens.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port.number())
    }

    /// Whether a process is given connections now.
    pub fn gives_to(&self, door: usize) -> bool {
        self.doors[door].ready.load(Ordering::Relaxed)
    }
}

impl Drop for Balancer {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

async fn ask(doors: Arc<Vec<Door>>) {
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(5)).build().unwrap();
    loop {
        join_all(doors.iter().map(async |door| {
            let answer = http.get(&door.question).send().await;
            door.ready.store(answer.is_ok_and(|answer| answer.status().is_success()), Ordering::Relaxed);
        }))
        .await;
        pass(PACE).await;
    }
}

async fn listen(listener: TcpListener, doors: Arc<Vec<Door>>) {
    let mut turn = 0;
    while let Ok((near, _)) = listener.accept().await {
        let mut ready = (0..doors.len()).filter(|door| doors[*door].ready.load(Ordering::Relaxed)).cycle();
        let Some(door) = ready.nth(turn) else { continue };
        turn = (turn + 1) % doors.len();
        tokio::spawn(carry(near, doors[door].place.clone()));
    }
}

async fn carry(mut near: TcpStream, place: String) {
    if let Ok(mut far) = TcpStream::connect(place).await {
        // How a connection ends is for its two sides to judge.
        let _ = copy_bidirectional(&mut near, &mut far).await;
    }
}
