//! Tests of the jobs, against ports that a test can make fail.

mod apply;
mod deliver;
mod fakes;
mod follow;
mod lanes;
mod mails;
mod outage;
mod post;
mod sweep;
mod world;
