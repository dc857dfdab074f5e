// IP datagrams: their headers around a UDP payload, and what the link layer reads of them.
#pragma once

#include <netinet/in.h>

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "link/src/byte_order.hpp"

namespace streamverse::link {

inline constexpr size_t kIpBytesMax = 65535;
inline constexpr uint16_t kEtherTypeIpv4 = 0x0800;
inline constexpr uint16_t kEtherTypeIpv6 = 0x86DD;

using MacAddress = std::array<uint8_t, 6>;

// Length by its own header and EtherType of the datagram that these bytes begin with; none when they are no
// whole one.
struct IpOutline {
    size_t bytes;
    uint16_t etherType;
};
std::optional<IpOutline> OutlineOf(Bytes datagram);

// Of the group where the destination is one (RFC 1112, RFC 2464), else broadcast. `datagram` has an outline.
MacAddress DestinationMac(Bytes datagram);

// A whole UDP datagram, not a fragment, whose IP header checksum is right.
struct UdpOutline {
    sockaddr_storage destination;  // with its port
    socklen_t destinationLength;
    bool isMulticast;
    Bytes payload;
};
std::optional<UdpOutline> UdpOf(Bytes datagram);

// One end of a UDP flow, in network byte order.
struct UdpEnd {
    bool isIpv4;
    std::array<uint8_t, 16> address;  // IPv4 in the first four
    uint16_t port;                    // host byte order
};
UdpEnd EndOf(const sockaddr* address);

// Writes headers and payload with right checksums; false when the whole would be longer than IP can say.
bool WriteUdpDatagram(const UdpEnd& source, const UdpEnd& destination, Bytes payload, uint16_t identification,
                      std::vector<uint8_t>& datagram);

}  // namespace streamverse::link
