#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace streamverse::flute {

// Base64 of exactly `size` bytes; empty for anything else.
[[nodiscard]] std::string DecodeBase64(std::string_view text, size_t size);

}  // namespace streamverse::flute
