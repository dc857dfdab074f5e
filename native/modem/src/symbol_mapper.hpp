// FECFRAME to labels: the bit interleaver and the bits of each symbol (EN 302 307-1, 5.3.3 and 5.4).
#pragma once

#include <cstdint>

#include "modem/src/tables.hpp"

namespace streamverse::modem {

// 128APSK fills its last slot: 6 bits make the FECFRAME's bits a multiple of seven, 12 symbols the slot
// whole. The label of these is known from one source only, GNU Radio.
inline constexpr unsigned kFillerSymbols = 12;
inline constexpr uint8_t kFillerLabel = 127;

// Symbols of one XFECFRAME.
inline unsigned SymbolCount(const Modcod& modcod) {
    return unsigned{modcod.slots} * kSlotSymbols;
}

// Writes SymbolCount labels for the nldpc bits at `bytes`; reads up to kSlackBytes more, writes up to 64
// labels more.
void MapToLabels(const Modcod& modcod, const uint8_t* bytes, uint8_t* labels);

}  // namespace streamverse::modem
