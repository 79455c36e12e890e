// What the server needs of a model: a few sequences ("slots") that advance together, one forward
// pass a step. The scheduler is written and tested against this interface alone.
//
// Threads: Facts, Tokenize, TokenBytes and ChatPrompt may be called from any thread at any time;
// everything else only from the scheduler's thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace trit::serve {

struct ChatMessage {
  std::string role;  // system, user or assistant
  std::string content;
};

struct EngineFacts {
  std::string model_id;      // what /v1/models lists
  std::string architecture;  // as the file says
  std::string path;
  std::string chat_template;  // for people; ChatPrompt decides
  std::string target;         // the instruction set the kernels were chosen for
  int64_t parameters = 0;
  int64_t file_bytes = 0;
  int vocabulary = 0;
  int context = 0;  // longest sequence, prompt and answer together
  int slots = 0;    // sequences that can be open at once
  int threads = 0;
  std::vector<int32_t> stop_tokens;
  std::vector<std::string> kernels;  // one line each, e.g. "ffn_gate_up m=1: lut3w_…"
};

// The next tokens of one open slot. A decode item has one token, a prefill chunk has many.
struct StepItem {
  int slot = 0;
  std::span<const int32_t> tokens;
  bool want_logits = false;  // of the item's last token
};

struct CacheUse {
  int64_t used_tokens = 0;   // of open slots and of kept prefixes
  int64_t total_tokens = 0;  // what the cache can hold
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual const EngineFacts& Facts() const = 0;

  // parse_special: text such as "<|eot_id|>" becomes the control token it names.
  virtual std::vector<int32_t> Tokenize(std::string_view text, bool add_bos,
                                        bool parse_special) const = 0;
  // The bytes of a token, not always whole UTF-8 characters. Control tokens are empty unless
  // render_special. Unknown ids are an Error.
  virtual std::string TokenBytes(int32_t token, bool render_special) const = 0;
  // The prompt that asks for the next assistant message. Message text never becomes control
  // tokens.
  virtual std::vector<int32_t> ChatPrompt(std::span<const ChatMessage> messages) const = 0;

  // Starts a sequence in a free slot and sets cache room aside for `capacity` tokens (prompt and
  // answer). Returns how many tokens of the prompt are in the cache already, shared with an
  // earlier sequence that began alike: those must not be stepped again. Always less than the
  // prompt, so that its last token still gives logits. nullopt: no room now.
  virtual std::optional<int> Open(int slot, std::span<const int32_t> prompt, int capacity) = 0;

  // One forward pass over all items (each slot at most once, slots open, capacity not exceeded).
  // Returns a row of Facts().vocabulary logits for each item that wants them, in the items'
  // order, the scheduler's to scribble on until the next call. A slot's logits depend on the
  // slot's tokens alone: not on the other items, nor on how its tokens were cut into steps.
  virtual std::span<float> Step(std::span<const StepItem> items) = 0;

  // Ends a slot's sequence. The engine may keep its cache for later prompts that begin alike, and
  // drops such kept prefixes itself when Open needs the room.
  virtual void Close(int slot) = 0;

  virtual CacheUse Cache() const = 0;
};

}  // namespace trit::serve
