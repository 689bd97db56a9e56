/* Isonomy from C: update a hash list that is provably the public one, and match against it.
 *
 *     IsonomyClient *client = NULL;
 *     char *error = NULL, *report = NULL, *answer = NULL;
 *     const char *sources[] = {"https://log.example/isonomy"};
 *     uint64_t now = isonomy_system_clock();
 *     IsonomyVerdict verdict;
 *
 *     if (isonomy_client_open("/var/lib/app/isonomy", policy, &client, &error) != ISONOMY_STATUS_OK) fail(error);
 *     if (isonomy_client_update(client, sources, 1, now, NULL, NULL, NULL, &report, &error) != ISONOMY_STATUS_OK) warn(error);
 *     if (isonomy_client_match_file(client, bytes, size, now, &verdict, &answer, &error) != ISONOMY_STATUS_OK) fail(error);
 *     if (verdict == ISONOMY_VERDICT_MATCHED) show(answer);
 *
 * The contract, the same for every function:
 *
 *  - Statuses. A function returns an IsonomyStatus; 0 is success. What else there is to tell is put where the last arguments
 *    point, on success alone; `error` is set on failure to a string for people, and to NULL on success. Each of these
 *    arguments may be NULL: then that is not told.
 *  - Ownership. What a function takes stays the caller's, and is not kept after it returns. Handles are opaque; whoever got
 *    one gives it back to its own ..._free, once. Strings are UTF-8 and end with a zero byte; whoever got one gives it back
 *    to isonomy_string_free, once, and to nothing else. NULL may be given back too. Before a pointer to a string is given to
 *    another call, what it points to is to be given back: it is overwritten.
 *  - Threads. A client may be used from several threads at once. Matching goes on while an update runs; updates and
 *    comparisons run one after the other. While a handle is freed, nobody else may use it. isonomy_cancel_raise may be called
 *    from any thread. Progress is told on the thread that called the update.
 *  - Defects. No panic crosses the border: it becomes ISONOMY_STATUS_PANIC, after which the handle is only good for being
 *    freed. Pointers that are not what is said here are beyond what can be checked.
 *  - Nothing is global: clients, each in its folder, don't know of each other. Numbers of time are seconds since 1970.
 *  - JSON documents are those of the command `isonomy` with --json: `client update`, `client status`, an answer of `match`.
 *
 * Made by cbindgen from the crate isonomy-ffi: changes are made there. */

#ifndef ISONOMY_H
#define ISONOMY_H

#include <stddef.h>
#include <stdint.h>

/*
 How a call went.
 */
typedef enum IsonomyStatus {
  /*
   Well.
   */
  ISONOMY_STATUS_OK = 0,
  /*
   An argument is NULL, no UTF-8, or not what it should be.
   */
  ISONOMY_STATUS_INVALID_ARGUMENT = 1,
  /*
   The policy is none.
   */
  ISONOMY_STATUS_INVALID_POLICY = 2,
  /*
   The folder can't be used: it can't be read or written, is in use, damaged, or kept for another list.
   */
  ISONOMY_STATUS_FOLDER = 3,
  /*
   At least one source was refused, or did what no honest one does: endless data, a redirect. What was in force stays
   so; each refusal is on record. It makes sense to try again later.
   */
  ISONOMY_STATUS_REFUSED = 4,
  /*
   No source could be reached, or none had what is needed. What was in force stays so.
   */
  ISONOMY_STATUS_UNREACHABLE = 5,
  /*
   It was stopped by its cancel handle.
   */
  ISONOMY_STATUS_CANCELLED = 6,
  /*
   No list is in force, or its content isn't at hand: update first.
   */
  ISONOMY_STATUS_NO_LIST = 7,
  /*
   Something else failed in this process.
   */
  ISONOMY_STATUS_FAILED = 8,
  /*
   A defect in this library. The handle is only good for being freed.
   */
  ISONOMY_STATUS_PANIC = 9,
  /*
   Updates have stopped for good: the log showed two histories, and the folder holds the proof (`evidence`). What was in force
   stays so until it expires. This is for the app's makers to hear of.
   */
  ISONOMY_STATUS_HALTED = 10,
} IsonomyStatus;

/*
 What a lookup came to.
 */
typedef enum IsonomyVerdict {
  /*
   No entry is near enough.
   */
  ISONOMY_VERDICT_NOT_MATCHED = 0,
  /*
   The answer says what matched, what the charter allows, and what the person is told.
   */
  ISONOMY_VERDICT_MATCHED = 1,
  /*
   The list can't tell: it has expired, or what was given is not what it lists. The answer says why.
   */
  ISONOMY_VERDICT_NOT_COVERED = 2,
} IsonomyVerdict;

/*
 Stops an update from another thread.
 */
typedef struct IsonomyCancel IsonomyCancel;

/*
 A client of one list, and the matcher of what it has in force.
 */
typedef struct IsonomyClient IsonomyClient;

/*
 Who is told of an update's progress, on the thread that called it: `user` as it was given; how many bytes of the
 resource that is being fetched have come, the most that it may have, and how many bytes have come in all. It must return
 normally, and must not call anything with the same client.
 */
typedef void (*IsonomyProgress)(void *user, uint64_t received, uint64_t of, uint64_t total);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/*
 The clock of this machine, in seconds since 1970. Functions that judge by a time take it as an argument.
 */
uint64_t isonomy_system_clock(void);

/*
 Opens the client that is kept in `folder`, or makes a new one there, under a policy, which is the text of its file. No
 other process can have the folder open at the same time.

 # Safety
 `folder` and `policy` are strings that end with a zero byte, or NULL; `client` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_open(const char *folder,
                                       const char *policy,
                                       struct IsonomyClient **client,
                                       char **error);

/*
 Opens the client that is kept in `folder`, also where the policy names another key of its log than the one that it knows
 (which [`isonomy_client_open`] refuses), and recovers it: see [`isonomy_client_recover`].

 # Safety
 As [`isonomy_client_open`].
 */
enum IsonomyStatus isonomy_client_open_recovered(const char *folder,
                                                 const char *policy,
                                                 struct IsonomyClient **client,
                                                 char **error);

/*
 Closes a client. Nothing may be going on with it.

 # Safety
 `client` came from [`isonomy_client_open`] and was not freed yet, or is NULL.
 */
void isonomy_client_free(struct IsonomyClient *client);

/*
 Asks one source after the other, `count` of them: URLs, or folders of mirrors. The first that passes every check is
 taken over; see [`isonomy_client_ask_all`]. Blocks until then.

 `clock` is the time to judge by, in seconds since 1970. `progress` and `cancel` may be NULL. `report`, which may be NULL,
 is set to a JSON document: which version is in force, what waits, what was refused, and after how many seconds the next
 update is due (`next_update_after`).

 # Safety
 `client` is open; `sources` points to `count` strings that end with a zero byte; `cancel` is a cancel handle or NULL;
 `report` and `error` can be written, or are NULL; `user` is whatever `progress` takes it for.
 */
enum IsonomyStatus isonomy_client_update(const struct IsonomyClient *client,
                                         const char *const *sources,
                                         size_t count,
                                         uint64_t clock,
                                         IsonomyProgress progress,
                                         void *user,
                                         const struct IsonomyCancel *cancel,
                                         char **report,
                                         char **error);

/*
 What is in force, under which charter, who vouches for it, and how old that knowledge is: a JSON document in `status`.

 # Safety
 `client` is open; `status` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_status(const struct IsonomyClient *client,
                                         uint64_t clock,
                                         char **status,
                                         char **error);

/*
 Looks up a hash by the list's algorithm, of `size` bytes. `quality`, up to 100, is how much detail it rests on, as whoever made it
 says; a negative one is not known, and then the charter's least quality is not asked for. `answer`, which may be NULL, is set to a
 JSON document: what matched, on which version, how fresh, what the charter allows, and what the person is told. If the call fails,
 `verdict` is `ISONOMY_VERDICT_NOT_COVERED` and `answer` NULL.

 # Safety
 `client` is open; `hash` points to `size` bytes; `verdict`, `answer` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_match_hash(const struct IsonomyClient *client,
                                             const uint8_t *hash,
                                             size_t size,
                                             int32_t quality,
                                             uint64_t clock,
                                             enum IsonomyVerdict *verdict,
                                             char **answer,
                                             char **error);

/*
 Looks up a file, of `size` bytes: a picture where the list has hashes of pictures, a video, by the system's ffmpeg, where
 it has hashes of videos, else any. The rest is as with [`isonomy_client_match_hash`].

 The call can't be cancelled, and its limits are fixed, those of the command: files of 64 MiB, pictures of 100 million pixels and 1 GiB of
 memory, which take some seconds at most; videos of 4 GiB, two hours and 2 GiB, for which it takes ten minutes at most. An app that has less
 to give looks at the size of a file first, and calls from a thread that can wait.

 # Safety
 `client` is open; `file` points to `size` bytes; `verdict`, `answer` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_match_file(const struct IsonomyClient *client,
                                             const uint8_t *file,
                                             size_t size,
                                             uint64_t clock,
                                             enum IsonomyVerdict *verdict,
                                             char **answer,
                                             char **error);

/*
 The receipt of an entry of the list in force, of `size` bytes, as an answer names it (`matches[].entry`, there in
 hexadecimal): a JSON document for the person whose file matched, to be kept as a file and to be shown to whom they like. It
 proves, offline and years later, which public release caused the match, and holds neither the file nor its hash. Ask for it
 before the next update, which may bring a list without the entry.

 # Safety
 `client` is open; `entry` points to `size` bytes; `receipt` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_receipt(const struct IsonomyClient *client,
                                          const uint8_t *entry,
                                          size_t size,
                                          char **receipt,
                                          char **error);

/*
 Forgets the newest checkpoint and the witnessed time, and not the release in force: after a quorum vouched for a time or a
 size far ahead. A fork from before is not noticed any more, so this is for a person to decide, never for a program. Nothing
 can be matched until the next update. A client whose updates have stopped is not recovered (`ISONOMY_STATUS_HALTED`): what helps it
 is another policy; see [`isonomy_client_open_recovered`].

 # Safety
 `client` is open; `error` can be written, or is NULL.
 */
enum IsonomyStatus isonomy_client_recover(const struct IsonomyClient *client,
                                          char **error);

/*
 The digest of what is in force, equal for all holders of this release, to go along with an app's messages; and its
 comparison code for people.

 # Safety
 `client` is open; `digest` points to 32 bytes that can be written, `code` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_view_digest(const struct IsonomyClient *client,
                                              uint8_t *digest,
                                              char **code,
                                              char **error);

/*
 What this client shows a peer whose digest is another one. Of the device it says when that last heard of the log.

 # Safety
 `client` is open; `view` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_view(const struct IsonomyClient *client,
                                       char **view,
                                       char **error);

/*
 Compares what is in force here with what a peer showed; what else is needed to tell is asked of the sources. `outcome` is
 set to a JSON document whose field `outcome` says `same`, `older`, `newer`, `forked` and so on. It blocks until then, for minutes
 where sources are slow, and an update of this client waits for it; `cancel`, which may be NULL, stops it.

 # Safety
 `client` is open; `theirs` is a string that ends with a zero byte; `sources` points to `count` of them; `cancel` is a cancel handle
 or NULL; `outcome` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_compare(const struct IsonomyClient *client,
                                          const char *theirs,
                                          const char *const *sources,
                                          size_t count,
                                          const struct IsonomyCancel *cancel,
                                          char **outcome,
                                          char **error);

/*
 Takes a file of evidence that somebody else found, of `size` bytes. If it proves, under the policy, that the log forked, it is
 kept, and updates stop for good: from then on each answers `ISONOMY_STATUS_HALTED`. Any other proof changes nothing here. `outcome` is
 set to a JSON document: who did what (`by`, `what`), and whether updates stop (`halted`). What proves nothing is an invalid argument.

 # Safety
 `client` is open; `evidence` points to `size` bytes; `outcome` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_show_evidence(const struct IsonomyClient *client,
                                                const uint8_t *evidence,
                                                size_t size,
                                                char **outcome,
                                                char **error);

/*
 From now on each update asks every source, also after one that is fresh. A mirror can hide the newest release from a client that
 doesn't read the log itself; then one honest source among them is enough to learn of it.

 # Safety
 `client` is open; `error` can be written, or is NULL.
 */
enum IsonomyStatus isonomy_client_ask_all(const struct IsonomyClient *client,
                                          char **error);

/*
 A handle by which an update can be stopped.
 */
struct IsonomyCancel *isonomy_cancel_new(void);

/*
 Stops every update that was given this handle, now or later. From any thread.

 # Safety
 `cancel` came from [`isonomy_cancel_new`] and was not freed yet, or is NULL.
 */
void isonomy_cancel_raise(const struct IsonomyCancel *cancel);

/*
 Frees a cancel handle. No update may be using it.

 # Safety
 `cancel` came from [`isonomy_cancel_new`] and was not freed yet, or is NULL.
 */
void isonomy_cancel_free(struct IsonomyCancel *cancel);

/*
 Frees a string that a function of this library gave.

 # Safety
 `string` came from this library and was not freed yet, or is NULL.
 */
void isonomy_string_free(char *string);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

#endif  /* ISONOMY_H */
