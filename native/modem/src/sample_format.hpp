// Points as bytes for whoever takes them.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "modem/src/tables.hpp"

namespace streamverse::modem {

enum class SampleFormat : uint8_t {
    kFloat,    // two little-endian floats
    kInteger,  // two little-endian 16-bit integers
};

// Of a unit amplitude, in integers: 12 dB below the largest, which the peaks of shaped 256APSK stay under.
inline constexpr float kUnitInteger = 8192;

inline constexpr unsigned SampleBytes(SampleFormat format) {
    return format == SampleFormat::kFloat ? 8 : 4;
}

// Appends them. What is too large for an integer becomes the largest.
void FormatSamples(std::span<const Point> samples, SampleFormat format, std::vector<uint8_t>& bytes);

}  // namespace streamverse::modem
