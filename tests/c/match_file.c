/* Updates a list and looks a file up, from C. ffi/tests/c.rs compiles it and runs it against a running server:
 *
 *     match_file FOLDER POLICY-FILE SOURCE CLOCK FILE
 *
 * It says the verdict, and then the answer as it is. */
#include "isonomy.h"

#include <stdio.h>
#include <stdlib.h>

/* The whole file, and its size. */
static uint8_t *read_file(const char *path, size_t *size) {
    FILE *file = fopen(path, "rb");
    uint8_t *bytes = NULL;
    *size = 0;
    if (file != NULL && fseek(file, 0, SEEK_END) == 0) {
        long end = ftell(file);
        rewind(file);
        if (end >= 0 && (bytes = calloc(1, (size_t)end + 1)) != NULL) *size = fread(bytes, 1, (size_t)end, file);
    }
    if (file != NULL) fclose(file);
    if (bytes == NULL) {
        fprintf(stderr, "%s can't be read\n", path);
        exit(1);
    }
    return bytes;
}

static void succeed(IsonomyStatus status, char *error) {
    if (status == ISONOMY_STATUS_OK) return;
    fprintf(stderr, "status %d: %s\n", (int)status, error ? error : "(no words)");
    exit(1);
}

int main(int count, char **arguments) {
    if (count != 6) return 2;
    size_t size = 0;
    char *error = NULL, *answer = NULL, *policy = (char *)read_file(arguments[2], &size);
    const char *sources[] = {arguments[3]};
    uint64_t clock = strtoull(arguments[4], NULL, 10);
    uint8_t *file = read_file(arguments[5], &size);
    IsonomyClient *client = NULL;
    IsonomyVerdict verdict = ISONOMY_VERDICT_NOT_COVERED;

    succeed(isonomy_client_open(arguments[1], policy, &client, &error), error);
    succeed(isonomy_client_update(client, sources, 1, clock, NULL, NULL, NULL, NULL, &error), error);
    succeed(isonomy_client_match_file(client, file, size, clock, &verdict, &answer, &error), error);
    printf("%d\n%s\n", (int)verdict, answer);

    isonomy_string_free(answer);
    isonomy_client_free(client);
    free(file);
    free(policy);
    return 0;
}
