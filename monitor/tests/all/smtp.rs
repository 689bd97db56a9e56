//! A small SMTP server that keeps what it is sent (RFC 5321, with RFC 3207 and AUTH PLAIN of RFC 4954).

use crate::world::World;
use isonomy_core::encoding::from_base64;
use isonomy_monitor::alert::{Mail, MailSection, Security};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

/// What a server offers, and how it behaves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Offered {
    Nothing,
    Tls,
    StartTls,
    /// A certificate that nobody trusts.
    ForeignTls,
    ForeignStartTls,
    /// It takes no mail.
    Refusal,
    /// It says nothing at all.
    Silence,
}

/// A mail that was taken.
#[derive(Clone, Default, Debug)]
pub(crate) struct Taken {
    pub(crate) user: Option<String>,
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
}

pub(crate) struct MailServer {
    port: u16,
    certificate: String,
    taken: Arc<Mutex<Vec<Taken>>>,
    called: Arc<Notify>,
}

#[derive(Clone)]
struct Desk {
    offered: Offered,
    acceptor: TlsAcceptor,
    taken: Arc<Mutex<Vec<Taken>>>,
}

impl MailServer {
    pub(crate) async fn start(offered: Offered) -> Self {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap();
        let trusted = match offered {
            Offered::ForeignTls | Offered::ForeignStartTls => {
                rcgen::generate_simple_self_signed(vec!["localhost".into()]).unwrap().cert.pem()
            }
            _ => made.cert.pem(),
        };
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![made.cert.der().clone()], key)
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let (taken, called) = (Arc::default(), Arc::new(Notify::new()));
        let desk = Desk { offered, acceptor: TlsAcceptor::from(Arc::new(config)), taken: Arc::clone(&taken) };
        let call = Arc::clone(&called);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                call.notify_one();
                tokio::spawn(desk.clone().serve(stream));
            }
        });
        Self { port, certificate: trusted, taken, called }
    }

    /// The configuration of a monitor that sends here.
    pub(crate) fn mail(&self, world: &World, security: Security) -> Mail {
        for (name, text) in [("mail.password", "hunter2\n"), ("mail.pem", &self.certificate)] {
            std::fs::write(world.path(name), text).unwrap();
        }
        let known = |value: &str| (security != Security::None).then(|| value.to_owned());
        let section = MailSection {
            server: format!("localhost:{}", self.port),
            security,
            from: "Monitor <monitor@auditor.example>".into(),
            to: vec!["desk@auditor.example".into()],
            user: known("monitor"),
            password_file: known("mail.password").map(Into::into),
            certificates: known("mail.pem").map(Into::into),
        };
        Mail::open(&section, world.dir.path()).unwrap()
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.taken.lock().unwrap().clone()
    }

    /// Somebody has connected.
    pub(crate) async fn was_called(&self) {
        self.called.notified().await;
    }
}

impl Desk {
    async fn serve(self, stream: TcpStream) {
        let secure = matches!(self.offered, Offered::Tls | Offered::ForeignTls);
        if self.offered == Offered::Silence {
            // The connection stays open for as long as the other side wants.
            let _ = BufReader::new(stream).read_line(&mut String::new()).await;
        } else if secure {
            if let Ok(stream) = self.acceptor.accept(stream).await {
                drop(self.talk(stream, true, true).await);
            }
        } else if let Ok(Some(stream)) = self.talk(stream, true, false).await
            && let Ok(stream) = self.acceptor.accept(stream).await
        {
            drop(self.talk(stream, false, true).await);
        }
    }

    /// Until the other side leaves; gives the connection back if it wants TLS.
    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: S,
        greets: bool,
        is_secure: bool,
    ) -> std::io::Result<Option<S>> {
        let mut stream = BufReader::new(stream);
        let mut mail = Taken::default();
        if greets {
            stream.write_all(b"220 mail.example ESMTP\r\n").await?;
        }
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(None);
            }
            let (verb, rest) = line.trim_end().split_once(' ').unwrap_or((line.trim_end(), ""));
            let path = |rest: &str| rest.split(['<', '>']).nth(1).unwrap().to_owned();
            let answer = match verb {
                "EHLO" if is_secure => "250-mail.example\r\n250 AUTH PLAIN",
                "EHLO" if matches!(self.offered, Offered::StartTls | Offered::ForeignStartTls) => {
                    "250-mail.example\r\n250 STARTTLS"
                }
                "EHLO" => "250 mail.example",
                "STARTTLS" => {
                    stream.write_all(b"220 go on\r\n").await?;
                    return Ok(Some(stream.into_inner()));
                }
                "AUTH" => {
                    let secret = from_base64(rest.strip_prefix("PLAIN ").unwrap()).unwrap();
                    let words = String::from_utf8(secret).unwrap();
                    mail.user = Some(words.trim_matches('\0').replace('\0', " "));
                    "235 welcome"
                }
                "MAIL" if self.offered == Offered::Refusal => "451 not today",
                "MAIL" => {
                    mail.from = path(rest);
                    "250 ok"
                }
                "RCPT" => {
                    mail.to.push(path(rest));
                    "250 ok"
                }
                "DATA" => {
                    stream.write_all(b"354 go on\r\n").await?;
                    mail.text = data(&mut stream).await?;
                    self.taken.lock().unwrap().push(std::mem::take(&mut mail));
                    "250 taken"
                }
                "QUIT" => "221 bye",
                _ => "502 what?",
            };
            stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
        }
    }
}

async fn data(stream: &mut (impl AsyncBufReadExt + Unpin)) -> std::io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(text);
        }
        text += line.strip_prefix('.').unwrap_or(&line);
    }
}
