/* generate MODEL TEXT: continues a text by 16 tokens, greedily, and checks that a truncated session
 * gives the same logits again. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <trit.h>

static int Fail(const char* what) {
  fprintf(stderr, "%s: %s\n", what, trit_last_error());
  return 1;
}

int main(int argc, char** argv) {
  if (argc != 3) {
    fprintf(stderr, "usage: generate MODEL TEXT\n");
    return 2;
  }
  if (trit_load("no such file", NULL) != NULL || strlen(trit_last_error()) == 0) {
    return Fail("a missing file was accepted");
  }
  trit_load_options options = {0};
  options.struct_bytes = sizeof(options);
  options.threads = 1;
  options.no_cache = 1;
  trit_model* model = trit_load(argv[1], &options);
  if (model == NULL) return Fail("load");
  int32_t ids[256];
  const int32_t count = trit_tokenize(model, argv[2], 1, ids, 256);
  if (count < 1 || count > 256) return Fail("tokenize");
  trit_session* session = trit_session_new(model);
  if (session == NULL) return Fail("session");
  const float* logits = trit_feed(session, ids, count);
  if (logits == NULL) return Fail("feed");
  const size_t bytes = (size_t)trit_vocabulary(model) * sizeof(float);
  float* first = malloc(bytes);
  if (first == NULL) return 1;
  memcpy(first, logits, bytes);
  for (int i = 0; i < 16; ++i) {
    const int32_t id = trit_sample(session, NULL);
    if (id < 0) return Fail("sample");
    char text[64];
    const int32_t n = trit_token_bytes(model, id, text, sizeof(text));
    if (n < 0) return Fail("token_bytes");
    fwrite(text, 1, n < 64 ? (size_t)n : 64, stdout);
    if (trit_feed(session, &id, 1) == NULL) return Fail("feed");
  }
  printf("\n");
  if (trit_session_length(session) != count + 16) return Fail("length");
  if (trit_session_truncate(session, count - 1) != 0) return Fail("truncate");
  logits = trit_feed(session, &ids[count - 1], 1);
  if (logits == NULL || memcmp(first, logits, bytes) != 0) return Fail("other logits than before");
  const int32_t wrong = trit_vocabulary(model);
  if (trit_feed(session, &wrong, 1) != NULL) return Fail("a wrong id was accepted");
  free(first);
  trit_session_free(session);
  trit_free(model);
  return 0;
}
