//! Tiles and statements in memory, ready to be sent. They are small, never change, and the same ones are asked for again and
//! again: those near the root, and the newest.
//!
//! The server asks here first, before its router ([`isonomy_serve::App::with_shelf`]), so that such an answer costs two
//! system calls and no thread but the connection's own. Nothing gets here that is not of an integrated tree, and nothing
//! that is not for everybody. A file that was damaged and is put right is served as it is now within [`FRESH`].

use crate::compress;
use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, header};
use isonomy_store::files::{self, FileError};
use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant, SystemTime};

/// How many bytes are kept; then what was not asked for lately makes room.
const MAX_KEPT: usize = 64 << 20;
/// Larger files stay on the disk.
const MAX_FILE: usize = 1 << 20;
/// About as many bytes a file takes beside its content.
const OVERHEAD: usize = 1024;
/// After how long a file is read again.
const FRESH: Duration = Duration::from_secs(60);

/// What is in memory, by path with the slash before it.
#[derive(Default)]
pub(crate) struct Shelf {
    kept: RwLock<Kept>,
}

#[derive(Default)]
struct Kept {
    files: HashMap<String, Arc<Ready>>,
    /// The paths of `files` in the order in which they are looked at when there has to be room.
    order: VecDeque<String>,
    bytes: usize,
}

/// A file with the headers of its answers.
pub(crate) struct Ready {
    plain: Form,
    /// Under gzip, if it is of a kind that is compressed and gets smaller.
    gzip: Option<Form>,
    read: Instant,
    /// Whether it was asked for since it was looked at last.
    asked: AtomicBool,
}

struct Form {
    headers: HeaderMap,
    body: Bytes,
}

impl Form {
    fn answer(&self) -> Response<Bytes> {
        let mut response = Response::new(self.body.clone());
        *response.headers_mut() = self.headers.clone();
        response
    }

    fn bytes(&self) -> usize {
        self.body.len() + OVERHEAD
    }
}

/// Whether files of a kind are sent under gzip to whoever takes it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Coding {
    /// Never: it would not get smaller.
    Identity,
    /// To whoever takes it.
    Gzip,
}

impl Shelf {
    /// The answer to a `GET` of this path with these headers; `None` if it has to come from the disk.
    pub(crate) fn answer(&self, path: &str, headers: &HeaderMap) -> Option<Response<Bytes>> {
        if !asks_for_all(headers) {
            return None;
        }
        let file = self.find(path)?;
        Some(file.answer(headers))
    }

    fn find(&self, path: &str) -> Option<Arc<Ready>> {
        let kept = self.kept.read().unwrap_or_else(PoisonError::into_inner);
        let file = kept.files.get(path).filter(|file| file.read.elapsed() < FRESH)?;
        if !file.asked.load(Ordering::Relaxed) {
            file.asked.store(true, Ordering::Relaxed);
        }
        Some(Arc::clone(file))
    }

    /// Keeps a file, if it is small.
    pub(crate) fn keep(&self, path: String, file: &Arc<Ready>) {
        if file.bytes() > MAX_FILE {
            return;
        }
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += file.bytes();
        match kept.files.insert(path.clone(), Arc::clone(file)) {
            Some(older) => kept.bytes -= older.bytes(),
            None => kept.order.push_back(path),
        }
        kept.make_room();
    }
}

impl Kept {
    /// Removes what was not asked for since it was looked at last.
    fn make_room(&mut self) {
        while self.bytes > MAX_KEPT
            && let Some(path) = self.order.pop_front()
        {
            match self.files.get(&path) {
                Some(file) if file.asked.swap(false, Ordering::Relaxed) => self.order.push_back(path),
                _ => self.bytes -= self.files.remove(&path).map_or(0, |file| file.bytes()),
            }
        }
    }
}

impl Ready {
    /// Reads a file of at most `limit` bytes, and makes its answers; `None` if there is none.
    pub(crate) fn read(
        path: &Path,
        limit: usize,
        headers: impl IntoIterator<Item = (HeaderName, HeaderValue)>,
        coding: Coding,
    ) -> Result<Option<Self>, FileError> {
        let Some(bytes) = files::read_limited(path, limit)? else { return Ok(None) };
        let changed = std::fs::metadata(path).and_then(|file| file.modified()).ok();
        let mut headers: HeaderMap = headers.into_iter().collect();
        if coding == Coding::Gzip {
            headers.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
        }
        let compressed = Some(&bytes).filter(|_| coding == Coding::Gzip).and_then(|bytes| compress::compress(bytes));
        let gzip = compressed.map(|body| {
            let mut headers = headers.clone();
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            Form { headers, body: body.into() }
        });
        headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Some(changed) = changed.and_then(http_date) {
            headers.insert(header::LAST_MODIFIED, changed);
        }
        let plain = Form { headers, body: bytes.into() };
        Ok(Some(Self { plain, gzip, read: Instant::now(), asked: AtomicBool::new(false) }))
    }

    /// The answer to whoever sends these headers.
    pub(crate) fn answer(&self, headers: &HeaderMap) -> Response<Bytes> {
        match &self.gzip {
            Some(gzip) if compress::takes_gzip(headers) => gzip.answer(),
            _ => self.plain.answer(),
        }
    }

    fn bytes(&self) -> usize {
        self.plain.bytes() + self.gzip.as_ref().map_or(0, Form::bytes)
    }
}

/// Whether a request asks for the whole file, whenever it was changed.
pub(crate) fn asks_for_all(headers: &HeaderMap) -> bool {
    let asks_for_less = |name: &HeaderName| *name == header::RANGE || name.as_str().starts_with("if-");
    !headers.keys().any(asks_for_less)
}

/// A time as HTTP writes it (RFC 9110, 5.6.7); `None` if it has no form for it: before 1970, or of a year of five digits.
fn http_date(time: SystemTime) -> Option<HeaderValue> {
    const YEAR_10000: u64 = 253_402_300_800;
    let seconds = time.duration_since(SystemTime::UNIX_EPOCH).ok()?.as_secs();
    (seconds < YEAR_10000).then(|| HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(named: &[(HeaderName, &'static str)]) -> HeaderMap {
        named.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    fn file(folder: &Path, name: &str, bytes: &[u8], coding: Coding) -> Arc<Ready> {
        std::fs::write(folder.join(name), bytes).unwrap();
        let media = [(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"))];
        Arc::new(Ready::read(&folder.join(name), 1 << 24, media, coding).unwrap().unwrap())
    }

    #[test]
    fn a_file_is_answered_in_the_form_that_is_asked_for() {
        let (dir, shelf) = (tempfile::tempdir().unwrap(), Shelf::default());
        let bytes = b"entry".repeat(1000);
        shelf.keep("/bundle".to_owned(), &file(dir.path(), "bundle", &bytes, Coding::Gzip));
        let plain = shelf.answer("/bundle", &headers(&[])).unwrap();
        assert_eq!(plain.body()[..], bytes);
        for name in [header::CONTENT_TYPE, header::LAST_MODIFIED, header::ACCEPT_RANGES, header::VARY] {
            assert!(plain.headers().contains_key(&name), "{name}");
        }
        let gzip = shelf.answer("/bundle", &headers(&[(header::ACCEPT_ENCODING, "gzip")])).unwrap();
        assert_eq!(gzip.headers()[header::CONTENT_ENCODING], "gzip");
        assert!(gzip.body().len() < 200 && !gzip.headers().contains_key(header::ACCEPT_RANGES));
        for asked in [(header::RANGE, "bytes=0-1"), (header::IF_MODIFIED_SINCE, "x"), (header::IF_NONE_MATCH, "x")] {
            assert!(shelf.answer("/bundle", &headers(&[asked])).is_none(), "what is special comes from the disk");
        }
        assert!(shelf.answer("/other", &headers(&[])).is_none());
    }

    #[test]
    fn what_is_not_asked_for_makes_room() {
        let (dir, shelf) = (tempfile::tempdir().unwrap(), Shelf::default());
        let [often, large] =
            ["often", "large"].map(|name| file(dir.path(), name, &[7; MAX_FILE - OVERHEAD], Coding::Identity));
        shelf.keep("/often".to_owned(), &often);
        for number in 0..200 {
            assert!(shelf.answer("/often", &headers(&[])).is_some(), "{number}");
            shelf.keep(format!("/{number}"), &large);
            shelf.keep(format!("/{number}"), &large);
        }
        let kept = shelf.kept.read().unwrap();
        assert!(kept.bytes <= MAX_KEPT && kept.bytes == kept.files.len() * MAX_FILE, "{}", kept.bytes);
        assert_eq!(kept.order.len(), kept.files.len());
        assert!(kept.files.contains_key("/199") && !kept.files.contains_key("/0"));
        drop(kept);
        let too_large = file(dir.path(), "too-large", &[7; MAX_FILE], Coding::Identity);
        shelf.keep("/too-large".to_owned(), &too_large);
        assert!(shelf.answer("/too-large", &headers(&[])).is_none());
    }

    #[test]
    fn dates_are_those_of_http() {
        for (seconds, expected) in [
            (0, "Thu, 01 Jan 1970 00:00:00 GMT"),
            (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), // RFC 9110's own
            (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
        ] {
            let date = http_date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).unwrap();
            assert_eq!(date.to_str().unwrap(), expected);
        }
        let last = SystemTime::UNIX_EPOCH + Duration::from_secs(253_402_300_799);
        assert_eq!(http_date(last).unwrap(), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(http_date(last + Duration::from_secs(1)), None);
        assert_eq!(http_date(SystemTime::UNIX_EPOCH - Duration::from_secs(1)), None);
    }
}
