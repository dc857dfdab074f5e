// Network byte order, of bytes that the caller has already measured.
#pragma once

#include <cstdint>
#include <span>

namespace streamverse::link {

using Bytes = std::span<const uint8_t>;

inline uint16_t Read16(const uint8_t* at) {
    return static_cast<uint16_t>(at[0] << 8 | at[1]);
}
inline uint32_t Read32(const uint8_t* at) {
    return static_cast<uint32_t>(Read16(at)) << 16 | Read16(at + 2);
}
inline void Write16(uint8_t* at, unsigned value) {
    at[0] = static_cast<uint8_t>(value >> 8);
    at[1] = static_cast<uint8_t>(value);
}
inline void Write32(uint8_t* at, uint32_t value) {
    Write16(at, value >> 16);
    Write16(at + 2, value & 0xFFFF);
}

}  // namespace streamverse::link
