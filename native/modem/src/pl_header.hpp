// The PLHEADER (EN 302 307-1, 5.5.2; EN 302 307-2, 5.5.2): SOF and PLSCODE by pi/2 BPSK.
#pragma once

#include <cstdint>

#include "modem/src/tables.hpp"

namespace streamverse::modem {

// The 64 bits that tell a PLS value (0..255), scrambled, the first sent most significant.
uint64_t PlsCode(uint8_t pls);

// Writes 90 symbols of unit energy.
void MakePlHeader(uint8_t pls, Point* symbols);

}  // namespace streamverse::modem
