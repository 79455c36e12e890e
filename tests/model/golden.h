// The bundled model's greedy text: what it should say (bundled_greedy.json), what it says.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "model/session/model.h"

namespace trit::golden {

inline const std::string kAnswers =
    std::string(TRIT_SOURCE_DIR) + "/tests/model/bundled_greedy.json";

// An array of {chat, prompt, answer}; answer null: two words are too close to call.
nlohmann::ordered_json Answers();

// The bundled model on two threads; isa "" is what this CPU does best.
std::unique_ptr<Model> Load(const std::string& isa);

std::string Answer(Model& model, const nlohmann::ordered_json& entry);

}  // namespace trit::golden
