#include "model/tokenizer/splitter.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <string>

#include "model/tokenizer/utf8.h"
#include "targets/base/error.h"

namespace trit {

struct Splitter::Impl {
  pcre2_code* code = nullptr;
  bool jit = false;
  ~Impl() { pcre2_code_free(code); }
};

class SplitState {
 public:
  pcre2_match_data* data = nullptr;
  pcre2_match_context* context = nullptr;
  pcre2_jit_stack* stack = nullptr;
  ~SplitState() {
    pcre2_match_data_free(data);
    pcre2_match_context_free(context);
    pcre2_jit_stack_free(stack);
  }
};

void DestroySplitState(SplitState* state) {
  delete state;
}

Splitter::Splitter(std::string_view pattern) : impl_(std::make_unique<Impl>()) {
  int error = 0;
  size_t offset = 0;
  impl_->code = pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                              PCRE2_UTF | PCRE2_UCP | PCRE2_ANCHORED, &error, &offset, nullptr);
  if (impl_->code == nullptr) {
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(error, message, sizeof(message));
    throw Error(Join("the pre-tokenizer pattern does not compile: ",
                     reinterpret_cast<const char*>(message), " at ", offset));
  }
  impl_->jit = pcre2_jit_compile(impl_->code, PCRE2_JIT_COMPLETE) == 0;
}

Splitter::~Splitter() = default;

SplitStatePtr Splitter::NewState() const {
  SplitStatePtr state(new SplitState);
  state->data = pcre2_match_data_create(1, nullptr);
  state->context = pcre2_match_context_create(nullptr);
  // The patterns need a few hundred bytes; the interpreter (no JIT) counts backtracks instead.
  state->stack = pcre2_jit_stack_create(32 << 10, 1 << 20, nullptr);
  pcre2_jit_stack_assign(state->context, nullptr, state->stack);
  return state;
}

size_t Splitter::Next(std::string_view text, size_t begin, SplitState* state) const {
  const auto* subject = reinterpret_cast<PCRE2_SPTR>(text.data());
  const int found = impl_->jit ? pcre2_jit_match(impl_->code, subject, text.size(), begin,
                                                 PCRE2_NO_UTF_CHECK, state->data, state->context)
                               : pcre2_match(impl_->code, subject, text.size(), begin,
                                             PCRE2_NO_UTF_CHECK, state->data, state->context);
  if (found >= 0) {
    const size_t end = pcre2_get_ovector_pointer(state->data)[1];
    if (end > begin) return end;
  } else if (found != PCRE2_ERROR_NOMATCH) {
    PCRE2_UCHAR message[256];
    pcre2_get_error_message(found, message, sizeof(message));
    throw Error(Join("pre-tokenizing failed at byte ", begin, ": ",
                     reinterpret_cast<const char*>(message)));
  }
  return begin + Utf8Length(text.substr(begin));
}

}  // namespace trit
