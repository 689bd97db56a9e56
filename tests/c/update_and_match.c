/* Updates a list and matches against it, from C. ffi/tests/c.rs compiles it and runs it against a running server:
 *
 *     update_and_match FOLDER POLICY-FILE GOOD-SOURCE BAD-SOURCE SILENT-SOURCE CLOCK LISTED-HASH PEER-VIEW-FILE RECEIPT FORK-FILE
 *
 * It says what it found, line by line, and ends with 1 at the first thing that is not as it should be. */
#define _POSIX_C_SOURCE 200809L

#include "isonomy.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);   \
            exit(1);                                                                  \
        }                                                                             \
    } while (0)

static char *read_file(const char *path) {
    FILE *file = fopen(path, "rb");
    CHECK(file != NULL);
    char *text = calloc(1, 1 << 20);
    CHECK(text != NULL);
    CHECK(fread(text, 1, (1 << 20) - 1, file) > 0);
    fclose(file);
    return text;
}

static size_t from_hex(const char *hex, uint8_t *bytes) {
    size_t size = strlen(hex) / 2;
    for (size_t at = 0; at < size; at++) {
        unsigned value;
        CHECK(sscanf(hex + 2 * at, "%2x", &value) == 1);
        bytes[at] = (uint8_t)value;
    }
    return size;
}

/* The status must be this one, and the words must hold those. */
static void expect_failure(IsonomyStatus status, IsonomyStatus expected, char *error, const char *words) {
    if (status != expected || error == NULL || strstr(error, words) == NULL) {
        fprintf(stderr, "status %d, expected %d with \"%s\": %s\n", (int)status, (int)expected, words,
                error ? error : "(no words)");
        exit(1);
    }
    isonomy_string_free(error);
}

/* The call fails so, with words in `error`, which are read after it. */
#define EXPECT_FAILURE(call, expected, words)            \
    do {                                                 \
        error = NULL;                                    \
        IsonomyStatus outcome = (call);                  \
        expect_failure(outcome, expected, error, words); \
        error = NULL;                                    \
    } while (0)

struct heard {
    uint64_t calls;
    uint64_t total;
};

static void progress(void *user, uint64_t received, uint64_t of, uint64_t total) {
    struct heard *heard = user;
    CHECK(received <= of);
    CHECK(total >= heard->total);
    heard->calls += 1;
    heard->total = total;
}

static void *raise_soon(void *cancel) {
    const struct timespec soon = {0, 200 * 1000 * 1000};
    nanosleep(&soon, NULL);
    isonomy_cancel_raise(cancel);
    return NULL;
}

int main(int count, char **arguments) {
    CHECK(count == 11);
    const char *folder = arguments[1];
    char *policy = read_file(arguments[2]);
    const char *good[] = {arguments[3]}, *bad[] = {arguments[4]}, *silent[] = {arguments[5]};
    uint64_t clock = strtoull(arguments[6], NULL, 10);
    uint8_t hash[64];
    size_t size = from_hex(arguments[7], hash);
    char *peer = read_file(arguments[8]);
    char *error = NULL, *text = NULL;
    IsonomyClient *client = NULL;
    IsonomyVerdict verdict;

    /* What can be wrong from the start. */
    EXPECT_FAILURE(isonomy_client_open(NULL, policy, &client, &error), ISONOMY_STATUS_INVALID_ARGUMENT,
                   "folder is NULL");
    CHECK(client == NULL);
    EXPECT_FAILURE(isonomy_client_open(folder, "trust = 1", &client, &error), ISONOMY_STATUS_INVALID_POLICY,
                   "policy");
    EXPECT_FAILURE(isonomy_client_open("/proc/isonomy", policy, &client, &error), ISONOMY_STATUS_FOLDER,
                   "/proc/isonomy");
    CHECK(isonomy_client_open("/proc/isonomy", policy, &client, NULL) == ISONOMY_STATUS_FOLDER);

    CHECK(isonomy_client_open(folder, policy, &client, &error) == ISONOMY_STATUS_OK);
    CHECK(client != NULL && error == NULL);
    IsonomyClient *second = NULL;
    EXPECT_FAILURE(isonomy_client_open(folder, policy, &second, &error), ISONOMY_STATUS_FOLDER, "in use");
    CHECK(second == NULL);

    /* Nothing is in force yet. Whoever overlooks that is not told that nothing matches. */
    verdict = ISONOMY_VERDICT_NOT_MATCHED;
    EXPECT_FAILURE(isonomy_client_match_hash(client, hash, size, -1, clock, &verdict, &text, &error),
                   ISONOMY_STATUS_NO_LIST, "update first");
    CHECK(verdict == ISONOMY_VERDICT_NOT_COVERED && text == NULL);
    CHECK(isonomy_client_status(client, clock, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strstr(text, "in_force") == NULL);
    isonomy_string_free(text);

    /* Sources that lie, are not there, or say nothing. */
    EXPECT_FAILURE(isonomy_client_update(client, bad, 1, clock, NULL, NULL, NULL, &text, &error),
                   ISONOMY_STATUS_REFUSED, "not what it should be");
    const char *nobody[] = {"http://127.0.0.1:9/"};
    EXPECT_FAILURE(isonomy_client_update(client, nobody, 1, clock, NULL, NULL, NULL, NULL, &error),
                   ISONOMY_STATUS_UNREACHABLE, "127.0.0.1:9");
    EXPECT_FAILURE(isonomy_client_update(client, NULL, 0, clock, NULL, NULL, NULL, NULL, &error),
                   ISONOMY_STATUS_INVALID_ARGUMENT, "no source");
    const char *none[] = {NULL};
    EXPECT_FAILURE(isonomy_client_update(client, none, 1, clock, NULL, NULL, NULL, NULL, &error),
                   ISONOMY_STATUS_INVALID_ARGUMENT, "sources is NULL");
    IsonomyCancel *cancel = isonomy_cancel_new();
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, raise_soon, cancel) == 0);
    EXPECT_FAILURE(isonomy_client_update(client, silent, 1, clock, NULL, NULL, cancel, NULL, &error),
                   ISONOMY_STATUS_CANCELLED, "cancelled");
    CHECK(pthread_join(thread, NULL) == 0);
    isonomy_cancel_free(cancel);

    /* An honest one, after one that lies. */
    const char *both[] = {bad[0], good[0]};
    struct heard heard = {0, 0};
    CHECK(isonomy_client_update(client, both, 2, clock, progress, &heard, NULL, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(error == NULL && heard.calls > 5 && heard.total > 1000);
    CHECK(strstr(text, "\"version\":2") != NULL && strstr(text, "\"next_update_after\":") != NULL);
    printf("updated\n");
    isonomy_string_free(text);

    CHECK(isonomy_client_status(client, clock, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strstr(text, "\"in_force\":{\"version\":2") != NULL);
    isonomy_string_free(text);

    /* A hash on the list, one bit off it, and one that is not. */
    uint8_t entry[64];
    memcpy(entry, hash, size);
    hash[0] ^= 1;
    CHECK(isonomy_client_match_hash(client, hash, size, -1, clock, &verdict, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(verdict == ISONOMY_VERDICT_MATCHED);
    CHECK(strstr(text, "\"distance\":1") != NULL && strstr(text, "\"notice\":") != NULL);
    printf("matched\n");
    isonomy_string_free(text);
    CHECK(isonomy_client_match_hash(client, hash, size, 100, clock, &verdict, NULL, &error) == ISONOMY_STATUS_OK);
    CHECK(verdict == ISONOMY_VERDICT_MATCHED);

    /* A hash of less quality than the charter asks for, which is 50, and one of none that there is. */
    CHECK(isonomy_client_match_hash(client, hash, size, 49, clock, &verdict, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(verdict == ISONOMY_VERDICT_NOT_COVERED && strstr(text, "\"quality-too-low\"") != NULL);
    isonomy_string_free(text);
    EXPECT_FAILURE(isonomy_client_match_hash(client, hash, size, 101, clock, &verdict, &text, &error),
                   ISONOMY_STATUS_INVALID_ARGUMENT, "up to 100");

    /* The person whose file matched gets a receipt; no other entry has one. */
    CHECK(isonomy_client_receipt(client, entry, size, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strstr(text, "isonomy/receipt/v1") != NULL);
    FILE *receipt = fopen(arguments[9], "wb");
    CHECK(receipt != NULL && fputs(text, receipt) >= 0 && fclose(receipt) == 0);
    isonomy_string_free(text);
    EXPECT_FAILURE(isonomy_client_receipt(client, hash, size, &text, &error), ISONOMY_STATUS_INVALID_ARGUMENT,
                   "does not hold this entry");
    memset(hash, 0x5a, size);
    CHECK(isonomy_client_match_hash(client, hash, size, -1, clock, &verdict, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(verdict == ISONOMY_VERDICT_NOT_MATCHED);
    isonomy_string_free(text);
    EXPECT_FAILURE(isonomy_client_match_hash(client, hash, 5, -1, clock, &verdict, &text, &error),
                   ISONOMY_STATUS_INVALID_ARGUMENT, "has 32 bytes");
    EXPECT_FAILURE(isonomy_client_match_file(client, NULL, 5, clock, &verdict, &text, &error),
                   ISONOMY_STATUS_INVALID_ARGUMENT, "file is NULL");
    CHECK(isonomy_client_match_file(client, (const uint8_t *)"no picture", 10, clock, &verdict, &text, &error) ==
          ISONOMY_STATUS_OK);
    CHECK(verdict == ISONOMY_VERDICT_NOT_COVERED);
    isonomy_string_free(text);

    /* Recovered: nothing is in force until the next update, which brings the same version again. */
    CHECK(isonomy_client_recover(client, &error) == ISONOMY_STATUS_OK);
    EXPECT_FAILURE(isonomy_client_match_hash(client, hash, size, -1, clock, &verdict, &text, &error),
                   ISONOMY_STATUS_NO_LIST, "update first");
    CHECK(isonomy_client_update(client, good, 1, clock, NULL, NULL, NULL, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strstr(text, "\"version\":2") != NULL);
    isonomy_string_free(text);

    /* Years later it has expired. */
    CHECK(isonomy_client_match_hash(client, hash, size, -1, clock + 100000000, &verdict, NULL, NULL) == ISONOMY_STATUS_OK);
    CHECK(verdict == ISONOMY_VERDICT_NOT_COVERED);

    /* A source after one that is fresh is asked too, if that is wanted. */
    const char *then[] = {good[0], bad[0]};
    CHECK(isonomy_client_update(client, then, 2, clock, NULL, NULL, NULL, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strstr(text, "\"refusals\":[]") != NULL && strstr(text, "\"state\":\"fresh\"") != NULL);
    isonomy_string_free(text);
    CHECK(isonomy_client_ask_all(client, &error) == ISONOMY_STATUS_OK);
    CHECK(isonomy_client_update(client, then, 2, clock, NULL, NULL, NULL, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strstr(text, "\"code\":\"malformed\"") != NULL && strstr(text, "\"version\":2") != NULL);
    isonomy_string_free(text);

    /* Evidence that a stranger brings: what proves nothing is refused. */
    EXPECT_FAILURE(isonomy_client_show_evidence(client, (const uint8_t *)"{}", 2, &text, &error),
                   ISONOMY_STATUS_INVALID_ARGUMENT, "evidence");

    /* Peers. */
    uint8_t digest[32] = {0};
    CHECK(isonomy_client_view_digest(client, digest, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strlen(text) == 59);
    isonomy_string_free(text);
    for (size_t at = 0; at < sizeof digest; at++) {
        printf("%02x", digest[at]);
    }
    printf("\n");
    CHECK(isonomy_client_view(client, &text, &error) == ISONOMY_STATUS_OK);
    char *own = text;
    CHECK(isonomy_client_compare(client, own, good, 1, NULL, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strstr(text, "\"outcome\":\"same\"") != NULL);
    isonomy_string_free(text);
    IsonomyCancel *stopped = isonomy_cancel_new();
    isonomy_cancel_raise(stopped);
    EXPECT_FAILURE(isonomy_client_compare(client, own, good, 1, stopped, &text, &error), ISONOMY_STATUS_CANCELLED,
                   "cancelled");
    isonomy_cancel_free(stopped);
    isonomy_string_free(own);
    CHECK(isonomy_client_compare(client, peer, good, 1, NULL, &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strstr(text, "\"outcome\":\"forked\"") != NULL && strstr(text, "\"halted\":true") != NULL);
    isonomy_string_free(text);
    EXPECT_FAILURE(isonomy_client_compare(client, "{}", good, 1, NULL, &text, &error), ISONOMY_STATUS_INVALID_ARGUMENT,
                   "malformed view");
    /* Which of the log's histories is the public one can't be told any more. */
    EXPECT_FAILURE(isonomy_client_update(client, good, 1, clock, NULL, NULL, NULL, NULL, &error),
                   ISONOMY_STATUS_HALTED, "updates have stopped");
    EXPECT_FAILURE(isonomy_client_recover(client, &error), ISONOMY_STATUS_HALTED, "another key of this log");

    /* The proof, which the folder holds now, is one for whoever else trusts this log. */
    char *proof = read_file(arguments[10]);
    CHECK(isonomy_client_show_evidence(client, (const uint8_t *)proof, strlen(proof), &text, &error) == ISONOMY_STATUS_OK);
    CHECK(strstr(text, "\"halted\":true") != NULL && strstr(text, "\"what\":\"") != NULL);
    isonomy_string_free(text);
    free(proof);

    /* Closed and opened again: what was in force is. */
    isonomy_client_free(client);
    CHECK(isonomy_client_open(folder, policy, &client, &error) == ISONOMY_STATUS_OK);
    uint8_t again[32] = {0};
    CHECK(isonomy_client_view_digest(client, again, NULL, NULL) == ISONOMY_STATUS_OK);
    CHECK(memcmp(digest, again, sizeof digest) == 0);
    isonomy_client_free(client);
    EXPECT_FAILURE(isonomy_client_open_recovered(folder, policy, &client, &error), ISONOMY_STATUS_HALTED,
                   "updates have stopped");
    CHECK(client == NULL);
    isonomy_client_free(NULL);
    free(policy);
    free(peer);
    CHECK(isonomy_system_clock() > 1500000000);
    printf("done\n");
    return 0;
}
