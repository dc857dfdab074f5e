// What the core throws. `code` is stable and is what JavaScript sees; the text says what the system said.
#pragma once

#include <stdexcept>
#include <string>

namespace streamverse::dvb {

class DvbError : public std::runtime_error {
 public:
    DvbError(const char* code, const std::string& message) : std::runtime_error(message), code_(code) {}
    const char* code() const { return code_; }

 private:
    const char* code_;
};

// The code that stands for an errno: a device that is taken, gone or refuses is three different things to do.
DvbError SystemFault(const std::string& what, int error);

}  // namespace streamverse::dvb
