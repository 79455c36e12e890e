#include "autotune/measure/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>

#include "targets/base/error.h"

namespace trit {
namespace {

using Json = nlohmann::json;

constexpr size_t kLongestAnswer = 1 << 20;

double NowS() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration<double>(now).count();
}

std::string SignalText(int number) {
  const char* name = sigabbrev_np(number);
  return name ? Join("SIG", std::string_view(name)) : Join("signal ", number);
}

}  // namespace

CandidateProcess::CandidateProcess(const std::vector<std::string>& command) {
  int to[2], from[2];
  if (pipe2(to, O_CLOEXEC) != 0) throw Error(Join("no pipe: ", std::strerror(errno), "."));
  if (pipe2(from, O_CLOEXEC) != 0) {
    close(to[0]), close(to[1]);
    throw Error(Join("no pipe: ", std::strerror(errno), "."));
  }
  std::vector<char*> arguments;
  for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  const pid_t parent = getpid();
  pid_ = fork();
  if (pid_ == 0) {
    // Only calls that are safe between fork and exec.
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(126);
    signal(SIGINT, SIG_IGN);  // Ctrl-C is for the tuner, which ends its children itself
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(to[0], 0);
    dup2(from[1], 1);
    // What compilers and kernels say goes nowhere: a progress line is on the terminal.
    const int nowhere = open("/dev/null", O_WRONLY);
    if (nowhere >= 0) dup2(nowhere, 2);
    execvp(arguments[0], arguments.data());
    _exit(127);
  }
  close(to[0]);
  close(from[1]);
  to_child_ = to[1];
  from_child_ = from[0];
  if (pid_ < 0) {
    close(to_child_), close(from_child_);
    throw Error(Join("no measuring process: ", std::strerror(errno), "."));
  }
  fcntl(from_child_, F_SETFL, O_NONBLOCK);
}

CandidateProcess::~CandidateProcess() {
  if (pid_ > 0) {
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
  }
  close(to_child_);
  close(from_child_);
}

void CandidateProcess::Send(const Json& request, double limit_s) {
  question_ = request.at("do");
  limit_s_ = limit_s;
  asked_at_ = NowS();
  if (dead()) return;
  const std::string text = request.dump() + "\n";
  // A child that died leaves a broken pipe; Poll finds out how.
  struct sigaction ignore = {}, before = {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, &before);
  size_t done = 0;
  while (done < text.size()) {
    const ssize_t wrote = write(to_child_, text.data() + done, text.size() - done);
    if (wrote < 0 && errno == EINTR) continue;
    if (wrote <= 0) break;
    done += static_cast<size_t>(wrote);
  }
  sigaction(SIGPIPE, &before, nullptr);
}

bool CandidateProcess::Poll(Json* answer) {
  for (;;) {
    if (dead()) {
      *answer = FaultAnswer();
      return true;
    }
    const size_t end = buffer_.find('\n');
    if (end != std::string::npos) {
      Json parsed = Json::parse(buffer_.substr(0, end), nullptr, false);
      buffer_.erase(0, end + 1);
      // Kernels may write to the standard output by mistake; an answer is an object with "ok".
      if (!parsed.is_object() || !parsed.contains("ok") || !parsed["ok"].is_boolean()) continue;
      *answer = std::move(parsed);
      return true;
    }
    char chunk[4096];
    const ssize_t got = read(from_child_, chunk, sizeof(chunk));
    if (got > 0 && buffer_.size() < kLongestAnswer) {
      buffer_.append(chunk, static_cast<size_t>(got));
      continue;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) {
      if (NowS() - asked_at_ <= limit_s_) return false;
      Bury(/*killed_for_time=*/true);
      continue;
    }
    Bury(/*killed_for_time=*/got > 0);
  }
}

void CandidateProcess::Bury(bool killed_for_time) {
  if (killed_for_time) kill(pid_, SIGKILL);
  int status = 0;
  waitpid(pid_, &status, 0);
  pid_ = -1;
  if (killed_for_time) {
    fault_ = {CheckStatus::kHang, Join("no answer to \"", question_, "\" within ", limit_s_, " s")};
  } else if (WIFSIGNALED(status)) {
    fault_ = {CheckStatus::kCrash,
              Join("killed by ", SignalText(WTERMSIG(status)), " during \"", question_, "\"")};
  } else {
    fault_ = {CheckStatus::kCrash, Join("the process ended with code ", WEXITSTATUS(status),
                                        " during \"", question_, "\"")};
  }
}

Json CandidateProcess::FaultAnswer() const {
  return {{"ok", false}, {"status", CheckStatusName(fault_.status)}, {"detail", fault_.detail}};
}

Json CandidateProcess::Ask(const Json& request, double limit_s) {
  Send(request, limit_s);
  return Gather({this}).front();
}

void WaitForAny(const std::vector<CandidateProcess*>& processes) {
  std::vector<pollfd> waiting;
  for (const CandidateProcess* process : processes) waiting.push_back({process->fd(), POLLIN, 0});
  poll(waiting.data(), waiting.size(), 50);
}

std::vector<Json> Gather(const std::vector<CandidateProcess*>& processes) {
  std::vector<Json> answers(processes.size());
  std::vector<bool> done(processes.size(), false);
  for (;;) {
    std::vector<CandidateProcess*> waiting;
    for (size_t i = 0; i < processes.size(); ++i) {
      if (!done[i] && processes[i]->Poll(&answers[i])) done[i] = true;
      if (!done[i]) waiting.push_back(processes[i]);
    }
    if (waiting.empty()) return answers;
    WaitForAny(waiting);
  }
}

CheckStatus StatusOfAnswer(const Json& answer) {
  if (answer.value("ok", false)) return CheckStatus::kOk;
  const std::string name = answer.value("status", "");
  for (const CheckStatus status : {CheckStatus::kWrong, CheckStatus::kCrash, CheckStatus::kHang,
                                   CheckStatus::kCompileFailed, CheckStatus::kRefused}) {
    if (name == CheckStatusName(status)) return status;
  }
  throw Error(Join("A measuring process answered with the unknown status \"", name, "\"."));
}

}  // namespace trit
