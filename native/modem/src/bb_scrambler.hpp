// The randomiser of a BBFRAME (EN 302 307-1, 5.2.2).
#pragma once

#include <cstdint>

namespace streamverse::modem {

// Adds the sequence 1 + x^14 + x^15, begun anew, to `bits` bits; what a byte holds beyond them is left.
void ScrambleBbFrame(uint8_t* bytes, unsigned bits);

}  // namespace streamverse::modem
