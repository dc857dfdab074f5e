// The two scramblers, taken back.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace streamverse::modem::receive {

// Quarter turns by which each symbol behind a PLHEADER was turned (EN 302 307-1, 5.5.4), as many as the
// longest frame has.
std::vector<uint8_t> GoldTurns(uint32_t index, unsigned symbols);

// Takes the sequence of EN 302 307-1, 5.2.2 off the first `bits` bits.
void DescrambleBits(std::span<uint8_t> bytes, unsigned bits);

}  // namespace streamverse::modem::receive
