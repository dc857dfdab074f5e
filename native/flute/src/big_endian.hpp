// Network byte order out of a span that the caller has already measured.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace streamverse::flute {

using Bytes = std::span<const uint8_t>;

[[nodiscard]] inline uint64_t ReadBigEndian(Bytes bytes) {
    uint64_t value = 0;
    for (const uint8_t byte : bytes) {
        value = value << 8 | byte;
    }
    return value;
}

}  // namespace streamverse::flute
