/* trit.h -- run BitNet b1.58 models from C.
 *
 *   trit_model* model = trit_load("model.gguf", NULL);
 *   trit_session* session = trit_session_new(model);
 *   int32_t ids[512];
 *   int32_t n = trit_tokenize(model, "Once upon a time", 1, ids, 512);
 *   const float* logits = trit_feed(session, ids, n);
 *   int32_t next = trit_sample(session, NULL);
 *
 * Functions that can fail return NULL or a negative number; trit_last_error() is then a full
 * sentence (of this thread). A model and its sessions are used by one thread at a time; several
 * models may run in several threads. Strings are UTF-8.
 */
#ifndef TRIT_H_
#define TRIT_H_

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct trit_model trit_model;
typedef struct trit_session trit_session;

/* Zero means the default everywhere. Set struct_bytes to sizeof. */
typedef struct trit_load_options {
  uint32_t struct_bytes;
  int32_t threads;  /* 0 = one a core */
  int32_t context;  /* 0 = the model's own limit */
  int32_t batch;    /* tokens of one forward pass at most; 0 = 256 */
  const char* kv;   /* "f16" (default), "f32", "int8" */
  const char* head; /* NULL = as in the file; "q6_k", ... */
  const char* isa;  /* NULL = this CPU's best target */
  int32_t no_cache; /* 1 = neither read nor write packed weights on disk */
  int32_t reserved; /* 0 */
} trit_load_options;

typedef struct trit_sampling_options {
  uint32_t struct_bytes;
  float temperature;    /* 0 = greedy */
  int32_t top_k;        /* 0 = all */
  float top_p;          /* 0 or 1 = all */
  float min_p;          /* 0 = all */
  float repeat_penalty; /* 0 or 1 = none */
  uint64_t seed;
} trit_sampling_options;

const char* trit_version(void);
const char* trit_last_error(void);

/* A GGUF file or a Hugging Face folder. options may be NULL. */
trit_model* trit_load(const char* path, const trit_load_options* options);
void trit_free(trit_model* model); /* its sessions first */
int32_t trit_vocabulary(const trit_model* model);
int32_t trit_context(const trit_model* model);

/* Writes up to `capacity` ids and returns how many the text has (call again with more room when it
 * is larger), or -1. add_special: BOS and EOS as the vocabulary's rules say. */
int32_t trit_tokenize(trit_model* model, const char* text, int32_t add_special, int32_t* ids,
                      int32_t capacity);
/* The bytes of a token (not always whole characters, never terminated); returns their number. */
int32_t trit_token_bytes(trit_model* model, int32_t id, char* bytes, int32_t capacity);
/* 1 when the id ends a reply, 0 when not. */
int32_t trit_is_stop(trit_model* model, int32_t id);

trit_session* trit_session_new(trit_model* model);
void trit_session_free(trit_session* session);
int32_t trit_session_length(const trit_session* session);
/* Appends tokens (a prompt or one token) and returns the logits after the last one:
 * trit_vocabulary floats that stay valid until the next call on the session. NULL on failure. */
const float* trit_feed(trit_session* session, const int32_t* ids, int32_t count);
/* Chooses from the logits of the last trit_feed. options NULL = greedy. The generator's state lives
 * in the session: it starts anew when the seed changes. Returns the id or -1. */
int32_t trit_sample(trit_session* session, const trit_sampling_options* options);
/* Forgets everything from `length` tokens on. */
int32_t trit_session_truncate(trit_session* session, int32_t length);
int32_t trit_session_save(const trit_session* session, const char* path);
int32_t trit_session_load(trit_session* session, const char* path);

#ifdef __cplusplus
} /* extern "C" */
#endif

#endif /* TRIT_H_ */
