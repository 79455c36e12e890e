// The parent's end of a measuring child: starts it, asks it, kills it when its time is over, and
// says how it died.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/records/record.h"

namespace trit {

struct ChildFault {
  CheckStatus status = CheckStatus::kOk;
  std::string detail;  // "killed by SIGILL", "no answer to load in 20 s", ...
};

class CandidateProcess {
 public:
  // Runs `command` (a program and its arguments) with pipes as its input and output. It dies with
  // this process and does not see Ctrl-C. Throws Error when it cannot be started.
  explicit CandidateProcess(const std::vector<std::string>& command);
  ~CandidateProcess();
  CandidateProcess(const CandidateProcess&) = delete;
  CandidateProcess& operator=(const CandidateProcess&) = delete;

  // Asks without waiting. One question at a time.
  void Send(const nlohmann::json& request, double limit_s);
  // The answer when there is one; false while there is none and time is left. Once it died or ran
  // out of time `fault()` says so, and every later question is answered by that.
  bool Poll(nlohmann::json* answer);
  // Sends and waits.
  nlohmann::json Ask(const nlohmann::json& request, double limit_s);

  int fd() const { return from_child_; }  // readable when there is something to Poll
  bool dead() const { return fault_.status != CheckStatus::kOk; }
  const ChildFault& fault() const { return fault_; }

 private:
  void Bury(bool killed_for_time);
  nlohmann::json FaultAnswer() const;

  int pid_ = -1;
  int to_child_ = -1, from_child_ = -1;
  std::string buffer_, question_;
  double asked_at_ = 0, limit_s_ = 0;
  ChildFault fault_;
};

// Waits until one of them has something to Poll; wakes now and then because of the time limits.
void WaitForAny(const std::vector<CandidateProcess*>& processes);

// Waits until every process has answered what it was sent, or failed.
std::vector<nlohmann::json> Gather(const std::vector<CandidateProcess*>& processes);

// "wrong" -> kWrong ...; throws for an unknown name.
CheckStatus StatusOfAnswer(const nlohmann::json& answer);

}  // namespace trit
