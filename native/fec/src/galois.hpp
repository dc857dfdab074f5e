// GF(2^8) as RFC 5510 section 8.1 defines it: polynomial x^8+x^4+x^3+x^2+1 (0x11D), generator alpha = 2.
// ISA-L computes in the same field, so a coefficient made here means the same to its kernels.
#pragma once

#include <array>
#include <cstdint>

namespace streamverse::fec {

inline constexpr unsigned kFieldPolynomial = 0x11D;
inline constexpr unsigned kFieldOrder = 255;  // of the multiplicative group

struct GaloisTables {
    std::array<uint8_t, 4 * kFieldOrder>
        exponent{};  // repeated, so that a sum of four logarithms needs no modulo
    std::array<uint8_t, 256> logarithm{};
};

consteval GaloisTables MakeGaloisTables() {
    GaloisTables tables;
    unsigned value = 1;
    for (unsigned power = 0; power < kFieldOrder; ++power) {
        tables.exponent[power] = static_cast<uint8_t>(value);
        for (unsigned turn = 1; turn < 4; ++turn) {
            tables.exponent[power + turn * kFieldOrder] = static_cast<uint8_t>(value);
        }
        tables.logarithm[value] = static_cast<uint8_t>(power);
        value <<= 1;
        if (value & 0x100) {
            value ^= kFieldPolynomial;
        }
    }
    return tables;
}

inline constexpr GaloisTables kGalois = MakeGaloisTables();

constexpr uint8_t Multiply(uint8_t left, uint8_t right) {
    if (left == 0 || right == 0) {
        return 0;
    }
    return kGalois.exponent[static_cast<unsigned>(kGalois.logarithm[left]) + kGalois.logarithm[right]];
}

// The inverse of 0 does not exist; callers never ask for it.
constexpr uint8_t Invert(uint8_t value) {
    return kGalois.exponent[kFieldOrder - kGalois.logarithm[value]];
}

// alpha^power
constexpr uint8_t AlphaPower(unsigned power) {
    return kGalois.exponent[power % kFieldOrder];
}

}  // namespace streamverse::fec
