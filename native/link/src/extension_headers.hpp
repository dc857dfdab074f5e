// The types of SNDUs and GSE packets, and the extension headers that both may have (RFC 4326, 5; TS 102
// 606-1).
#pragma once

#include <optional>

#include "link/src/byte_order.hpp"

namespace streamverse::link {

// Skips what may be skipped: optional extensions, and the MAC header of a bridged frame. Answers the IP
// datagram; none when there is something else.
inline std::optional<Bytes> SkipExtensions(unsigned type, Bytes payload) {
    constexpr unsigned kExtensionsEnd = 0x600;
    constexpr unsigned kBridged = 1;
    constexpr size_t kMacAddressesBytes = 12;
    while (type < kExtensionsEnd) {
        // H-LEN counts 16-bit words, the next type among them; 0 says that it may not be skipped.
        const size_t words = type >> 8;
        const size_t bytes = type == kBridged ? kMacAddressesBytes + 2 : words * 2;
        if (bytes == 0 || bytes > payload.size()) {
            return std::nullopt;
        }
        type = Read16(payload.data() + bytes - 2);
        payload = payload.subspan(bytes);
    }
    constexpr unsigned kIpv4 = 0x0800;
    constexpr unsigned kIpv6 = 0x86DD;
    return type == kIpv4 || type == kIpv6 ? std::optional(payload) : std::nullopt;
}

}  // namespace streamverse::link
