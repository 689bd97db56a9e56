//! Mail (RFC 5321, RFC 5322) over an SMTP server that is configured.
//!
//! The connection is protected: by TLS from its beginning, or by STARTTLS, without which nothing is sent. In clear it
//! goes to this machine alone. What findings say stands in the body, never in a header.

use super::Telling;
use crate::finding::{Finding, Severity};
use crate::units;
use isonomy_core::encoding::to_hex;
use isonomy_core::hash::sha256;
use isonomy_store::files::{self, FileError};
use lettre::message::header::{ContentType, Header, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::transport::smtp::extension::ClientId;
use lettre::{AsyncSmtpTransport, AsyncTransport, Tokio1Executor};
use serde::Deserialize;
use std::error::Error;
use std::fmt::{self, Write};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long it may take to connect.
const CONNECT: Duration = Duration::from_secs(15);
/// How many findings a mail tells of; of more, it says how many.
const MAX_TOLD: usize = 50;
/// The most bytes of a password's file, and of one with certificates.
const MAX_FILE: usize = 256 * 1024;

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Security {
    /// By TLS from its beginning (RFC 8314).
    #[default]
    Tls,
    /// By STARTTLS (RFC 3207); if the server does not offer that, nothing is sent.
    StartTls,
    /// Not at all: for a mail server on this machine alone.
    None,
}

/// The part of a configuration that is about mail.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailSection {
    /// The server that takes the mail, with its port if that is not the usual one.
    pub server: String,
    /// How the connection is protected.
    #[serde(default)]
    pub security: Security,
    /// Whom the mail is from.
    pub from: String,
    /// To whom it goes.
    pub to: Vec<String>,
    /// The name under which this monitor is known to the server.
    #[serde(default)]
    pub user: Option<String>,
    /// The file with the password for it.
    #[serde(default)]
    pub password_file: Option<PathBuf>,
    /// Certificates (PEM) that are trusted beside those of this machine.
    #[serde(default)]
    pub certificates: Option<PathBuf>,
}

/// Why mail can't be sent as configured.
#[derive(Debug, thiserror::Error)]
pub enum MailConfigError {
    /// An address.
    #[error("{0:?} is no mail address")]
    Address(String),
    /// The server's name.
    #[error("{0:?} is no mail server: give its name, and a port if it is not the usual one")]
    Server(String),
    /// Nobody to send to.
    #[error("mail has nobody to go to")]
    Nobody,
    /// In clear over a network.
    #[error(
        "mail to {0} would go over the network in clear; `security = \"none\"` is for a mail server on this machine"
    )]
    InClear(String),
    /// A password without a name, or the other way round.
    #[error("a user and a password file go together")]
    HalfCredentials,
    /// A file.
    #[error("{}: {problem}", path.display())]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// A file.
    #[error(transparent)]
    File(#[from] FileError),
    /// The certificates.
    #[error("the mail server can't be spoken to over TLS: {0}")]
    Tls(String),
}

/// Why a mail was not sent: in words, with what the mail server said.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct MailError(String);

/// Whom to send mail to, and by which server.
#[derive(Clone)]
pub struct Mail {
    server: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

/// Without the password.
impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("from", &self.from).field("to", &self.to).finish_non_exhaustive()
    }
}

impl Mail {
    /// As a configuration asks for. The names of files are relative to `folder`.
    pub fn open(section: &MailSection, folder: &Path) -> Result<Self, MailConfigError> {
        let address = |text: &String| text.parse().map_err(|_| MailConfigError::Address(text.clone()));
        let from: Mailbox = address(&section.from)?;
        let to: Vec<Mailbox> = section.to.iter().map(address).collect::<Result<_, _>>()?;
        if to.is_empty() {
            return Err(MailConfigError::Nobody);
        }
        let (host, port) = host_and_port(&section.server)?;
        let tls = || parameters(host, section.certificates.as_deref().map(|path| folder.join(path)));
        let (tls, usual_port) = match section.security {
            Security::Tls => (Tls::Wrapper(tls()?), 465),
            Security::StartTls => (Tls::Required(tls()?), 587),
            Security::None if is_this_machine(host) => (Tls::None, 25),
            Security::None => return Err(MailConfigError::InClear(host.to_owned())),
        };
        let mut server = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host)
            .port(port.unwrap_or(usual_port))
            .tls(tls)
            .timeout(Some(CONNECT))
            .hello_name(ClientId::Domain(from.email.domain().to_owned()));
        match (&section.user, &section.password_file) {
            (Some(user), Some(path)) => {
                server = server.credentials(Credentials::new(user.clone(), password(&folder.join(path))?));
            }
            (None, None) => {}
            _ => return Err(MailConfigError::HalfCredentials),
        }
        Ok(Self { server: server.build(), from, to })
    }

    pub(super) async fn send(&self, telling: &Telling<'_>) -> Result<(), MailError> {
        self.server.send(self.message(telling)?).await.map_err(|error| MailError(with_causes(&error)))?;
        Ok(())
    }

    fn message(&self, telling: &Telling<'_>) -> Result<Message, MailError> {
        let mut message = Message::builder().from(self.from.clone());
        for to in &self.to {
            message = message.to(to.clone());
        }
        // The same when it is sent again, so that mail programs see that it is.
        let digest = to_hex(&sha256(&[&telling.document()]));
        let message = message
            .subject(subject(telling))
            .message_id(Some(format!("<{digest}@{}>", self.from.email.domain())))
            .header(AutoSubmitted)
            .header(ContentType::TEXT_PLAIN);
        message.body(body(telling)).map_err(|error| MailError(error.to_string()))
    }
}

fn host_and_port(server: &str) -> Result<(&str, Option<u16>), MailConfigError> {
    let invalid = || MailConfigError::Server(server.to_owned());
    let (host, port) = match server.rsplit_once(':') {
        Some((host, port)) => (host, Some(port.parse().map_err(|_| invalid())?)),
        None => (server, None),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    if host.is_empty() || !host.chars().all(fits) { Err(invalid()) } else { Ok((host, port)) }
}

fn is_this_machine(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn parameters(host: &str, certificates: Option<PathBuf>) -> Result<TlsParameters, MailConfigError> {
    let invalid = |error: lettre::transport::smtp::Error| MailConfigError::Tls(with_causes(&error));
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(path) = certificates {
        parameters = parameters.add_root_certificate(Certificate::from_pem(&read(&path)?).map_err(invalid)?);
    }
    parameters.build_rustls().map_err(invalid)
}

fn read(path: &Path) -> Result<Vec<u8>, MailConfigError> {
    let missing = || MailConfigError::Content { path: path.to_owned(), problem: "there is no such file".to_owned() };
    files::read_limited(path, MAX_FILE)?.ok_or_else(missing)
}

/// The first line of a file.
fn password(path: &Path) -> Result<String, MailConfigError> {
    let wrong = |problem: &str| MailConfigError::Content { path: path.to_owned(), problem: problem.to_owned() };
    let text = String::from_utf8(read(path)?).map_err(|_| wrong("it is not UTF-8"))?;
    match text.lines().next() {
        Some(password) if !password.is_empty() => Ok(password.to_owned()),
        _ => Err(wrong("its first line, the password, is empty")),
    }
}

/// An error with each cause that says more.
fn with_causes(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        if !words.contains(&more) {
            words += &format!(": {more}");
        }
        cause = error.source();
    }
    words
}

/// That nobody should answer by machine (RFC 3834).
#[derive(Clone)]
struct AutoSubmitted;

impl Header for AutoSubmitted {
    fn name() -> HeaderName {
        HeaderName::new_from_ascii_str("Auto-Submitted")
    }

    fn parse(_: &str) -> Result<Self, Box<dyn Error + Send + Sync>> {
        Ok(Self)
    }

    fn display(&self) -> HeaderValue {
        HeaderValue::new(Self::name(), "auto-generated".to_owned())
    }
}

/// Numbers, and the log's name from this monitor's own configuration: nothing that anybody else has written.
fn subject(telling: &Telling<'_>) -> String {
    let count = |severity| telling.findings.iter().filter(|found| found.severity == severity).count();
    let all = [
        (Severity::Breach, "breach", "breaches"),
        (Severity::Warning, "warning", "warnings"),
        (Severity::Notice, "notice", "notices"),
    ];
    let counts = all.map(|(severity, one, many)| (count(severity), one, many));
    let counts = counts.into_iter().filter(|(number, ..)| *number > 0);
    let counts: Vec<String> = counts.map(|(number, one, many)| units::count(number, one, many)).collect();
    format!("{}: {}", telling.log, counts.join(", "))
}

fn body(telling: &Telling<'_>) -> String {
    let mut body = format!("New findings about the log {}, as of {}:\n", telling.log, telling.made);
    for found in telling.findings.iter().take(MAX_TOLD) {
        body += &paragraph(found);
    }
    if let Some(more) = telling.findings.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
        body += &format!("\nand {} more, which the monitor's page shows.\n", units::number(more as u64));
    }
    body + "\nA breach is proven by signatures. Everything else is an observation and may have an innocent cause.\n"
}

fn paragraph(found: &Finding) -> String {
    let mut text = format!("\n{} ({})\n{}\n", units::sentence(&found.severity.to_string()), found.code, found.words);
    // Writing into a string can't fail.
    if let Some(list) = &found.list {
        let _ = writeln!(text, "List: {list}");
    }
    if let Some(rule) = &found.rule {
        let _ = writeln!(text, "Rule: {}, {}", rule.number, rule.name);
    }
    for who in &found.answerable {
        let _ = writeln!(text, "Responsible: {who}");
    }
    if let Some(evidence) = &found.evidence {
        let _ = writeln!(text, "Evidence: evidence/{evidence}.json in the monitor’s folder of this log");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use isonomy_core::time::Timestamp;

    fn section() -> MailSection {
        MailSection {
            server: "mail.example".into(),
            security: Security::Tls,
            from: "Monitor <monitor@auditor.example>".into(),
            to: vec!["desk@auditor.example".into()],
            user: None,
            password_file: None,
            certificates: None,
        }
    }

    fn open(edit: impl Fn(&mut MailSection)) -> Result<Mail, MailConfigError> {
        let mut section = section();
        edit(&mut section);
        Mail::open(&section, Path::new("/nowhere"))
    }

    #[test]
    fn what_can_not_work_is_refused() {
        assert!(open(|_| ()).is_ok() && open(|mail| mail.server = "mail.example:2525".into()).is_ok());
        for (words, edit) in [
            ("no mail address", (|mail| mail.from = "nobody".into()) as fn(&mut MailSection)),
            ("no mail address", |mail| mail.to = vec!["a@b.example\nBcc: c@d.example".into()]),
            ("nobody to go to", |mail| mail.to = vec![]),
            ("no mail server", |mail| mail.server = "mail.example:port".into()),
            ("no mail server", |mail| mail.server = "smtp://mail.example".into()),
            ("in clear", |mail| mail.security = Security::None),
            ("go together", |mail| mail.user = Some("monitor".into())),
            ("go together", |mail| mail.password_file = Some("password".into())),
            ("no such file", |mail| mail.certificates = Some("certificates.pem".into())),
            ("no such file", |mail| {
                (mail.user, mail.password_file) = (Some("monitor".into()), Some("password".into()));
            }),
        ] {
            let error = open(edit).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        for host in ["localhost", "127.0.0.1:25"] {
            assert!(open(|mail| (mail.server, mail.security) = (host.into(), Security::None)).is_ok());
        }
    }

    #[test]
    fn what_others_wrote_stands_in_the_body_alone() {
        let words = "x\r\nBcc: victim@example.com\r\n.\r\nMAIL FROM:<a@b.example>\u{202e}";
        let mut findings = vec![Finding::new(Severity::Breach, "fork", words, words)];
        findings.resize(MAX_TOLD + 2, findings[0].clone());
        let telling = Telling { log: "log.example/demo", made: Timestamp(0), findings: &findings };
        let mail = open(|_| ()).unwrap();
        let message = String::from_utf8(mail.message(&telling).unwrap().formatted()).unwrap();
        let (head, body) = message.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains("Subject: log.example/demo: 52 breaches\r\n")
                && head.contains("Auto-Submitted: auto-generated")
        );
        assert!(!head.contains("victim") && !body.contains("\r\nBcc") && !body.contains("\r\n.\r\n"), "{message}");
        assert!(body.contains("and 2 more"), "{body}");
    }

    #[test]
    fn a_password_is_not_shown() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("password"), "hunter2\n").unwrap();
        let section = MailSection { user: Some("monitor".into()), password_file: Some("password".into()), ..section() };
        let mail = Mail::open(&section, dir.path()).unwrap();
        assert!(!format!("{mail:?}").contains("hunter2"));
        std::fs::write(dir.path().join("password"), "\n").unwrap();
        assert!(Mail::open(&section, dir.path()).unwrap_err().to_string().contains("empty"));
    }
}
