#include "link/src/ip_datagram.hpp"

#include <cstring>

namespace streamverse::link {

namespace {

constexpr size_t kIpv4HeaderBytes = 20;
constexpr size_t kIpv6HeaderBytes = 40;
constexpr size_t kUdpHeaderBytes = 8;
constexpr uint8_t kUdp = 17;
constexpr uint8_t kHops = 64;
constexpr uint16_t kDontFragment = 0x4000;
constexpr uint16_t kFragmentMask = 0x3FFF;  // more fragments, and the offset

// Of 16-bit words, eight bytes at a time (RFC 1071, 2); the sum does not mind their order.
uint64_t Sum(Bytes bytes, uint64_t sum) {
    size_t at = 0;
    for (; at + 8 <= bytes.size(); at += 8) {
        sum += static_cast<uint64_t>(Read32(bytes.data() + at)) + Read32(bytes.data() + at + 4);
    }
    for (; at + 2 <= bytes.size(); at += 2) {
        sum += Read16(bytes.data() + at);
    }
    return at < bytes.size() ? sum + (static_cast<uint64_t>(bytes[at]) << 8) : sum;
}

uint16_t Fold(uint64_t sum) {
    while (sum >> 16 != 0) {
        sum = (sum & 0xFFFF) + (sum >> 16);
    }
    return static_cast<uint16_t>(sum);
}

void WriteIpv4Header(uint8_t* at, const UdpEnd& source, const UdpEnd& destination, size_t bytes,
                     uint16_t identification) {
    std::memset(at, 0, kIpv4HeaderBytes);
    at[0] = 0x45;
    Write16(at + 2, static_cast<unsigned>(bytes));
    Write16(at + 4, identification);
    Write16(at + 6, kDontFragment);
    at[8] = kHops;
    at[9] = kUdp;
    std::memcpy(at + 12, source.address.data(), 4);
    std::memcpy(at + 16, destination.address.data(), 4);
    Write16(at + 10, static_cast<uint16_t>(~Fold(Sum({at, kIpv4HeaderBytes}, 0))));
}

void WriteIpv6Header(uint8_t* at, const UdpEnd& source, const UdpEnd& destination, size_t udpBytes) {
    std::memset(at, 0, kIpv6HeaderBytes);
    at[0] = 0x60;
    Write16(at + 4, static_cast<unsigned>(udpBytes));
    at[6] = kUdp;
    at[7] = kHops;
    std::memcpy(at + 8, source.address.data(), 16);
    std::memcpy(at + 24, destination.address.data(), 16);
}

void SetPort(sockaddr_storage& address, uint16_t port) {
    if (address.ss_family == AF_INET) {
        reinterpret_cast<sockaddr_in*>(&address)->sin_port = htons(port);
    } else {
        reinterpret_cast<sockaddr_in6*>(&address)->sin6_port = htons(port);
    }
}

// The transport's part of a whole, unfragmented UDP datagram, and its destination.
std::optional<Bytes> UdpPart(Bytes datagram, UdpOutline& outline) {
    outline.destination = {};
    if (datagram[0] >> 4 == 4) {
        const size_t header = (datagram[0] & 15u) * 4;
        if (datagram[9] != kUdp || (Read16(datagram.data() + 6) & kFragmentMask) != 0 ||
            Fold(Sum(datagram.first(header), 0)) != 0xFFFF) {
            return std::nullopt;
        }
        auto& to = reinterpret_cast<sockaddr_in&>(outline.destination);
        to.sin_family = AF_INET;
        std::memcpy(&to.sin_addr, datagram.data() + 16, 4);
        outline.destinationLength = sizeof(sockaddr_in);
        outline.isMulticast = datagram[16] >> 4 == 14;
        return datagram.subspan(header);
    }
    if (datagram[6] != kUdp) {
        return std::nullopt;
    }
    auto& to = reinterpret_cast<sockaddr_in6&>(outline.destination);
    to.sin6_family = AF_INET6;
    std::memcpy(&to.sin6_addr, datagram.data() + 24, 16);
    outline.destinationLength = sizeof(sockaddr_in6);
    outline.isMulticast = datagram[24] == 0xFF;
    return datagram.subspan(kIpv6HeaderBytes);
}

}  // namespace

std::optional<IpOutline> OutlineOf(Bytes datagram) {
    if (datagram.empty()) {
        return std::nullopt;
    }
    if (datagram[0] >> 4 == 4) {
        const size_t header = (datagram[0] & 15u) * 4;
        if (header < kIpv4HeaderBytes || datagram.size() < header) {
            return std::nullopt;
        }
        const size_t bytes = Read16(datagram.data() + 2);
        return bytes >= header && bytes <= datagram.size() ? std::optional(IpOutline{bytes, kEtherTypeIpv4})
                                                           : std::nullopt;
    }
    if (datagram[0] >> 4 != 6 || datagram.size() < kIpv6HeaderBytes) {
        return std::nullopt;
    }
    const size_t bytes = kIpv6HeaderBytes + Read16(datagram.data() + 4);
    return bytes <= datagram.size() ? std::optional(IpOutline{bytes, kEtherTypeIpv6}) : std::nullopt;
}

MacAddress DestinationMac(Bytes datagram) {
    const uint8_t* to = datagram.data() + (datagram[0] >> 4 == 4 ? 16 : 24);
    if (datagram[0] >> 4 == 4 && to[0] >> 4 == 14) {
        return {0x01, 0x00, 0x5E, static_cast<uint8_t>(to[1] & 0x7F), to[2], to[3]};
    }
    if (datagram[0] >> 4 == 6 && to[0] == 0xFF) {
        return {0x33, 0x33, to[12], to[13], to[14], to[15]};
    }
    return {0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF};
}

std::optional<UdpOutline> UdpOf(Bytes datagram) {
    const auto ip = OutlineOf(datagram);
    if (!ip.has_value()) {
        return std::nullopt;
    }
    UdpOutline outline{};
    const auto part = UdpPart(datagram.first(ip->bytes), outline);
    if (!part.has_value() || part->size() < kUdpHeaderBytes) {
        return std::nullopt;
    }
    const size_t udpBytes = Read16(part->data() + 4);
    const uint16_t port = Read16(part->data() + 2);
    if (udpBytes < kUdpHeaderBytes || udpBytes > part->size() || port == 0) {
        return std::nullopt;
    }
    SetPort(outline.destination, port);
    outline.payload = part->first(udpBytes).subspan(kUdpHeaderBytes);
    return outline;
}

UdpEnd EndOf(const sockaddr* address) {
    UdpEnd end{};
    end.isIpv4 = address->sa_family == AF_INET;
    if (end.isIpv4) {
        const auto* from = reinterpret_cast<const sockaddr_in*>(address);
        std::memcpy(end.address.data(), &from->sin_addr, 4);
        end.port = ntohs(from->sin_port);
    } else {
        const auto* from = reinterpret_cast<const sockaddr_in6*>(address);
        std::memcpy(end.address.data(), &from->sin6_addr, 16);
        end.port = ntohs(from->sin6_port);
    }
    return end;
}

bool WriteUdpDatagram(const UdpEnd& source, const UdpEnd& destination, Bytes payload, uint16_t identification,
                      std::vector<uint8_t>& datagram) {
    const size_t header = destination.isIpv4 ? kIpv4HeaderBytes : kIpv6HeaderBytes;
    const size_t udpBytes = kUdpHeaderBytes + payload.size();
    if (source.isIpv4 != destination.isIpv4 || header + udpBytes > kIpBytesMax) {
        return false;
    }
    datagram.resize(header + udpBytes);
    uint8_t* const at = datagram.data();
    if (destination.isIpv4) {
        WriteIpv4Header(at, source, destination, datagram.size(), identification);
    } else {
        WriteIpv6Header(at, source, destination, udpBytes);
    }
    uint8_t* const udp = at + header;
    Write16(udp, source.port);
    Write16(udp + 2, destination.port);
    Write16(udp + 4, static_cast<unsigned>(udpBytes));
    Write16(udp + 6, 0);
    if (!payload.empty()) {
        std::memcpy(udp + kUdpHeaderBytes, payload.data(), payload.size());
    }
    const size_t address = destination.isIpv4 ? 4 : 16;
    uint64_t sum = Sum({source.address.data(), address}, 0);
    sum = Sum({destination.address.data(), address}, sum) + kUdp + udpBytes;
    const auto checksum = static_cast<uint16_t>(~Fold(Sum({udp, udpBytes}, sum)));
    // 0 would say that there is none.
    Write16(udp + 6, checksum == 0 ? 0xFFFF : checksum);
    return true;
}

}  // namespace streamverse::link
