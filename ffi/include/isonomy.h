/* Isonomy from C: update a hash list that is provably the public one, and match against it.
 * Made from the crate isonomy-ffi, which documents the contract that all functions share:
 * statuses, handles, strings, threads. Changes are made there. */

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
   The sources that could be reached were refused. What was in force stays so; each refusal is on record.
   */
  ISONOMY_STATUS_REFUSED = 4,
  /*
   No source could be reached. What was in force stays so.
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
 Closes a client. Nothing may be going on with it.

 # Safety
 `client` came from [`isonomy_client_open`] and was not freed yet, or is NULL.
 */
void isonomy_client_free(struct IsonomyClient *client);

/*
 Asks one source after the other, `count` of them: URLs, or folders of mirrors. The first that passes every check is
 taken over. Blocks until then.

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
 Looks up a hash by the list's algorithm, of `size` bytes. `answer`, which may be NULL, is set to a JSON document: what
 matched, on which version, how fresh, what the charter allows, and what the person is told.

 # Safety
 `client` is open; `hash` points to `size` bytes; `verdict`, `answer` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_match_hash(const struct IsonomyClient *client,
                                             const uint8_t *hash,
                                             size_t size,
                                             uint64_t clock,
                                             enum IsonomyVerdict *verdict,
                                             char **answer,
                                             char **error);

/*
 Looks up a file, of `size` bytes: a picture where the list has hashes of pictures, a video, by the system's ffmpeg, where
 it has hashes of videos, else any. The rest is as with [`isonomy_client_match_hash`].

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
 What this client shows a peer whose digest is another one. It says nothing about the device or its owner.

 # Safety
 `client` is open; `view` and `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_view(const struct IsonomyClient *client,
                                       char **view,
                                       char **error);

/*
 Compares what is in force here with what a peer showed; what else is needed to tell is asked of the sources. `outcome` is
 set to a JSON document whose field `outcome` says `same`, `older`, `newer`, `forked` and so on.

 # Safety
 `client` is open; `theirs` is a string that ends with a zero byte; `sources` points to `count` of them; `outcome` and
 `error` can be written, or are NULL.
 */
enum IsonomyStatus isonomy_client_compare(const struct IsonomyClient *client,
                                          const char *theirs,
                                          const char *const *sources,
                                          size_t count,
                                          char **outcome,
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
