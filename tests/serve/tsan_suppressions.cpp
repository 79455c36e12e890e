// The HTTP library comes compiled, without the sanitizer's marks: its function-local constants are
// made once under a guard the sanitizer does not see, and read without one. What it calls (memcpy,
// memcmp) is not looked at; our own code below and above it is.
#if defined(__SANITIZE_THREAD__)
extern "C" const char* __tsan_default_suppressions();
extern "C" const char* __tsan_default_suppressions() {
  return "called_from_lib:libcpp-httplib.so\n";
}
#endif
