// Amplitude, frequency and phase of a frame by the symbols that are known in it.
#pragma once

#include <span>
#include <vector>

#include "modem/receive/pl_signalling.hpp"

namespace streamverse::modem::receive {

// A header or a block of pilots within a frame, and what was sent there.
struct KnownBlock {
    size_t first;
    std::span<const Complex> sent;
};

struct Carrier {
    float amplitude = 1;
    float frequency = 0;  // radians a symbol
    float noise = 1;      // mean energy, of symbols of unit energy
    std::vector<double> blockMiddles;
    std::vector<double> blockPhases;

    // The symbol without amplitude and phase.
    Complex Correct(Complex symbol, double position) const;
};

// Of these symbols, at a frequency near `frequency`. Between blocks the phase runs on a straight line.
Carrier MeasureCarrier(std::span<const Complex> symbols, std::span<const KnownBlock> blocks, float frequency);

}  // namespace streamverse::modem::receive
