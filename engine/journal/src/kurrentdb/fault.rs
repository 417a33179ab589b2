//! What an error of the client means for the one who asked: above all, whether the events may have been written.

use eventstore_client::Error;
use tonic::Code;

use crate::error::JournalError;

/// What to do after a failed call.
#[derive(Debug)]
pub(super) enum Fault {
    /// The store refused for good; nothing was written.
    Final(JournalError),
    /// Surely not carried out; may be tried again.
    NotDone(String),
    /// Another node leads, and the client has been told which; surely not carried out.
    NotLeader,
    /// Perhaps carried out, perhaps not.
    Unknown(String),
}

impl Fault {
    /// No answer came in time.
    pub(super) fn silence() -> Self {
        Self::Unknown("no answer came in time".to_owned())
    }
}

/// Words of the node, or of the layer that connects, which say that the request was not taken up. Should they change one day, the same
/// failure counts as one that leaves open what happened, which is the safe side.
const NOT_TAKEN_UP: [&str; 4] =
    ["Server Is Not Ready", "Server Is Too Busy", "tcp connect error", "client error (Connect)"];

/// Judges an error. Wrong revisions, absent and deleted streams are answers, not faults, and do not come here.
pub(super) fn judge(error: Error) -> Fault {
    match error {
        Error::NotLeaderException(_) => Fault::NotLeader,
        Error::ConnectionClosed | Error::GrpcConnectionError(_) => {
            Fault::NotDone("KurrentDB cannot be reached".to_owned())
        }
        Error::ServerError(said) => {
            if NOT_TAKEN_UP.iter().any(|words| said.contains(words)) {
                Fault::NotDone(said)
            } else {
                Fault::Unknown(said)
            }
        }
        Error::DeadlineExceeded => Fault::silence(),
        Error::AccessDenied => Fault::Final(JournalError::unavailable(
            "KurrentDB refuses this user; reading `$all` needs the rights of an administrator",
        )),
        Error::Grpc { code, message } => judge_status(code, message),
        other @ (Error::InternalParsingError(_)
        | Error::ResourceAlreadyExists
        | Error::ResourceNotFound
        | Error::ResourceDeleted
        | Error::UnsupportedFeature
        | Error::InternalClientError
        | Error::InitializationError(_)
        | Error::IllegalStateError(_)
        | Error::WrongExpectedVersion { .. }) => Fault::Final(JournalError::unavailable(other)),
    }
}

fn judge_status(code: Code, message: String) -> Fault {
    match code {
        Code::InvalidArgument if message.contains("Maximum Append Size") => {
            let digits: String = message.chars().filter(char::is_ascii_digit).collect();
            let limit = digits.parse().unwrap_or_default();
            Fault::Final(JournalError::TooLarge {
                what: "an append, in bytes as the KurrentDB node counts them,",
                size: limit + 1,
                limit,
            })
        }
        Code::InvalidArgument
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::Unauthenticated => {
            Fault::Final(JournalError::unavailable(format!("KurrentDB refused: {message}")))
        }
        Code::Ok
        | Code::Cancelled
        | Code::Unknown
        | Code::DeadlineExceeded
        | Code::ResourceExhausted
        | Code::Aborted
        | Code::Internal
        | Code::Unavailable
        | Code::DataLoss => Fault::Unknown(format!("{code}: {message}")),
    }
}
