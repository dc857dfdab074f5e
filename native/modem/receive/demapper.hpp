// Symbols to likelihoods of bits, in the order of the FECFRAME; and back to symbols.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "modem/receive/pl_signalling.hpp"
#include "modem/src/tables.hpp"

namespace streamverse::modem::receive {

// The point nearest to it.
const Point& NearestPoint(const Modcod& modcod, Complex symbol);

// nldpc beliefs, positive for a zero, of symbols of unit energy: how much farther the nearest point with a
// one is than the nearest with a zero, by `noise`, the noise's mean energy.
std::vector<float> Demap(const Modcod& modcod, std::span<const Complex> symbols, float noise);

// What should have been received for these bits (one a byte): a point for each symbol that they fill.
std::vector<Complex> MapAgain(const Modcod& modcod, std::span<const uint8_t> bits);

}  // namespace streamverse::modem::receive
