//! A process of the next version of payloads, as an upgrade brings it: the program of these tests plays it.

use fairy::{cli::main_of, stack::Parts};
use fairy_jobs::operation::VERSION;

use crate::harness::{PLAYED, setting};

#[test]
#[ignore = "it is no test: other tests start it as a process"]
fn plays_the_next_version() {
    let Some(command) = setting(PLAYED) else { return };
    let parts = Parts { version: VERSION + 1, ..Parts::default() };
    let code = main_of(["fairy".into(), command.into()], parts);
    assert_eq!(code, std::process::ExitCode::SUCCESS);
}
