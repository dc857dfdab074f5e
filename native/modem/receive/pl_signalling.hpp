// The PLHEADER as a receiver meets it: which of the 256 it is, and how much the symbols are like it.
#pragma once

#include <array>
#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "modem/src/tables.hpp"

namespace streamverse::modem::receive {

using Complex = std::complex<float>;

struct HeaderMatch {
    uint8_t pls = 0;
    float likeness = 0;   // 0 to 1: of noise at most about 0.4, without noise 1
    float frequency = 0;  // radians a symbol
    Complex sum{0, 0};    // of the 90 symbols, turned back
};

// The 90 symbols, of unit energy.
std::array<Complex, kHeaderSymbols> HeaderSymbols(uint8_t pls);

// The best match at one of `steps` frequencies on either side of `frequency`.
HeaderMatch MatchHeader(std::span<const Complex> symbols, float frequency, float step, int steps);

struct HeaderCandidate {
    size_t symbol;
    float frequency;
    float strength;
};

// Where a header may begin: the `most` positions whose steps from symbol to symbol are most like a header's.
// These need no carrier: a frequency turns all of them alike.
std::vector<HeaderCandidate> FindHeaders(std::span<const Complex> symbols, size_t most);

}  // namespace streamverse::modem::receive
