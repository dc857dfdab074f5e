// VL-SNR frames (EN 302 307-2, 5.5.2.5 and 5.5.2.6): what of a code word is sent, and the frame around it.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "modem/src/tables.hpp"

namespace streamverse::modem {

inline constexpr unsigned kVlSnrHeaderSymbols = 900;

// Symbols of the data, spread.
inline unsigned VlSnrDataSymbols(const VlSnr& mode) {
    return mode.modcod.code->nldpc / mode.modcod.bitsPerSymbol * mode.spread;
}

// The bits of a word of the inner code that are sent, packed, the last byte filled with zeros.
std::vector<uint8_t> SelectSent(const VlSnr& mode, const uint8_t* word);

// The label of each data symbol: its bits, or its bit.
void MapVlSnrLabels(const VlSnr& mode, std::span<const uint8_t> sent, uint8_t* labels);

// The point of a data symbol: pi/2 BPSK turns from one to the next.
Point VlSnrPoint(const VlSnr& mode, unsigned symbol, uint8_t label);

// All symbols behind the PLHEADER.
void WriteVlSnrSymbols(const VlSnr& mode, const uint8_t* labels, const uint8_t* rotations, Point* symbols);

}  // namespace streamverse::modem
