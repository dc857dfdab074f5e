#include "link/src/payload_unit.hpp"

#include "link/src/crc.hpp"
#include "link/src/ip_datagram.hpp"

namespace streamverse::link {

namespace {

constexpr uint8_t kMpeTable = 0x3E;
constexpr size_t kSectionHeadBytes = 12;
constexpr size_t kSectionBytesMax = 4096;
constexpr size_t kSnduHeadBytes = 10;
constexpr size_t kSnduLengthMax = 0x7FFF;
constexpr size_t kCrcBytes = 4;

void Seal(PayloadUnit& unit) {
    const uint32_t head = Crc32(unit.head.data(), unit.headBytes);
    Write32(unit.tail.data(), Crc32(unit.body.data(), unit.body.size(), head));
}

}  // namespace

bool MakeMpeSection(Bytes datagram, PayloadUnit& unit) {
    const size_t bytes = kSectionHeadBytes + datagram.size() + kCrcBytes;
    if (bytes > kSectionBytesMax) {
        return false;
    }
    const MacAddress mac = DestinationMac(datagram);
    const size_t length = bytes - 3;
    unit.head = {kMpeTable,
                 static_cast<uint8_t>(0xB0 | length >> 8),  // section_syntax_indicator, and reserved bits
                 static_cast<uint8_t>(length),
                 mac[5],
                 mac[4],
                 0xC1,  // neither scrambled nor LLC/SNAP, current
                 0,
                 0,
                 mac[3],
                 mac[2],
                 mac[1],
                 mac[0]};
    unit.headBytes = kSectionHeadBytes;
    unit.body = datagram;
    Seal(unit);
    return true;
}

bool MakeSndu(Bytes datagram, PayloadUnit& unit) {
    // Of everything behind the type: address, datagram and CRC.
    const size_t length = sizeof(MacAddress) + datagram.size() + kCrcBytes;
    if (length > kSnduLengthMax) {
        return false;
    }
    const MacAddress mac = DestinationMac(datagram);
    Write16(unit.head.data(), static_cast<unsigned>(length));  // D = 0: an address follows
    Write16(unit.head.data() + 2, datagram[0] >> 4 == 4 ? kEtherTypeIpv4 : kEtherTypeIpv6);
    std::copy(mac.begin(), mac.end(), unit.head.begin() + 4);
    unit.headBytes = kSnduHeadBytes;
    unit.body = datagram;
    Seal(unit);
    return true;
}

}  // namespace streamverse::link
