// The checksums of the DVB link layer. Neither is a loop over a table: CRC-32 folds by wide carry-less
// products where the processor has them and is ISA-L's elsewhere, CRC-8 folds by carry-less products.
#pragma once

#include <cstddef>
#include <cstdint>

namespace streamverse::link {

// CRC-32/MPEG-2 of sections, SNDUs and GSE PDUs (EN 301 192, RFC 4326, TS 102 606-1): of everything with its
// own CRC behind it, 0. `before` is the result for the bytes in front of these.
uint32_t Crc32(const uint8_t* bytes, size_t size, uint32_t before = 0xFFFFFFFF);

// The same by ISA-L, for other processors and to compare with.
uint32_t Crc32ByLibrary(const uint8_t* bytes, size_t size, uint32_t before = 0xFFFFFFFF);

// CRC-8 of a BBHEADER and of user packets (EN 302 307-1, 5.1.4): x^8 + x^7 + x^6 + x^4 + x^2 + 1.
uint8_t Crc8(const uint8_t* bytes, size_t size);

// The same by a table, for processors without carry-less products and to compare with.
uint8_t Crc8ByTable(const uint8_t* bytes, size_t size);

}  // namespace streamverse::link
