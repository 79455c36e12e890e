// Objects in this process: LLVM's ORC linker. What is run here is byte for byte the object that
// libraries ship.
#pragma once

#include <memory>
#include <string>

namespace trit {

class LoadedObject {
 public:
  // Throws trit::Error naming `what`.
  LoadedObject(const std::string& object, const std::string& what);
  ~LoadedObject();
  LoadedObject(const LoadedObject&) = delete;
  LoadedObject& operator=(const LoadedObject&) = delete;

  void* Symbol(const std::string& name) const;  // throws when there is none

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace trit
