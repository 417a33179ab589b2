//! The peers: the same work done by published event stores, by a program of their own with a lock file of its own
//! (`bench/peers`), run in the same run and put into the same table.

use std::path::Path;
use std::process::Command;

use crate::arguments::Arguments;
use crate::measure::{Fault, line, remembered, row};

/// One line of the program: `PEER STORE WHAT RATE`.
struct Peer {
    name: String,
    store: String,
    what: String,
    rate: f64,
}

/// What is compared, under the name that Guichet's own rate was kept by, and what is to be reached.
const COMPARED: [(&str, &str, &str); 6] = [
    ("sqlite", "append", "5 ×"),
    ("sqlite", "replay", "1 ×"),
    ("sqlite", "rebuild", "10 ×"),
    ("postgres", "append", "2 ×"),
    ("postgres", "replay", "1 ×"),
    ("postgres", "rebuild", "10 ×"),
];

/// Builds and runs the program, and compares the best of each line with Guichet.
///
/// # Errors
/// When the program cannot be built, fails, or says something else.
pub(crate) fn run(arguments: &Arguments) -> Result<(), Fault> {
    println!("\npeers: events/s, 32 callers, one event in each durable transaction");
    let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/run");
    let told = Command::new(program).args(arguments.quick.then_some("--quick")).output()?;
    if !told.status.success() {
        return Err(format!("bench/peers/run: {}", String::from_utf8_lossy(&told.stderr)).into());
    }
    let peers: Vec<Peer> = String::from_utf8(told.stdout)?.lines().map(read).collect::<Result<_, _>>()?;
    for peer in &peers {
        line(&format!("{}, {}", peer.name, peer.store), &[(&peer.what, format!("{:.0}", peer.rate))]);
    }
    for (store, what, goal) in COMPARED {
        let own = peers.iter().filter(|peer| peer.store == store && peer.what == what);
        let best = own.max_by(|one, other| one.rate.total_cmp(&other.rate));
        if let (Some(best), Some(ours)) = (best, remembered(&format!("{store} {what}"))) {
            let times = ours / best.rate.max(1e-9);
            row(
                format!("{what}, {store}"),
                format!("{times:.1} ×"),
                format!("best peer, {}", best.name),
                goal,
            );
        }
    }
    Ok(())
}

fn read(text: &str) -> Result<Peer, Fault> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let [name, store, what, rate] = words.as_slice() else {
        return Err(format!("bench/peers/run said `{text}`").into());
    };
    let (name, store, what) = ((*name).to_owned(), (*store).to_owned(), (*what).to_owned());
    Ok(Peer { name, store, what, rate: rate.parse()? })
}
