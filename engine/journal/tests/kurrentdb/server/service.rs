//! The calls of the protocol, one after the other.

use std::convert::Infallible;
use std::sync::Arc;

use tokio::sync::mpsc;
use tonic::body::Body;
use tonic::codec::ProstCodec;
use tonic::codegen::tokio_stream::StreamExt;
use tonic::codegen::tokio_stream::wrappers::ReceiverStream;
use tonic::codegen::{BoxFuture, Context, Poll, Service, http};
use tonic::metadata::MetadataMap;
use tonic::server::{ClientStreamingService, Grpc, ServerStreamingService, UnaryService};
use tonic::{Code, Request, Response, Status, Streaming};

use super::log::{Appended, Record, passes};
use super::messages::{
    AppendAnswer, AppendPart, AppendRequest, AppendResult, ClusterInfo, Confirmation, Content, Count,
    DeleteAnswer, DeleteRequest, Empty, EndPoint, Expected, Filter, Filtering, Member, NotFound, Place,
    Position, Proposed, ReadAnswer, ReadOptions, ReadRequest, Source, StreamIdentifier, Success,
    SupportedMethods, Window, WriteOptions, WrongRevision,
};
use super::{Call, Fault, Node, Role, Shared};

/// Events that may wait for a slow reader.
const BUFFER: usize = 64;

#[derive(Clone)]
pub(crate) struct Rpc {
    shared: Arc<Shared>,
    node: Arc<Node>,
}

type Answers = ReceiverStream<Result<ReadAnswer, Status>>;

impl Rpc {
    pub(crate) fn new(shared: Arc<Shared>, node: Arc<Node>) -> Self {
        Self { shared, node }
    }

    async fn forever<T>() -> T {
        std::future::pending().await
    }

    /// Refuses whoever asks for the leader and has come to another node, and whoever has the wrong password.
    async fn admit(&self, metadata: &MetadataMap, writes: bool) -> Result<(), Status> {
        // admin:s3cret
        if metadata.get("authorization").is_none_or(|given| given != "Basic YWRtaW46czNjcmV0") {
            return Err(Status::new(Code::Unauthenticated, "Unauthenticated"));
        }
        match self.node.role() {
            Role::Leads => Ok(()),
            Role::LedOnce if writes => Self::forever().await,
            Role::LedOnce => Ok(()),
            Role::Follows if metadata.get("requires-leader").is_some() => {
                let nodes = self.shared.nodes.lock().unwrap();
                let mut status = Status::new(Code::NotFound, "Leader info available");
                status.metadata_mut().insert("exception", "not-leader".parse().unwrap());
                if let Some(leader) = nodes.iter().find(|node| node.role() == Role::Leads) {
                    let (host, port) = (leader.address.ip().to_string(), leader.address.port().to_string());
                    status.metadata_mut().insert("leader-endpoint-host", host.parse().unwrap());
                    status.metadata_mut().insert("leader-endpoint-port", port.parse().unwrap());
                }
                Err(status)
            }
            Role::Follows => Ok(()),
        }
    }

    /// What happens before the call is carried out. Answers what happens after.
    async fn before(&self, fault: Option<Fault>) -> Result<Option<Fault>, Status> {
        match fault {
            Some(Fault::BreakBefore) => {
                self.node.break_connections();
                Self::forever().await
            }
            Some(Fault::DelayBefore(wait)) => {
                tokio::time::sleep(wait).await;
                Ok(None)
            }
            Some(Fault::Refuse(status)) => Err(status),
            Some(Fault::Silence) => Self::forever().await,
            after => Ok(after),
        }
    }

    async fn after(&self, fault: Option<Fault>) -> Result<(), Status> {
        match fault {
            Some(Fault::BreakAfter) => {
                self.node.break_connections();
                Self::forever().await
            }
            Some(Fault::DelayAfter(wait)) => {
                tokio::time::sleep(wait).await;
                Ok(())
            }
            Some(Fault::RefuseAfter(status)) => Err(status),
            _ => Ok(()),
        }
    }

    async fn append(
        self,
        request: Request<Streaming<AppendRequest>>,
    ) -> Result<Response<AppendAnswer>, Status> {
        let metadata = request.metadata().clone();
        let mut parts = request.into_inner();
        let (mut options, mut events): (Option<WriteOptions>, Vec<Proposed>) = (None, Vec::new());
        while let Some(part) = parts.next().await {
            match part?.part {
                Some(AppendPart::Options(given)) => options = Some(given),
                Some(AppendPart::Event(event)) => events.push(event),
                None => return Err(Status::invalid_argument("an empty message")),
            }
        }
        // As on a node: what was taken up is carried out, whether or not the caller still listens.
        tokio::spawn(async move {
            let fault = self.before(self.shared.begin(Call::Append)).await?;
            self.admit(&metadata, true).await?;
            let options = options.ok_or_else(|| Status::invalid_argument("no options"))?;
            let (stream, expected) = (name(options.stream), options.expected.unwrap());
            let done = self.shared.change(|log| log.append(&stream, &expected, &events));
            self.after(fault).await?;
            Ok(Response::new(AppendAnswer { result: Some(told(done?, &expected)) }))
        })
        .await
        .map_err(|error| Status::internal(error.to_string()))?
    }

    async fn read(self, request: Request<ReadRequest>) -> Result<Response<Answers>, Status> {
        let options = request.get_ref().options.clone().unwrap();
        let source = options.source.clone().unwrap();
        let call = match (&source, &options.count) {
            (_, Some(Count::Subscription(_))) => Call::Subscribe,
            (Source::Stream(_), _) => Call::ReadStream,
            (Source::All(_), _) => Call::ReadAll,
        };
        let fault = self.before(self.shared.begin(call)).await?;
        self.admit(request.metadata(), false).await?;
        let (answers, stream) = mpsc::channel(BUFFER);
        let end = match fault {
            Some(Fault::EndAfter(events)) => Some(events),
            _ => None,
        };
        if let (Source::All(all), Some(Count::Subscription(_))) = (&source, &options.count) {
            let (from, filter) = (all.place.clone().unwrap(), filter(&options));
            tokio::spawn(async move { self.subscription(from, filter, end, answers).await });
        } else {
            let mut page = self.page(&source, &options)?;
            let events = |content: &Content| matches!(content, Content::Event(_));
            if let Some(end) = end.filter(|end| page.iter().filter(|content| events(content)).count() > *end)
            {
                page.retain(events);
                page.truncate(end);
            }
            tokio::spawn(async move {
                for content in page {
                    if answers.send(Ok(ReadAnswer { content: Some(content) })).await.is_err() {
                        return;
                    }
                }
            });
        }
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    fn page(&self, source: &Source, options: &ReadOptions) -> Result<Vec<Content>, Status> {
        let (backwards, filter) = (options.direction == 1, filter(options));
        let count = match options.count {
            Some(Count::Page(count)) => usize::try_from(count).unwrap_or(usize::MAX),
            _ => return Err(Status::invalid_argument("no count")),
        };
        let log = self.shared.log.lock().unwrap();
        match source {
            Source::Stream(source) => {
                let stream = name(source.stream.clone());
                let found = log.stream(&stream, source.revision.as_ref().unwrap(), backwards, count)?;
                let Some((records, last)) = found else {
                    let stream = Some(StreamIdentifier { name: stream.into_bytes() });
                    return Ok(vec![Content::NotFound(NotFound { stream })]);
                };
                let reached = records.len() < count || records.iter().any(|record| record.number == last);
                let mut page: Vec<Content> = records.iter().map(Record::told).collect();
                if self.shared.tells_last && options.control.is_some() {
                    page.insert(0, Content::First(0));
                    page.extend(Some(Content::Last(last)).filter(|_| reached && !backwards));
                }
                Ok(page)
            }
            Source::All(source) => {
                let wanted = |record: &&Record| passes(filter.as_ref(), record);
                Ok(match (source.place.as_ref().unwrap(), backwards) {
                    (Place::Start(_), false) => told_all(log.forwards(0).iter().filter(wanted), count),
                    (Place::Position(at), false) => {
                        told_all(log.forwards(at.commit).iter().filter(wanted), count)
                    }
                    (Place::End(_), true) => told_all(log.backwards(u64::MAX).filter(wanted), count),
                    (Place::Position(at), true) => told_all(log.backwards(at.commit).filter(wanted), count),
                    (Place::Start(_), true) | (Place::End(_), false) => Vec::new(),
                })
            }
        }
    }

    async fn subscription(
        self,
        from: Place,
        filter: Option<Filter>,
        end: Option<usize>,
        answers: mpsc::Sender<Result<ReadAnswer, Status>>,
    ) {
        let window = match filter.as_ref().and_then(|filter| filter.window.as_ref()) {
            Some(Window::Most(most)) => *most,
            _ => 32,
        };
        let mut grown = self.shared.grown.subscribe();
        let mut next = match from {
            Place::Start(_) => 0,
            Place::Position(at) => at.commit + 1,
            Place::End(_) => u64::MAX,
        };
        let send = async |content| answers.send(Ok(ReadAnswer { content: Some(content) })).await.is_ok();
        let mut open = send(Content::Confirmation(Confirmation { id: "1".to_owned() })).await;
        let (mut told, mut searched) = (0, 0);
        while open {
            grown.mark_unchanged();
            let records = self.shared.log.lock().unwrap().forwards(next).to_vec();
            for record in &records {
                next = record.position + 1;
                searched += 1;
                if passes(filter.as_ref(), record) {
                    if end == Some(told) {
                        return;
                    }
                    open &= send(record.told()).await;
                    (told, searched) = (told + 1, 0);
                } else if searched >= window {
                    let position = Position { commit: record.position, prepare: record.position };
                    open &= send(Content::Checkpoint(position)).await;
                    searched = 0;
                }
            }
            if end == Some(told) {
                return;
            }
            if !records.is_empty() {
                open &= send(Content::CaughtUp(Empty {})).await;
            }
            tokio::select! {
                changed = grown.changed() => open &= changed.is_ok(),
                () = answers.closed() => return,
            }
        }
    }

    async fn delete(
        self,
        request: Request<DeleteRequest>,
        forever: bool,
    ) -> Result<Response<DeleteAnswer>, Status> {
        self.admit(request.metadata(), true).await?;
        let stream = name(request.into_inner().options.and_then(|options| options.stream));
        let at = self.shared.change(|log| if forever { log.tombstone(&stream) } else { log.delete(&stream) });
        Ok(Response::new(DeleteAnswer { position: Some(Position { commit: at, prepare: at }) }))
    }

    async fn gossip(self) -> Result<Response<ClusterInfo>, Status> {
        let nodes = self.shared.nodes.lock().unwrap().clone();
        let member = |node: &Arc<Node>| Member {
            id: None,
            time: 0,
            // Who led once has not heard that another leads.
            state: match (node.role(), self.node.role()) {
                (Role::LedOnce, Role::LedOnce) => 8,
                (Role::Leads, Role::LedOnce) | (Role::LedOnce | Role::Follows, _) => 6,
                (Role::Leads, _) => 8,
            },
            alive: node.is_up(),
            endpoint: Some(EndPoint {
                host: node.address.ip().to_string(),
                port: u32::from(node.address.port()),
            }),
        };
        Ok(Response::new(ClusterInfo { members: nodes.iter().map(member).collect() }))
    }

    async fn features(self) -> Result<Response<SupportedMethods>, Status> {
        let fault = self.before(self.shared.begin(Call::Features)).await?;
        self.after(fault).await?;
        Ok(Response::new(SupportedMethods { version: "25.1.0".to_owned() }))
    }
}

fn name(stream: Option<StreamIdentifier>) -> String {
    String::from_utf8(stream.unwrap().name).unwrap()
}

fn filter(options: &ReadOptions) -> Option<Filter> {
    match &options.filter {
        Some(Filtering::Filter(filter)) => Some(filter.clone()),
        Some(Filtering::None(_)) | None => None,
    }
}

fn told_all<'a>(records: impl Iterator<Item = &'a Record>, count: usize) -> Vec<Content> {
    records.take(count).map(Record::told).collect()
}

fn told(done: Appended, expected: &Expected) -> AppendResult {
    match done {
        Appended::Done { last, position } => AppendResult::Success(Success {
            revision: Some(last),
            position: Some(Position { commit: position, prepare: position }),
        }),
        Appended::Wrong { current } => AppendResult::WrongRevision(WrongRevision {
            current,
            absent: current.is_none().then_some(Empty {}),
            expected: if let Expected::Revision(number) = expected { Some(*number) } else { None },
            expected_any: matches!(expected, Expected::Any(_)).then_some(Empty {}),
            expected_exists: matches!(expected, Expected::Exists(_)).then_some(Empty {}),
            expected_none: matches!(expected, Expected::NoStream(_)).then_some(Empty {}),
        }),
    }
}

struct AppendMethod(Rpc);

impl ClientStreamingService<AppendRequest> for AppendMethod {
    type Response = AppendAnswer;
    type Future = BoxFuture<Response<AppendAnswer>, Status>;

    fn call(&mut self, request: Request<Streaming<AppendRequest>>) -> Self::Future {
        Box::pin(self.0.clone().append(request))
    }
}

struct ReadMethod(Rpc);

impl ServerStreamingService<ReadRequest> for ReadMethod {
    type Response = ReadAnswer;
    type ResponseStream = Answers;
    type Future = BoxFuture<Response<Answers>, Status>;

    fn call(&mut self, request: Request<ReadRequest>) -> Self::Future {
        Box::pin(self.0.clone().read(request))
    }
}

struct DeleteMethod(Rpc, bool);

impl UnaryService<DeleteRequest> for DeleteMethod {
    type Response = DeleteAnswer;
    type Future = BoxFuture<Response<DeleteAnswer>, Status>;

    fn call(&mut self, request: Request<DeleteRequest>) -> Self::Future {
        Box::pin(self.0.clone().delete(request, self.1))
    }
}

struct GossipMethod(Rpc);

impl UnaryService<Empty> for GossipMethod {
    type Response = ClusterInfo;
    type Future = BoxFuture<Response<ClusterInfo>, Status>;

    fn call(&mut self, _request: Request<Empty>) -> Self::Future {
        Box::pin(self.0.clone().gossip())
    }
}

struct FeaturesMethod(Rpc);

impl UnaryService<Empty> for FeaturesMethod {
    type Response = SupportedMethods;
    type Future = BoxFuture<Response<SupportedMethods>, Status>;

    fn call(&mut self, _request: Request<Empty>) -> Self::Future {
        Box::pin(self.0.clone().features())
    }
}

impl Service<http::Request<Body>> for Rpc {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Infallible>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let rpc = self.clone();
        Box::pin(async move {
            let path = request.uri().path().to_owned();
            Ok(match path.trim_start_matches("/event_store.client.") {
                "streams.Streams/Append" => {
                    Grpc::new(ProstCodec::default()).client_streaming(AppendMethod(rpc), request).await
                }
                "streams.Streams/Read" => {
                    Grpc::new(ProstCodec::default()).server_streaming(ReadMethod(rpc), request).await
                }
                "streams.Streams/Delete" => {
                    Grpc::new(ProstCodec::default()).unary(DeleteMethod(rpc, false), request).await
                }
                "streams.Streams/Tombstone" => {
                    Grpc::new(ProstCodec::default()).unary(DeleteMethod(rpc, true), request).await
                }
                "gossip.Gossip/Read" => {
                    Grpc::new(ProstCodec::default()).unary(GossipMethod(rpc), request).await
                }
                "server_features.ServerFeatures/GetSupportedMethods" => {
                    Grpc::new(ProstCodec::default()).unary(FeaturesMethod(rpc), request).await
                }
                _ => Status::unimplemented(path).into_http(),
            })
        })
    }
}
