//! The border to C: pointers come in, and are looked at here and nowhere else.
//!
//! This is the one module with unsafe code of this crate, because C hands over pointers and no compiler checks them. What
//! each function needs of its caller is in its `# Safety`; what goes wrong without that is undefined. Everything else is
//! checked: NULL, UTF-8, lengths; and a panic is caught. `tests/c/update_and_match.c` is compiled and run against it.
#![allow(unsafe_code)]

use crate::failure::{Failure, IsonomyStatus};
use crate::session::{IsonomyClient, IsonomyVerdict, Listener};
use isonomy_client::{CancelFlag, system_clock};
use isonomy_core::time::Timestamp;
use std::ffi::{CStr, CString, c_char, c_void};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::{ptr, slice};

/// Stops an update from another thread.
pub struct IsonomyCancel(CancelFlag);

/// Who is told of an update's progress, on the thread that called it: `user` as it was given; how many bytes of the
/// resource that is being fetched have come, the most that it may have, and how many bytes have come in all. It must return
/// normally, and must not call anything with the same client.
pub type IsonomyProgress = Option<extern "C" fn(user: *mut c_void, received: u64, of: u64, total: u64)>;

/// What the caller of an update wants to have with its progress.
struct User(*mut c_void);

// SAFETY: the pointer is only handed back to the caller's own function, on the caller's own thread: an update that blocks
// polls its future there. The future is `Send` for the sake of other callers.
unsafe impl Send for User {}

impl User {
    fn tell(&self, progress: extern "C" fn(*mut c_void, u64, u64, u64), [received, of, total]: [u64; 3]) {
        progress(self.0, received, of, total);
    }
}

/// The clock of this machine, in seconds since 1970. Functions that judge by a time take it as an argument.
#[unsafe(no_mangle)]
pub extern "C" fn isonomy_system_clock() -> u64 {
    catch_unwind(|| system_clock().0).unwrap_or(0)
}

/// Opens the client that is kept in `folder`, or makes a new one there, under a policy, which is the text of its file. No
/// other process can have the folder open at the same time.
///
/// # Safety
/// `folder` and `policy` are strings that end with a zero byte, or NULL; `client` and `error` can be written, or are NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_open(
    folder: *const c_char,
    policy: *const c_char,
    client: *mut *mut IsonomyClient,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises.
    unsafe { open(IsonomyClient::open, [folder, policy], client, error) }
}

/// Opens the client that is kept in `folder`, also where the policy names another key of its log than the one that it knows
/// (which [`isonomy_client_open`] refuses), and recovers it: see [`isonomy_client_recover`].
///
/// # Safety
/// As [`isonomy_client_open`].
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_open_recovered(
    folder: *const c_char,
    policy: *const c_char,
    client: *mut *mut IsonomyClient,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises.
    unsafe { open(IsonomyClient::open_recovered, [folder, policy], client, error) }
}

/// Closes a client. Nothing may be going on with it.
///
/// # Safety
/// `client` came from [`isonomy_client_open`] and was not freed yet, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_free(client: *mut IsonomyClient) {
    // SAFETY: as the caller promises.
    unsafe { free(client) }
}

/// Asks one source after the other, `count` of them: URLs, or folders of mirrors. The first that passes every check is
/// taken over; see [`isonomy_client_ask_all`]. Blocks until then.
///
/// `clock` is the time to judge by, in seconds since 1970. `progress` and `cancel` may be NULL. `report`, which may be NULL,
/// is set to a JSON document: which version is in force, what waits, what was refused, and after how many seconds the next
/// update is due (`next_update_after`).
///
/// # Safety
/// `client` is open; `sources` points to `count` strings that end with a zero byte; `cancel` is a cancel handle or NULL;
/// `report` and `error` can be written, or are NULL; `user` is whatever `progress` takes it for.
#[allow(clippy::too_many_arguments)] // C has no optional ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_update(
    client: *const IsonomyClient,
    sources: *const *const c_char,
    count: usize,
    clock: u64,
    progress: IsonomyProgress,
    user: *mut c_void,
    cancel: *const IsonomyCancel,
    report: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    let user = User(user);
    let mut tell = progress.map(|progress| move |received, of, total| user.tell(progress, [received, of, total]));
    // SAFETY: as the caller promises; NULL is looked for.
    let updated = guarded(|| unsafe {
        let (client, sources) = (handle(client, "client")?, strings(sources, count, "sources")?);
        let listener: Option<Listener<'_>> = tell.as_mut().map(|tell| tell as Listener<'_>);
        client.update(&sources, Timestamp(clock), listener, cancel.as_ref().map(|cancel| &cancel.0))
    });
    // SAFETY: the same.
    unsafe { finish(updated, error, |document| put_string(report, document)) }
}

/// What is in force, under which charter, who vouches for it, and how old that knowledge is: a JSON document in `status`.
///
/// # Safety
/// `client` is open; `status` and `error` can be written, or are NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_status(
    client: *const IsonomyClient,
    clock: u64,
    status: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let told = guarded(|| unsafe { handle(client, "client")?.status(Timestamp(clock)) });
    // SAFETY: the same.
    unsafe { finish(told, error, |document| put_string(status, document)) }
}

/// Looks up a hash by the list's algorithm, of `size` bytes. `quality`, up to 100, is how much detail it rests on, as whoever made it
/// says; a negative one is not known, and then the charter's least quality is not asked for. `answer`, which may be NULL, is set to a
/// JSON document: what matched, on which version, how fresh, what the charter allows, and what the person is told. If the call fails,
/// `verdict` is `ISONOMY_VERDICT_NOT_COVERED` and `answer` NULL.
///
/// # Safety
/// `client` is open; `hash` points to `size` bytes; `verdict`, `answer` and `error` can be written, or are NULL.
#[allow(clippy::too_many_arguments)] // C has no optional ones.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_match_hash(
    client: *const IsonomyClient,
    hash: *const u8,
    size: usize,
    quality: i32,
    clock: u64,
    verdict: *mut IsonomyVerdict,
    answer: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let found = guarded(|| unsafe {
        let (client, hash) = (handle(client, "client")?, bytes(hash, size, "hash")?);
        client.match_hash(hash, known(quality)?, Timestamp(clock))
    });
    // SAFETY: the same.
    unsafe { finish_lookup(found, verdict, answer, error) }
}

/// Looks up a file, of `size` bytes: a picture where the list has hashes of pictures, a video, by the system's ffmpeg, where
/// it has hashes of videos, else any. The rest is as with [`isonomy_client_match_hash`].
///
/// The call can't be cancelled, and its limits are fixed, those of the command: files of 64 MiB, pictures of 100 million pixels and 1 GiB of
/// memory, which take some seconds at most; videos of 4 GiB, two hours and 2 GiB, for which it takes ten minutes at most. An app that has less
/// to give looks at the size of a file first, and calls from a thread that can wait.
///
/// # Safety
/// `client` is open; `file` points to `size` bytes; `verdict`, `answer` and `error` can be written, or are NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_match_file(
    client: *const IsonomyClient,
    file: *const u8,
    size: usize,
    clock: u64,
    verdict: *mut IsonomyVerdict,
    answer: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let found =
        guarded(|| unsafe { handle(client, "client")?.match_file(bytes(file, size, "file")?, Timestamp(clock)) });
    // SAFETY: the same.
    unsafe { finish_lookup(found, verdict, answer, error) }
}

/// The receipt of an entry of the list in force, of `size` bytes, as an answer names it (`matches[].entry`, there in
/// hexadecimal): a JSON document for the person whose file matched, to be kept as a file and to be shown to whom they like. It
/// proves, offline and years later, which public release caused the match, and holds neither the file nor its hash. Ask for it
/// before the next update, which may bring a list without the entry.
///
/// # Safety
/// `client` is open; `entry` points to `size` bytes; `receipt` and `error` can be written, or are NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_receipt(
    client: *const IsonomyClient,
    entry: *const u8,
    size: usize,
    receipt: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let made = guarded(|| unsafe { handle(client, "client")?.receipt(bytes(entry, size, "entry")?) });
    // SAFETY: the same.
    unsafe { finish(made, error, |text| put_string(receipt, text)) }
}

/// Forgets the newest checkpoint and the witnessed time, and not the release in force: after a quorum vouched for a time or a
/// size far ahead. A fork from before is not noticed any more, so this is for a person to decide, never for a program. Nothing
/// can be matched until the next update. A client whose updates have stopped is not recovered (`ISONOMY_STATUS_HALTED`): what helps it
/// is another policy; see [`isonomy_client_open_recovered`].
///
/// # Safety
/// `client` is open; `error` can be written, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_recover(
    client: *const IsonomyClient,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let recovered = guarded(|| unsafe { handle(client, "client")?.recover() });
    // SAFETY: the same.
    unsafe { finish(recovered, error, |()| ()) }
}

/// The digest of what is in force, equal for all holders of this release, to go along with an app's messages; and its
/// comparison code for people.
///
/// # Safety
/// `client` is open; `digest` points to 32 bytes that can be written, `code` and `error` can be written, or are NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_view_digest(
    client: *const IsonomyClient,
    digest: *mut u8,
    code: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let view = guarded(|| unsafe { handle(client, "client")?.view() });
    // SAFETY: the same.
    unsafe {
        finish(view, error, |(bytes, text)| {
            put(digest.cast::<[u8; 32]>(), bytes);
            put_string(code, text);
        })
    }
}

/// What this client shows a peer whose digest is another one. Of the device it says when that last heard of the log.
///
/// # Safety
/// `client` is open; `view` and `error` can be written, or are NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_view(
    client: *const IsonomyClient,
    view: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let text = guarded(|| unsafe { handle(client, "client")?.view_text() });
    // SAFETY: the same.
    unsafe { finish(text, error, |text| put_string(view, text)) }
}

/// Compares what is in force here with what a peer showed; what else is needed to tell is asked of the sources. `outcome` is
/// set to a JSON document whose field `outcome` says `same`, `older`, `newer`, `forked` and so on. It blocks until then, for minutes
/// where sources are slow, and an update of this client waits for it; `cancel`, which may be NULL, stops it.
///
/// # Safety
/// `client` is open; `theirs` is a string that ends with a zero byte; `sources` points to `count` of them; `cancel` is a cancel handle
/// or NULL; `outcome` and `error` can be written, or are NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_compare(
    client: *const IsonomyClient,
    theirs: *const c_char,
    sources: *const *const c_char,
    count: usize,
    cancel: *const IsonomyCancel,
    outcome: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let compared = guarded(|| unsafe {
        let (theirs, sources) = (string(theirs, "theirs")?, strings(sources, count, "sources")?);
        handle(client, "client")?.compare(theirs, &sources, cancel.as_ref().map(|cancel| &cancel.0))
    });
    // SAFETY: the same.
    unsafe { finish(compared, error, |document| put_string(outcome, document)) }
}

/// Takes a file of evidence that somebody else found, of `size` bytes. If it proves, under the policy, that the log forked, it is
/// kept, and updates stop for good: from then on each answers `ISONOMY_STATUS_HALTED`. Any other proof changes nothing here. `outcome` is
/// set to a JSON document: who did what (`by`, `what`), and whether updates stop (`halted`). What proves nothing is an invalid argument.
///
/// # Safety
/// `client` is open; `evidence` points to `size` bytes; `outcome` and `error` can be written, or are NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_show_evidence(
    client: *const IsonomyClient,
    evidence: *const u8,
    size: usize,
    outcome: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let shown = guarded(|| unsafe { handle(client, "client")?.show_evidence(bytes(evidence, size, "evidence")?) });
    // SAFETY: the same.
    unsafe { finish(shown, error, |document| put_string(outcome, document)) }
}

/// From now on each update asks every source, also after one that is fresh. A mirror can hide the newest release from a client that
/// doesn't read the log itself; then one honest source among them is enough to learn of it.
///
/// # Safety
/// `client` is open; `error` can be written, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_client_ask_all(
    client: *const IsonomyClient,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    let set = guarded(|| unsafe { handle(client, "client").map(IsonomyClient::ask_all) });
    // SAFETY: the same.
    unsafe { finish(set, error, |()| ()) }
}

/// A handle by which an update can be stopped.
#[unsafe(no_mangle)]
pub extern "C" fn isonomy_cancel_new() -> *mut IsonomyCancel {
    Box::into_raw(Box::new(IsonomyCancel(CancelFlag::new())))
}

/// Stops every update that was given this handle, now or later. From any thread.
///
/// # Safety
/// `cancel` came from [`isonomy_cancel_new`] and was not freed yet, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_cancel_raise(cancel: *const IsonomyCancel) {
    // SAFETY: as the caller promises.
    if let Some(cancel) = unsafe { cancel.as_ref() } {
        cancel.0.raise();
    }
}

/// Frees a cancel handle. No update may be using it.
///
/// # Safety
/// `cancel` came from [`isonomy_cancel_new`] and was not freed yet, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_cancel_free(cancel: *mut IsonomyCancel) {
    // SAFETY: as the caller promises.
    unsafe { free(cancel) }
}

/// Frees a string that a function of this library gave.
///
/// # Safety
/// `string` came from this library and was not freed yet, or is NULL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn isonomy_string_free(string: *mut c_char) {
    if !string.is_null() {
        // SAFETY: as the caller promises.
        drop(unsafe { CString::from_raw(string) });
    }
}

/// Gives the caller the client that `opening` makes of folder and policy.
///
/// # Safety
/// As [`isonomy_client_open`].
unsafe fn open(
    opening: fn(&str, &str) -> Result<IsonomyClient, Failure>,
    [folder, policy]: [*const c_char; 2],
    client: *mut *mut IsonomyClient,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises; NULL is looked for.
    unsafe { put(client, ptr::null_mut()) };
    // SAFETY: the same.
    let opened = guarded(|| unsafe {
        require(!client.is_null(), "client")?;
        opening(string(folder, "folder")?, string(policy, "policy")?)
    });
    // SAFETY: the same.
    unsafe { finish(opened, error, |opened| put(client, Box::into_raw(Box::new(opened)))) }
}

/// Runs what a function does, and turns a panic into a failure.
fn guarded<T>(work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // What a panic may leave half done is behind a lock that it poisons.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let text = text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default();
        Err(Failure::new(IsonomyStatus::Panic, format!("a defect in this library: {text}")))
    })
}

/// Gives the caller what came of it.
///
/// # Safety
/// `error` can be written, or is NULL.
unsafe fn finish<T>(outcome: Result<T, Failure>, error: *mut *mut c_char, give: impl FnOnce(T)) -> IsonomyStatus {
    // SAFETY: as the caller promises.
    unsafe { put(error, ptr::null_mut()) };
    match outcome {
        Ok(value) => {
            give(value);
            IsonomyStatus::Ok
        }
        Err(failure) => {
            // SAFETY: as the caller promises.
            unsafe { put_string(error, failure.message) };
            failure.status
        }
    }
}

fn require(holds: bool, argument: &str) -> Result<(), Failure> {
    let message = || Failure::new(IsonomyStatus::InvalidArgument, format!("{argument} is NULL"));
    holds.then_some(()).ok_or_else(message)
}

/// # Safety
/// `handle` points to a `T` that lives as long as is said here, or is NULL.
unsafe fn handle<'a, T>(handle: *const T, argument: &str) -> Result<&'a T, Failure> {
    require(!handle.is_null(), argument)?;
    // SAFETY: it is not NULL; the rest is as the caller promises.
    Ok(unsafe { &*handle })
}

/// # Safety
/// `string` ends with a zero byte and lives as long as is said here, or is NULL.
unsafe fn string<'a>(string: *const c_char, argument: &str) -> Result<&'a str, Failure> {
    require(!string.is_null(), argument)?;
    // SAFETY: it is not NULL; the rest is as the caller promises.
    let text = unsafe { CStr::from_ptr(string) }.to_str();
    text.map_err(|_| Failure::new(IsonomyStatus::InvalidArgument, format!("{argument} is not UTF-8")))
}

/// # Safety
/// `strings` points to `count` strings as [`string`] takes them, or is NULL.
unsafe fn strings<'a>(strings: *const *const c_char, count: usize, argument: &str) -> Result<Vec<&'a str>, Failure> {
    if count == 0 {
        return Ok(Vec::new());
    }
    require(!strings.is_null(), argument)?;
    // SAFETY: it is not NULL; the rest is as the caller promises.
    unsafe { slice::from_raw_parts(strings, count).iter().map(|text| string(*text, argument)).collect() }
}

/// # Safety
/// `bytes` points to `size` bytes that live as long as is said here, or is NULL.
unsafe fn bytes<'a>(bytes: *const u8, size: usize, argument: &str) -> Result<&'a [u8], Failure> {
    if size == 0 {
        return Ok(&[]);
    }
    require(!bytes.is_null(), argument)?;
    if isize::try_from(size).is_err() {
        return Err(Failure::new(IsonomyStatus::InvalidArgument, format!("{argument} is too large")));
    }
    // SAFETY: it is not NULL and not too large; the rest is as the caller promises.
    Ok(unsafe { slice::from_raw_parts(bytes, size) })
}

/// # Safety
/// `to` can be written, or is NULL.
unsafe fn put<T>(to: *mut T, value: T) {
    if !to.is_null() {
        // SAFETY: as the caller promises. What was there is the caller's.
        unsafe { to.write(value) }
    }
}

/// A zero byte in a text, which no C string can have, ends it.
///
/// # Safety
/// As [`put`].
unsafe fn put_string(to: *mut *mut c_char, text: String) {
    let end = text.find('\0').unwrap_or(text.len());
    let text = CString::new(&text[..end]).unwrap_or_default();
    if !to.is_null() {
        // SAFETY: as the caller promises.
        unsafe { put(to, text.into_raw()) }
    }
}

/// A quality that was given, unless it is not known.
fn known(quality: i32) -> Result<Option<u8>, Failure> {
    let message = || format!("quality is a number up to 100, or negative if it is not known, not {quality}");
    match u8::try_from(quality) {
        Ok(quality @ 0..=100) => Ok(Some(quality)),
        Err(_) if quality < 0 => Ok(None),
        _ => Err(Failure::new(IsonomyStatus::InvalidArgument, message())),
    }
}

/// # Safety
/// As [`put`], for each.
unsafe fn finish_lookup(
    found: Result<(IsonomyVerdict, String), Failure>,
    verdict: *mut IsonomyVerdict,
    answer: *mut *mut c_char,
    error: *mut *mut c_char,
) -> IsonomyStatus {
    // SAFETY: as the caller promises.
    unsafe {
        // Whoever overlooks a failure is not told that nothing matched.
        put(verdict, IsonomyVerdict::NotCovered);
        put(answer, ptr::null_mut());
        finish(found, error, |(found, document)| {
            put(verdict, found);
            put_string(answer, document);
        })
    }
}

/// # Safety
/// `owned` came from `Box::into_raw` and was not freed yet, or is NULL.
unsafe fn free<T>(owned: *mut T) {
    if !owned.is_null() {
        // SAFETY: as the caller promises.
        let owned = unsafe { Box::from_raw(owned) };
        let _ = catch_unwind(AssertUnwindSafe(|| drop(owned)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    #[test]
    fn no_panic_gets_through() {
        let mut error = ptr::null_mut();
        // Said on standard error as well, as every panic.
        let outcome: Result<(), Failure> = guarded(|| panic!("on purpose"));
        // SAFETY: `error` can be written.
        let status = unsafe { finish(outcome, &mut error, |()| ()) };
        assert_eq!(status, IsonomyStatus::Panic);
        // SAFETY: it was just written.
        assert_eq!(unsafe { CStr::from_ptr(error) }.to_str(), Ok("a defect in this library: on purpose"));
        // SAFETY: it came from this library.
        unsafe { isonomy_string_free(error) };
    }

    #[test]
    fn null_is_an_argument_like_any_other() {
        let mut client = ptr::dangling_mut();
        // SAFETY: NULL is allowed everywhere.
        unsafe {
            assert_eq!(
                isonomy_client_open(ptr::null(), ptr::null(), &mut client, ptr::null_mut()),
                IsonomyStatus::InvalidArgument
            );
            assert!(client.is_null(), "a failure leaves no handle");
            let text = c"x".as_ptr();
            assert_eq!(
                isonomy_client_open(text, text, ptr::null_mut(), ptr::null_mut()),
                IsonomyStatus::InvalidArgument
            );
            assert_eq!(
                isonomy_client_status(client, 0, ptr::null_mut(), ptr::null_mut()),
                IsonomyStatus::InvalidArgument
            );
            let (none, verdict) = (ptr::null_mut(), ptr::null_mut());
            assert_eq!(
                isonomy_client_match_hash(client, ptr::null(), 0, -1, 0, verdict, none, none),
                IsonomyStatus::InvalidArgument
            );
            assert_eq!(isonomy_client_view_digest(client, ptr::null_mut(), none, none), IsonomyStatus::InvalidArgument);
            isonomy_client_free(client);
            isonomy_cancel_raise(ptr::null());
            isonomy_cancel_free(ptr::null_mut());
            isonomy_string_free(ptr::null_mut());
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_refused() {
        // SAFETY: both end with a zero byte.
        unsafe {
            assert_eq!(string(c"abc".as_ptr(), "x").unwrap(), "abc");
            let failure = string(c"\xff".as_ptr(), "x").unwrap_err();
            assert_eq!((failure.status, failure.message.as_str()), (IsonomyStatus::InvalidArgument, "x is not UTF-8"));
            assert_eq!(bytes(ptr::dangling(), usize::MAX, "x").unwrap_err().status, IsonomyStatus::InvalidArgument);
        }
    }
}
