// EXT_CENC (RFC 3926 section 3.4.3): the body of an FDT instance, compressed. Bounded: a bomb is refused.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "flute/src/big_endian.hpp"

namespace streamverse::flute {

// Encodings 0 null, 1 ZLIB, 2 DEFLATE, 3 GZIP. Nothing for another one, for a damaged or unended stream, or
// when the result would exceed `bytesMax`.
[[nodiscard]] std::optional<std::string> InflateBody(uint8_t encoding, Bytes body, size_t bytesMax);

}  // namespace streamverse::flute
