#include "model/capi/trit.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "model/sampling/sampler.h"
#include "model/session/model.h"
#include "targets/base/error.h"

struct trit_model {
  std::unique_ptr<trit::Model> model;
  std::vector<int32_t> stops;
};

struct trit_session {
  trit_session(trit_model* owner) : model(owner), session(*owner->model) {}
  trit_model* model;
  trit::Session session;
  float* logits = nullptr;
  std::optional<trit::Sampler> sampler;
  trit_sampling_options sampling = {};
};

namespace {

thread_local std::string last_error;

// No exception leaves the library.
template <typename R, typename F>
R Guarded(R failed, const F& body) {
  try {
    return body();
  } catch (const std::bad_alloc&) {
    last_error = "the system has no memory left";
  } catch (const std::exception& e) {
    last_error = e.what();
  }
  return failed;
}

void Need(bool condition, const char* what) {
  if (!condition) throw trit::Error(what);
}

// The caller's struct, whatever version it was compiled with; missing fields are zero.
template <typename T>
T Copied(const T* options) {
  T out{};
  if (options != nullptr) {
    Need(options->struct_bytes >= sizeof(uint32_t), "struct_bytes of the options is not set");
    std::memcpy(&out, options, std::min<size_t>(options->struct_bytes, sizeof(T)));
  }
  return out;
}

std::string Text(const char* text) {
  return text == nullptr ? "" : text;
}

}  // namespace

extern "C" {

const char* trit_version(void) {
  return TRIT_VERSION;
}
const char* trit_last_error(void) {
  return last_error.c_str();
}

trit_model* trit_load(const char* path, const trit_load_options* given) {
  return Guarded<trit_model*>(nullptr, [&] {
    Need(path != nullptr, "trit_load needs a path");
    const trit_load_options in = Copied(given);
    trit::ModelOptions options;
    options.threads = in.threads;
    options.context = in.context;
    if (in.batch != 0) options.batch = in.batch;
    if (in.kv != nullptr) options.kv = trit::ops::ParseKvType(in.kv);
    options.head = Text(in.head);
    options.isa = Text(in.isa);
    if (in.no_cache != 0) options.cache_folder = "";
    auto out = std::make_unique<trit_model>();
    out->model = trit::Model::Load(path, options);
    if (out->model->has_tokenizer()) out->stops = out->model->StopTokens();
    return out.release();
  });
}

void trit_free(trit_model* model) {
  delete model;
}
int32_t trit_vocabulary(const trit_model* model) {
  return model == nullptr ? -1 : model->model->config().vocabulary;
}
int32_t trit_context(const trit_model* model) {
  return model == nullptr ? -1 : model->model->context();
}

int32_t trit_tokenize(trit_model* model, const char* text, int32_t add_special, int32_t* ids,
                      int32_t capacity) {
  return Guarded<int32_t>(-1, [&] {
    Need(model != nullptr && text != nullptr && (ids != nullptr || capacity <= 0),
         "trit_tokenize needs a model, a text and room for ids");
    const auto found = model->model->tokenizer().Encode(text, {.add_special = add_special != 0});
    const auto fits = std::min<size_t>(found.size(), static_cast<size_t>(std::max(capacity, 0)));
    std::copy_n(found.begin(), fits, ids);
    return static_cast<int32_t>(found.size());
  });
}

int32_t trit_token_bytes(trit_model* model, int32_t id, char* bytes, int32_t capacity) {
  return Guarded<int32_t>(-1, [&] {
    Need(model != nullptr && (bytes != nullptr || capacity <= 0),
         "trit_token_bytes needs a model and room");
    const std::string& text = model->model->tokenizer().Bytes(id);
    const auto fits = std::min<size_t>(text.size(), static_cast<size_t>(std::max(capacity, 0)));
    std::copy_n(text.begin(), fits, bytes);
    return static_cast<int32_t>(text.size());
  });
}

int32_t trit_is_stop(trit_model* model, int32_t id) {
  return model != nullptr &&
         std::find(model->stops.begin(), model->stops.end(), id) != model->stops.end();
}

trit_session* trit_session_new(trit_model* model) {
  return Guarded<trit_session*>(nullptr, [&] {
    Need(model != nullptr, "trit_session_new needs a model");
    return new trit_session(model);
  });
}
void trit_session_free(trit_session* session) {
  delete session;
}
int32_t trit_session_length(const trit_session* session) {
  return session == nullptr ? -1 : static_cast<int32_t>(session->session.length());
}

const float* trit_feed(trit_session* session, const int32_t* ids, int32_t count) {
  return Guarded<const float*>(nullptr, [&] {
    Need(session != nullptr && ids != nullptr && count > 0, "trit_feed needs a session and ids");
    session->logits = nullptr;
    session->logits = session->session.Feed({ids, static_cast<size_t>(count)});
    return session->logits;
  });
}

int32_t trit_sample(trit_session* session, const trit_sampling_options* given) {
  return Guarded<int32_t>(-1, [&] {
    Need(session != nullptr && session->logits != nullptr, "trit_sample needs trit_feed before it");
    trit_sampling_options in = Copied(given);
    in.struct_bytes = sizeof(in);
    if (!session->sampler || std::memcmp(&in, &session->sampling, sizeof(in)) != 0) {
      trit::SamplingOptions options;
      options.temperature = in.temperature;
      options.top_k = in.top_k;
      if (in.top_p > 0) options.top_p = in.top_p;
      options.min_p = in.min_p;
      if (in.repeat_penalty > 0) options.repeat_penalty = in.repeat_penalty;
      options.seed = in.seed;
      session->sampler.emplace(options);
      for (const int32_t id : session->session.tokens()) session->sampler->Accept(id, false);
      session->sampling = in;
    }
    const int32_t id = session->sampler->Sample(
        {session->logits, static_cast<size_t>(session->model->model->config().vocabulary)});
    session->sampler->Accept(id, true);
    return id;
  });
}

int32_t trit_session_truncate(trit_session* session, int32_t length) {
  return Guarded<int32_t>(-1, [&] {
    Need(session != nullptr && length >= 0, "trit_session_truncate needs a session and a length");
    session->session.Truncate(length);
    session->logits = nullptr;
    return 0;
  });
}

int32_t trit_session_save(const trit_session* session, const char* path) {
  return Guarded<int32_t>(-1, [&] {
    Need(session != nullptr && path != nullptr, "trit_session_save needs a session and a path");
    session->session.Save(path);
    return 0;
  });
}

int32_t trit_session_load(trit_session* session, const char* path) {
  return Guarded<int32_t>(-1, [&] {
    Need(session != nullptr && path != nullptr, "trit_session_load needs a session and a path");
    session->session.Load(path);
    session->logits = nullptr;
    return 0;
  });
}

}  // extern "C"
