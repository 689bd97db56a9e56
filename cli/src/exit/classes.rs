//! Which exit code each error of the libraries stands for: whose fault it is, as far as the error tells.

use super::Exit;
use isonomy_client::{ClientError, CompareError, EvidenceRefused, UpdateError};
use isonomy_fetch::FetchError;
use isonomy_log_server::ServeError as LogServeError;
use isonomy_log_server::collect::CollectError;
use isonomy_log_server::fsck::FsckError;
use isonomy_matcher::image::DecodeError;
use isonomy_matcher::receipt::ReceiptError;
use isonomy_monitor::alert::MailConfigError;
use isonomy_monitor::assess::AssessError;
use isonomy_monitor::trace::TraceError;
use isonomy_monitor::{MonitorError, WatchError};
use isonomy_publisher::charter::CharterError;
use isonomy_publisher::compose::ComposeError;
use isonomy_publisher::confirm::ConfirmError;
use isonomy_publisher::draft::DraftError;
use isonomy_publisher::endorse::EndorseError;
use isonomy_publisher::import::ImportError;
use isonomy_publisher::keys::KeyFileError;
use isonomy_publisher::memory::MemoryError;
use isonomy_publisher::stored::StoredError;
use isonomy_publisher::submit::SubmitError;
use isonomy_publisher::view::ViewError;
use isonomy_publisher::workspace::ContentError;
use isonomy_serve::TlsError;
use isonomy_store::files::FileError;
use isonomy_verifier::evidence::EvidenceError;
use isonomy_witness::{OpenError, RestoreError, ServeError as WitnessServeError};
use std::error::Error;

/// The exit code of an error; `None` for one that says nothing about whose fault it is.
pub(super) fn of(cause: &(dyn Error + 'static)) -> Option<Exit> {
    macro_rules! first_of {
        ($($function:ident),* $(,)?) => {
            None$(.or_else(|| cause.downcast_ref().map($function)))*
        };
    }
    first_of!(
        receipt,
        evidence,
        shown,
        client,
        compare,
        trace,
        fsck,
        fetch,
        update,
        file,
        draft,
        stored,
        content,
        memory,
        view,
        submit,
        confirm,
        compose,
        endorse,
        charter,
        import,
        decode,
        key,
        log,
        witness,
        tls,
        restore,
        monitor,
        monitor_watch,
        mail,
        assess,
        collect,
    )
}

fn receipt(error: &ReceiptError) -> Exit {
    match error {
        ReceiptError::Malformed(_) | ReceiptError::WrongHash { .. } => Exit::Malformed,
        ReceiptError::Unproven(_)
        | ReceiptError::NotAccepted(_)
        | ReceiptError::NoMatch { .. }
        | ReceiptError::OtherFile => Exit::Refused,
    }
}

fn evidence(error: &EvidenceError) -> Exit {
    match error {
        EvidenceError::Malformed(_) => Exit::Malformed,
        EvidenceError::Unproven(_) => Exit::Refused,
    }
}

fn shown(error: &EvidenceRefused) -> Exit {
    match error {
        EvidenceRefused::Evidence(error) => evidence(error),
        EvidenceRefused::Client(error) => client(error),
    }
}

fn compare(error: &CompareError) -> Exit {
    match error {
        CompareError::Client(error) => client(error),
        CompareError::View(_) => Exit::Malformed,
        _ => Exit::Failed,
    }
}

/// What rests on the log's behaviour, or on a key that isn't known, is a refusal; the rest is this machine's.
fn client(error: &ClientError) -> Exit {
    match error {
        ClientError::Halted { .. } | ClientError::ForkNotKept(_) | ClientError::OtherKey { .. } => Exit::Refused,
        _ => Exit::Failed,
    }
}

fn trace(error: &TraceError) -> Exit {
    match error {
        TraceError::Malformed(_) => Exit::Malformed,
        TraceError::Unproven(_) => Exit::Refused,
    }
}

fn tls(error: &TlsError) -> Exit {
    match error {
        TlsError::Pem { .. } | TlsError::Rustls(_) => Exit::Malformed,
    }
}

/// What a witness must not be made to remember is refused.
fn restore(error: &RestoreError) -> Exit {
    match error {
        RestoreError::Open(_) | RestoreError::Shown(_) => Exit::Failed,
        RestoreError::UnknownOrigin(_)
        | RestoreError::Record(_)
        | RestoreError::Older { .. }
        | RestoreError::HasCosigned(_) => Exit::Refused,
    }
}

/// Whatever signed or serves a log that can't even be begun to be checked is refused.
fn fsck(error: &FsckError) -> Exit {
    match error {
        FsckError::Fetch(error) => fetch(error),
        FsckError::Checkpoint(_) | FsckError::TooLarge(_) => Exit::Refused,
        FsckError::Minimum { .. } => Exit::Malformed,
        FsckError::Panicked => Exit::Failed,
    }
}

/// What a server refuses or says wrongly is a refusal; that it can't be reached is not.
fn fetch(error: &FetchError) -> Exit {
    match error {
        FetchError::Refused { status, .. } if *status < 500 => Exit::Refused,
        FetchError::Unauthorized { .. }
        | FetchError::TooLarge { .. }
        | FetchError::Redirect { .. }
        | FetchError::Escapes { .. }
        | FetchError::Malformed { .. } => Exit::Refused,
        _ => Exit::Failed,
    }
}

/// That no source could be reached, or had what is needed, is no verdict about the list; that one misbehaves is one.
fn update(error: &UpdateError) -> Exit {
    match error {
        halt if halt.is_halt() => Exit::Refused,
        UpdateError::Refused(refusals) if !refusals.iter().all(|refusal| refusal.is_lack_alone()) => Exit::Refused,
        _ => Exit::Failed,
    }
}

fn file(error: &FileError) -> Exit {
    match error {
        FileError::TooLarge { .. } => Exit::Malformed,
        _ => Exit::Failed,
    }
}

fn draft(error: &DraftError) -> Exit {
    match error {
        DraftError::File(error) => file(error),
        DraftError::Content(error) => content(error),
        DraftError::Read { .. } => Exit::Failed,
        _ => Exit::Malformed,
    }
}

fn stored(error: &StoredError) -> Exit {
    match error {
        StoredError::File(error) => file(error),
        StoredError::List(_) | StoredError::OtherBytes { .. } => Exit::Malformed,
    }
}

fn content(error: &ContentError) -> Exit {
    match error {
        ContentError::Fetch(error) => fetch(error),
        ContentError::File(error) => file(error),
        ContentError::Stored(error) => stored(error),
        ContentError::NoContent { .. } => Exit::Failed,
        _ => Exit::Refused,
    }
}

fn memory(error: &MemoryError) -> Exit {
    match error {
        MemoryError::File(error) => file(error),
        _ => Exit::Refused,
    }
}

fn view(error: &ViewError) -> Exit {
    match error {
        ViewError::Fetch(error) => fetch(error),
        ViewError::NoList { .. } => Exit::Failed,
        _ => Exit::Refused,
    }
}

fn submit(error: &SubmitError) -> Exit {
    match error {
        SubmitError::Log(error) => fetch(error),
        SubmitError::Draft(error) => draft(error),
        SubmitError::Statement(_) => Exit::Malformed,
        _ => Exit::Refused,
    }
}

fn confirm(error: &ConfirmError) -> Exit {
    match error {
        ConfirmError::Update(error) => update(error),
        ConfirmError::NotShown { .. } => Exit::Refused,
    }
}

fn compose(error: &ComposeError) -> Exit {
    match error {
        ComposeError::BaseMissing { .. } => Exit::Failed,
        ComposeError::Entries(_) | ComposeError::Statement(_) | ComposeError::Note(_) => Exit::Malformed,
        ComposeError::File(error) => file(error),
        ComposeError::Content(error) => content(error),
        _ => Exit::Refused,
    }
}

fn endorse(error: &EndorseError) -> Exit {
    match error {
        EndorseError::BaseMissing { .. } => Exit::Failed,
        EndorseError::Statement(_) | EndorseError::Lookup(_) | EndorseError::List(_) => Exit::Malformed,
        EndorseError::Draft(error) => draft(error),
        EndorseError::Content(error) => content(error),
        EndorseError::Holdings(error) => stored(error),
        EndorseError::Memory(error) => memory(error),
        _ => Exit::Refused,
    }
}

fn charter(error: &CharterError) -> Exit {
    match error {
        CharterError::Signing(_) => Exit::Refused,
        CharterError::Memory(error) => memory(error),
        _ => Exit::Malformed,
    }
}

fn import(error: &ImportError) -> Exit {
    match error {
        ImportError::Read(_) | ImportError::Sorting { .. } => Exit::Failed,
        ImportError::Telling(error) => file(error),
        _ => Exit::Malformed,
    }
}

fn decode(_: &DecodeError) -> Exit {
    Exit::Malformed
}

fn key(error: &KeyFileError) -> Exit {
    match error {
        KeyFileError::Key { .. }
        | KeyFileError::NotAKey { .. }
        | KeyFileError::Program { .. }
        | KeyFileError::Sealed { .. } => Exit::Malformed,
        KeyFileError::Exposed { .. } | KeyFileError::Witness { .. } => Exit::Refused,
        _ => Exit::Failed,
    }
}

/// What is not known to be unneeded is not removed.
fn collect(error: &CollectError) -> Exit {
    match error {
        CollectError::Open(error) => log(error),
        CollectError::File(error) => file(error),
        CollectError::NoTime => Exit::Refused,
    }
}

fn log(error: &LogServeError) -> Exit {
    match error {
        LogServeError::Config(_) => Exit::Malformed,
        _ => Exit::Failed,
    }
}

fn witness(error: &WitnessServeError) -> Exit {
    match error {
        WitnessServeError::Open(OpenError::Config(_)) => Exit::Malformed,
        _ => Exit::Failed,
    }
}

fn monitor(error: &MonitorError) -> Exit {
    match error {
        MonitorError::Config(_) | MonitorError::Address(_) | MonitorError::Webhook(_) | MonitorError::Twice(_) => {
            Exit::Malformed
        }
        _ => Exit::Failed,
    }
}

fn assess(error: &AssessError) -> Exit {
    match error {
        AssessError::Monitor(error) => monitor(error),
        AssessError::NoList { .. }
        | AssessError::AsOf { .. }
        | AssessError::Empty
        | AssessError::EntrySize { .. }
        | AssessError::NoFiles { .. }
        | AssessError::NothingToLookUp { .. }
        | AssessError::TooManyFiles { .. } => Exit::Malformed,
        AssessError::Content { .. } | AssessError::Lookup(_) => Exit::Refused,
        AssessError::Log(_) | AssessError::Gone { .. } | AssessError::Corpus { .. } => Exit::Failed,
    }
}

fn monitor_watch(error: &WatchError) -> Exit {
    match error {
        WatchError::Monitor(error) => monitor(error),
        WatchError::Alert(_) | WatchError::Panicked(_) => Exit::Failed,
    }
}

fn mail(error: &MailConfigError) -> Exit {
    match error {
        MailConfigError::File(_) => Exit::Failed,
        _ => Exit::Malformed,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::rules::Violation;

    fn exit(error: impl Error + Send + Sync + 'static) -> Exit {
        Exit::of(&anyhow::Error::from(error).context("what was tried"))
    }

    fn refused(status: u16) -> FetchError {
        FetchError::Refused {
            location: "http://log.example/submit".into(),
            status,
            code: "x".into(),
            rule: Some(2),
            message: "no".into(),
            retry_after: None,
        }
    }

    #[test]
    fn a_log_that_refuses_is_told_from_one_that_is_down() {
        assert_eq!(exit(SubmitError::Log(refused(422))), Exit::Refused);
        assert_eq!(exit(SubmitError::Log(refused(503))), Exit::Failed);
        let down = || FetchError::Unreachable { location: "http://log.example".into(), reason: "refused".into() };
        assert_eq!(exit(SubmitError::Log(down())), Exit::Failed);
        assert_eq!(exit(ViewError::Fetch(down())), Exit::Failed);
        assert_eq!(exit(ContentError::Fetch(down())), Exit::Failed);
        assert_eq!(exit(UpdateError::NoSource), Exit::Failed);
    }

    #[test]
    fn rules_input_and_surroundings() {
        assert_eq!(exit(EndorseError::Rule(Violation::RootMismatch)), Exit::Refused);
        assert_eq!(exit(ComposeError::Rule(Violation::RootMismatch)), Exit::Refused);
        assert_eq!(exit(CharterError::NotACharter), Exit::Malformed);
        assert_eq!(exit(ImportError::Empty), Exit::Malformed);
        let full = || std::io::Error::from(std::io::ErrorKind::StorageFull);
        assert_eq!(exit(ImportError::Sorting { folder: "/tmp".into(), source: full() }), Exit::Failed);
        let large = || FileError::TooLarge { path: "x".into(), limit: 1 };
        assert_eq!(exit(large()), Exit::Malformed);
        assert_eq!(exit(DraftError::File(large())), Exit::Malformed);
        assert_eq!(exit(FileError::InUse { path: "x".into() }), Exit::Failed);
        assert_eq!(exit(ReceiptError::Unproven("x".into())), Exit::Refused);
        assert_eq!(exit(std::io::Error::other("disk")), Exit::Failed);
    }
}
