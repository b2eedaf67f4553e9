//! Lanes on a Redis or Valkey server (7 or later), for as many processes as there are.
//!
//! Everything a lane decides is decided in one Lua script per call, on the server, by the server's clock; this side
//! carries arguments in and answers out. So any process may die at any moment: there is nothing half done, nobody
//! leads, and no two processes need agree on the time.
//!
//! # Keys
//!
//! The keys of a lane are `fairy:{lane}` and that name with a suffix, so they share a hash tag and stand on one node of
//! a Cluster, whole (see `cluster`). Scripts are given the first and make the others of it. The names of all lanes are in
//! the set `fairy:lanes`.
//!
//! | suffix | type | what |
//! |---|---|---|
//! | none | hash | the lane's own: `last` number given out, `alone`, `alive`, `grace`, `stopped`, `shift` |
//! | `jobs` | hash | id → record: a line of JSON and the payload, written once (see `record`) |
//! | `marks` | hash | id → what became of the job since: attempts, failures, standing, doom; most jobs have none |
//! | `fresh` | list | plain: what was pushed and can be handed out, in order |
//! | `ready` | zset | plain: what came back or became due and can be handed out, by id |
//! | `g:<group>` | zset | grouped: the jobs of a group by id, those in hand included |
//! | `rota` | zset | grouped: groups that can be handed out, by turn |
//! | `blocked`, `heads` | zsets | grouped: groups that wait, by when they end; the first job of each group |
//! | `suspects` | zset | cohorts and suspects (plain), or groups whose head is one (grouped) |
//! | `later`, `later_ids`, `delayed` | zsets, hash | jobs by due time and by id; how many of them each group has |
//! | `hands`, `leases`, `running` | hash, zset, set | hand-outs by token; which lapse when; all jobs in hand |
//! | `asker:<name>` | string | the last claim of who asks, and the tokens it was given |
//! | `standing`, `stands` | zset, hash | who stands by for the next push, by when they last said so; for what; see `stand` |
//! | `uniques`, `keyed`, `expiring` | hashes, zset | who holds a key; which key a job frees; when keys end by themselves |
//! | `dead`, `letters`, `epitaphs`, `dead_keys` | zset, hashes | dead letters in order, their records, marks, keys |
//! | `paused`, `audit` | hash, list | groups that are paused; the last 10,000 things operators did |
//!
//! Counts are the sizes of these, never counters beside them, so they cannot be wrong.
//!
//! # Why these, and no streams
//!
//! A stream with a consumer group was the first plan for both kinds of lane. It keeps an entry's owner, idle time and
//! delivery count, and nothing of what is asked here fits that: a lease belongs to a hand-out of several jobs and is
//! fenced by a token; a hand-back takes its old place, which a stream cannot give; attempts, failures, standing and doom
//! change, and entries do not; a later job may come before an earlier. With streams all of that would stand beside them,
//! and the pending list would be kept twice. Sorted sets by id give order, place and bounds in one structure, and take
//! their arguments many at a time, which is where the speed comes from: in the append-only file `XREADGROUP` in a script
//! becomes one `XCLAIM` for each entry, here a claim of 64 jobs is eight commands.
//!
//! # Numbers and time
//!
//! Job ids, tokens and turns come from one counter that is never behind the clock in µs. They rise for ever, also when
//! the server has lost its data, so a fence cannot be passed with an old token; and an id says when its job was pushed.
//! Time is `TIME`, plus an offset that only tests set.
//!
//! # Leases, and a server that was away
//!
//! A lapsed lease is taken over by the next claim, at most 500 jobs. But when nobody was heard for half a lease while
//! something was in hand, it was the server that could not be reached (workers renew every third, idle ones look as
//! often while anything is in hand): then no lease is held against anybody until a whole one has passed again. So a
//! restart, a fail-over or a pause does not make healthy workers' jobs run twice. The price: where really all workers
//! died, their jobs wait for up to one lease more.
//!
//! Of each lane one cohort or suspect is in hand at a time (`alone`). That no two accused are in hand together in *any*
//! lane is not kept here as it is in SQLite, because lanes may stand on different nodes; in one lane it follows.
//!
//! # Idle lanes
//!
//! Who claims in vain stands by, and the next push to the idle lane hands out to one of them what it brings, in its own
//! script and with its own flush (see `stand`). So from a push to the start of its job there is one flush, not two. It
//! does so only where a claim would give the same: nothing waits, nothing has become due, nobody is suspected.
//!
//! Who is told is not known to be alive. A process that is gone has nobody listening; one that was stopped takes nothing
//! that it hears late; a message that is lost is noticed a third of a lease later. What remains is a machine that
//! vanished less than half a lease ago: to each of its workers one push may be lost, which then waits for its lease.
//!
//! # Bounds
//!
//! No script scans. A push has at most 1,000 jobs; a claim hands out at most 500 jobs of 64 groups and 4 MiB, and lets in,
//! takes over and purges at most 500 of each; a settlement has at most 500 verdicts. What is more is done by the next, which is
//! asked for at once. Each step is a look-up or logarithmic in what waits, and nothing depends on the number of groups.
//!
//! # What is certain
//!
//! A push answers [`PushError::Unavailable`](crate::PushError) only when nothing was sent, or the server refused to
//! begin (out of memory, loading, read only, …); any other end without an answer is `Unknown`. The push script is
//! refused while the server is full; scripts that make room are not. Claims can be repeated too, see `claim`.

mod account;
mod address;
mod broker;
mod claim;
mod cluster;
mod failure;
mod inspect;
mod line;
mod link;
mod listen;
mod node;
mod operate;
mod options;
mod push;
mod read;
mod record;
mod reply;
mod script;
mod settle;
mod slots;
mod stand;
mod wake;

pub use inspect::{Inspection, Unfit, inspect};
pub use line::{Ear, Line};
pub use options::{AddressError, Options, open};
pub use script::Script;
