//! TLS 1.2 and 1.3 by rustls, from a certificate and a key in PEM files, which are read again on SIGHUP.

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use rustls::{ServerConfig, crypto};
use serde::Deserialize;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};
use tokio_rustls::TlsAcceptor;

/// Where certificate and key are.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TlsFiles {
    /// The certificate and those that lead to its issuer, in PEM.
    pub certificate: PathBuf,
    /// Its private key, in PEM.
    pub key: PathBuf,
}

/// Why a server can't speak TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file can't be read, or is no PEM.
    #[error("can't read {what} from {}: {reason}", path.display())]
    Pem {
        /// What was wanted of it.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// Certificate and key don't belong together, or are of a kind that is not supported.
    #[error("the certificate and the key can't be used for TLS: {0}")]
    Rustls(#[from] rustls::Error),
}

/// TLS with a certificate that can be replaced while it is used.
#[derive(Clone)]
pub struct Tls {
    files: TlsFiles,
    current: Arc<Current>,
    config: Arc<ServerConfig>,
}

impl Tls {
    /// Reads both files.
    pub fn open(files: TlsFiles) -> Result<Self, TlsError> {
        let current = Arc::new(Current(RwLock::new(Arc::new(read(&files)?))));
        let builder = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
        let builder = builder.with_safe_default_protocol_versions()?.with_no_client_auth();
        let mut config = builder.with_cert_resolver(Arc::clone(&current) as Arc<dyn ResolvesServerCert>);
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { files, current, config: Arc::new(config) })
    }

    pub(crate) fn acceptor(&self) -> TlsAcceptor {
        TlsAcceptor::from(Arc::clone(&self.config))
    }

    /// Reads both files again. On an error what was read before is used further.
    pub fn reload(&self) -> Result<(), TlsError> {
        let new = Arc::new(read(&self.files)?);
        *self.current.0.write().unwrap_or_else(PoisonError::into_inner) = new;
        Ok(())
    }

    /// Reads both files again whenever the process gets a SIGHUP; for ever.
    pub(crate) async fn reload_on_hangup(self) {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let Ok(mut hangups) = signal(SignalKind::hangup()) else { return };
            while hangups.recv().await.is_some() {
                let tls = self.clone();
                match tokio::task::spawn_blocking(move || tls.reload()).await {
                    Ok(Ok(())) => tracing::info!("the certificate was read again"),
                    Ok(Err(error)) => tracing::error!("the old certificate stays in use: {error}"),
                    Err(_) => {}
                }
            }
        }
    }
}

/// The certificate in use.
#[derive(Debug)]
struct Current(RwLock<Arc<CertifiedKey>>);

impl ResolvesServerCert for Current {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner)))
    }
}

fn read(files: &TlsFiles) -> Result<CertifiedKey, TlsError> {
    let pem = |what, path: &Path, error: rustls::pki_types::pem::Error| {
        let reason = error.to_string();
        TlsError::Pem { what, path: path.to_owned(), reason }
    };
    let no_certificate = |error| pem("a certificate", &files.certificate, error);
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(no_certificate)?;
    let chain: Vec<_> = chain.collect::<Result<_, _>>().map_err(no_certificate)?;
    if chain.is_empty() {
        return Err(no_certificate(rustls::pki_types::pem::Error::NoItemsFound));
    }
    warn_if_open(&files.key);
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| pem("a private key", &files.key, error))?;
    Ok(CertifiedKey::from_der(chain, key, &crypto::ring::default_provider())?)
}

/// A private key that every user of this machine can read is no reason not to serve, but to be said.
fn warn_if_open(key: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        if std::fs::metadata(key).is_ok_and(|found| found.permissions().mode() & 0o007 != 0) {
            tracing::warn!("every user of this machine can read the private key in {}; chmod o= it", key.display());
        }
    }
    #[cfg(not(unix))]
    let _ = key;
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Rates, Settings, serve_with};
    use axum::Router;
    use axum::routing::get;
    use rustls::ClientConfig;
    use rustls::RootCertStore;
    use rustls::pki_types::ServerName;
    use std::net::SocketAddr;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio_rustls::TlsConnector;

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        fn files(&self) -> TlsFiles {
            TlsFiles { certificate: self.0.path().join("cert.pem"), key: self.0.path().join("key.pem") }
        }

        /// Writes a new certificate with its key, and gives those who trust it.
        fn renew(&self) -> RootCertStore {
            let made = rcgen::generate_simple_self_signed(vec!["log.example".into()]).unwrap();
            std::fs::write(self.files().certificate, made.cert.pem()).unwrap();
            std::fs::write(self.files().key, made.signing_key.serialize_pem()).unwrap();
            let mut roots = RootCertStore::empty();
            roots.add(made.cert.der().clone()).unwrap();
            roots
        }
    }

    async fn start(settings: Settings) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().route("/", get(|| async { "here" }));
        tokio::spawn(serve_with(listener, router, settings, std::future::pending()));
        address
    }

    async fn ask(address: SocketAddr, roots: RootCertStore) -> std::io::Result<String> {
        let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()));
        let config = builder.with_safe_default_protocol_versions().unwrap().with_root_certificates(roots);
        let connector = TlsConnector::from(Arc::new(config.with_no_client_auth()));
        let name = ServerName::try_from("log.example").unwrap();
        let mut stream = connector.connect(name, TcpStream::connect(address).await?).await?;
        stream.write_all(b"GET / HTTP/1.1\r\nhost: log.example\r\nconnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok(answer)
    }

    #[tokio::test]
    async fn a_new_certificate_is_used_once_it_is_read_and_a_broken_one_is_not() {
        let folder = Folder::new();
        let old = folder.renew();
        let tls = Tls::open(folder.files()).unwrap();
        let address = start(Settings { tls: Some(tls.clone()), ..Settings::new(Rates::UNLIMITED) }).await;
        assert!(ask(address, old.clone()).await.unwrap().ends_with("here"));
        std::fs::write(folder.files().key, "no key").unwrap();
        assert!(matches!(tls.reload(), Err(TlsError::Pem { what: "a private key", .. })));
        assert!(ask(address, old.clone()).await.unwrap().ends_with("here"), "the old one is used further");
        let new = folder.renew();
        assert!(ask(address, new.clone()).await.is_err());
        tls.reload().unwrap();
        assert!(ask(address, new).await.unwrap().ends_with("here"));
        assert!(ask(address, old).await.is_err());
    }

    #[tokio::test]
    async fn whoever_does_not_agree_on_tls_is_cut_off() {
        let folder = Folder::new();
        folder.renew();
        let limits = crate::Limits { headers: std::time::Duration::from_millis(300), ..Default::default() };
        let tls = Some(Tls::open(folder.files()).unwrap());
        let address = start(Settings { tls, limits, ..Settings::new(Rates::UNLIMITED) }).await;
        for said in [&b""[..], b"GET / HTTP/1.1\r\nhost: log.example\r\n\r\n"] {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(said).await.unwrap();
            let mut answer = Vec::new();
            let ended = tokio::time::timeout(std::time::Duration::from_secs(20), stream.read_to_end(&mut answer)).await;
            assert!(ended.is_ok());
            assert!(!answer.starts_with(b"HTTP"), "{answer:?}");
        }
    }

    #[test]
    fn files_that_are_no_pair_are_named() {
        let folder = Folder::new();
        assert!(matches!(Tls::open(folder.files()), Err(TlsError::Pem { what: "a certificate", .. })));
        folder.renew();
        let certificate = std::fs::read(folder.files().certificate).unwrap();
        folder.renew();
        std::fs::write(folder.files().certificate, certificate).unwrap();
        assert!(matches!(Tls::open(folder.files()), Err(TlsError::Rustls(_))));
    }
}
