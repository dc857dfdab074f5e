// The LCT header of RFC 5651 with FLUTE's extensions, as a view into a datagram.
#pragma once

#include <cstdint>
#include <optional>

#include "flute/src/big_endian.hpp"
#include "flute/src/toi.hpp"

namespace streamverse::flute {

// EXT_FDT (RFC 3926 / RFC 6726 section 3.4.1).
struct FdtHeader {
    uint8_t version = 0;
    uint32_t instanceId = 0;
};

// Spans point into the datagram that was parsed.
struct LctPacket {
    uint64_t tsi = 0;
    Toi toi;
    bool hasToi = false;
    uint8_t codepoint = 0;
    bool closeSession = false;
    bool closeObject = false;
    std::optional<FdtHeader> fdt;
    uint8_t contentEncoding = 0;
    Bytes fti;                            // After HET and HEL; empty when absent.
    std::optional<int64_t> senderTimeMs;  // Unix ms of EXT_TIME's Sender Current Time.
    Bytes payload;                        // FEC payload id and encoding symbols.
};

// False for anything that is not a well-formed LCT version 1 packet; never reads outside `datagram`.
[[nodiscard]] bool ParseLct(Bytes datagram, LctPacket& packet);

}  // namespace streamverse::flute
