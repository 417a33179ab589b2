//! The `guichet` command.

use std::process::ExitCode;

/// Replays and rebuilds make and drop many small things.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    guichet::cli::main()
}
