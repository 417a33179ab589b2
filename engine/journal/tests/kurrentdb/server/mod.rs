//! A server in this program that speaks KurrentDB's protocol, and can fail in every way that a journal must survive.
//!
//! It encodes what we read in KurrentDB's source and documents: a misreading of ours passes its tests. It proves nothing about disks, quorums
//! and elections, only that the journal holds what it promises when a node answers, is silent, refuses, breaks off or is replaced.

mod log;
mod messages;
mod service;
mod wire;

use std::collections::VecDeque;
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tonic::Status;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::transport::Server;

use log::Log;
pub(crate) use log::Record;
use service::Rpc;
use wire::Wire;

/// What goes wrong with the next call of a kind.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    /// The connections break, before anything is done.
    BreakBefore,
    /// The connections break once it is done, before the answer.
    BreakAfter,
    /// It waits, then goes on.
    DelayBefore(Duration),
    /// It is done, and the answer waits.
    DelayAfter(Duration),
    /// Nothing is done, and this is answered.
    Refuse(Status),
    /// It is done, and this is answered nonetheless.
    RefuseAfter(Status),
    /// Nothing is done and nothing answered.
    Silence,
    /// A page or a subscription ends in order after so many events.
    EndAfter(usize),
}

/// The kinds of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Call {
    Append,
    ReadStream,
    ReadAll,
    Subscribe,
    Features,
}

/// What a node takes itself for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Leads,
    Follows,
    /// It led once, takes connections and still says that it leads, but answers no append: it finds no majority.
    LedOnce,
}

/// What all nodes share.
pub(crate) struct Shared {
    log: Mutex<Log>,
    /// The number of records, so that subscriptions wake.
    grown: watch::Sender<usize>,
    faults: Mutex<VecDeque<(Call, Fault)>>,
    nodes: Mutex<Vec<Arc<Node>>>,
    /// Calls so far, by kind.
    calls: Mutex<Vec<Call>>,
    /// Whether pages of streams end with the number of the last event, as newer servers do.
    pub(crate) tells_last: bool,
}

pub(crate) struct Node {
    pub(crate) address: SocketAddr,
    role: Mutex<Role>,
    connections: Mutex<Vec<std::net::TcpStream>>,
    serving: Mutex<Option<JoinHandle<()>>>,
}

impl Node {
    pub(crate) fn role(&self) -> Role {
        *self.role.lock().unwrap()
    }

    pub(crate) fn becomes(&self, role: Role) {
        *self.role.lock().unwrap() = role;
    }

    pub(crate) fn is_up(&self) -> bool {
        self.serving.lock().unwrap().is_some()
    }

    /// Breaks every connection, in the middle of whatever it carries.
    pub(crate) fn break_connections(&self) {
        for connection in self.connections.lock().unwrap().drain(..) {
            let _gone_already = connection.shutdown(Shutdown::Both);
        }
    }

    /// The node is gone, and nothing listens where it was.
    pub(crate) fn kill(&self) {
        if let Some(serving) = self.serving.lock().unwrap().take() {
            serving.abort();
        }
        self.break_connections();
    }
}

/// One or more nodes over one log.
pub(crate) struct Cluster {
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for node in self.nodes() {
            node.kill();
        }
    }
}

impl Cluster {
    pub(crate) async fn of(count: usize) -> Self {
        Self::with(count, true).await
    }

    pub(crate) async fn with(count: usize, tells_last: bool) -> Self {
        let log = Log::new();
        let grown = watch::Sender::new(log.records.len());
        let shared = Arc::new(Shared {
            log: Mutex::new(log),
            grown,
            faults: Mutex::default(),
            nodes: Mutex::default(),
            calls: Mutex::default(),
            tells_last,
        });
        let cluster = Self { shared };
        for number in 0..count {
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let node = Arc::new(Node {
                address: listener.local_addr().unwrap(),
                role: Mutex::new(if number == 0 { Role::Leads } else { Role::Follows }),
                connections: Mutex::default(),
                serving: Mutex::default(),
            });
            cluster.shared.nodes.lock().unwrap().push(Arc::clone(&node));
            cluster.serve(node, listener);
        }
        cluster
    }

    fn serve(&self, node: Arc<Node>, listener: std::net::TcpListener) {
        listener.set_nonblocking(true).unwrap();
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        let (accepted, incoming) = mpsc::channel(1);
        let (rpc, keeper) = (Rpc::new(Arc::clone(&self.shared), Arc::clone(&node)), Arc::clone(&node));
        let serving = tokio::spawn(async move {
            let accepting = async move {
                while let Ok((connection, _)) = listener.accept().await {
                    let connection = connection.into_std().unwrap();
                    keeper.connections.lock().unwrap().push(connection.try_clone().unwrap());
                    connection.set_nodelay(true).unwrap();
                    let connection = tokio::net::TcpStream::from_std(connection).map(Wire);
                    if accepted.send(connection).await.is_err() {
                        return;
                    }
                }
            };
            let server = Server::builder().serve_with_incoming(rpc, ReceiverStream::new(incoming));
            let _ended = tokio::join!(accepting, server);
        });
        *node.serving.lock().unwrap() = Some(serving);
    }

    /// Starts a killed node again, at its old address.
    pub(crate) async fn restart(&self, node: &Arc<Node>) {
        for _ in 0..100 {
            if let Ok(listener) = std::net::TcpListener::bind(node.address) {
                self.serve(Arc::clone(node), listener);
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the address {} does not become free", node.address);
    }

    pub(crate) fn nodes(&self) -> Vec<Arc<Node>> {
        self.shared.nodes.lock().unwrap().clone()
    }

    pub(crate) fn leader(&self) -> Arc<Node> {
        self.nodes().into_iter().find(|node| node.role() == Role::Leads).expect("a node leads")
    }

    /// Another node leads from now on; the old leader takes this role.
    pub(crate) fn change_leader(&self, old: Role) -> Arc<Node> {
        let before = self.leader();
        let next = self.nodes().into_iter().find(|node| node.role() == Role::Follows && node.is_up());
        let next = next.expect("another node is up");
        before.becomes(old);
        next.becomes(Role::Leads);
        before
    }

    /// The address that a journal is given.
    pub(crate) fn url(&self) -> String {
        let hosts: Vec<String> = self.nodes().iter().map(|node| node.address.to_string()).collect();
        format!(
            "kurrentdb://admin:s3cret@{}?tls=false&discoveryInterval=20&gossipTimeout=500",
            hosts.join(",")
        )
    }

    pub(crate) fn inject(&self, call: Call, fault: Fault) {
        self.shared.faults.lock().unwrap().push_back((call, fault));
    }

    pub(crate) fn clear_faults(&self) {
        self.shared.faults.lock().unwrap().clear();
    }

    /// Faults that no call has met yet.
    pub(crate) fn faults_left(&self) -> usize {
        self.shared.faults.lock().unwrap().len()
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.shared.log.lock().unwrap()
    }

    /// Changes the log, and tells the subscriptions.
    pub(crate) fn change<T>(&self, change: impl FnOnce(&mut Log) -> T) -> T {
        self.shared.change(change)
    }

    pub(crate) fn calls(&self, kind: Call) -> usize {
        self.shared.calls.lock().unwrap().iter().filter(|call| **call == kind).count()
    }
}

impl Shared {
    fn change<T>(&self, change: impl FnOnce(&mut Log) -> T) -> T {
        let mut log = self.log.lock().unwrap();
        let changed = change(&mut log);
        self.grown.send_replace(log.records.len());
        changed
    }

    /// Counts a call, and takes the fault that waits for one of its kind.
    fn begin(&self, call: Call) -> Option<Fault> {
        self.calls.lock().unwrap().push(call);
        let mut faults = self.faults.lock().unwrap();
        let at = faults.iter().position(|(kind, _)| *kind == call)?;
        faults.remove(at).map(|(_, fault)| fault)
    }
}
