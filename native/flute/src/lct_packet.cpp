#include "flute/src/lct_packet.hpp"

namespace streamverse::flute {
namespace {

constexpr uint8_t kExtensionTime = 2;
constexpr uint8_t kExtensionFti = 64;
constexpr uint8_t kExtensionFdt = 192;
constexpr uint8_t kExtensionCenc = 193;
constexpr int64_t kNtpToUnixSeconds = 2208988800LL;

// EXT_TIME (RFC 5651 section 5.2.2): a word per flag set, SCT-High first.
void ReadTime(Bytes body, LctPacket& packet) {
    if (body.size() < 2) {
        return;
    }
    const uint64_t use = ReadBigEndian(body.first(2));
    const bool hasHigh = (use & 0x8000) != 0;
    const bool hasLow = (use & 0x4000) != 0;
    const size_t needed = 2 + (hasHigh ? 4U : 0U) + (hasLow ? 4U : 0U);
    if (!hasHigh || body.size() < needed) {
        return;
    }
    const auto seconds = static_cast<int64_t>(ReadBigEndian(body.subspan(2, 4)));
    const uint64_t fraction = hasLow ? ReadBigEndian(body.subspan(6, 4)) : 0;
    packet.senderTimeMs = (seconds - kNtpToUnixSeconds) * 1000 + static_cast<int64_t>(fraction * 1000 >> 32);
}

void ReadExtension(uint8_t type, Bytes body, LctPacket& packet) {
    switch (type) {
        case kExtensionTime:
            ReadTime(body, packet);
            break;
        case kExtensionFti:
            packet.fti = body;
            break;
        case kExtensionFdt: {
            const uint64_t word = ReadBigEndian(body);
            packet.fdt = FdtHeader{static_cast<uint8_t>(word >> 20), static_cast<uint32_t>(word & 0xFFFFF)};
            break;
        }
        case kExtensionCenc:
            packet.contentEncoding = body[0];
            break;
        default:
            break;
    }
}

// Unknown extensions are skipped by their length; a length of zero would never end (RFC 5651 section 5.2).
bool ReadExtensions(Bytes rest, LctPacket& packet) {
    while (!rest.empty()) {
        const uint8_t type = rest[0];
        const size_t length = type >= 128 ? 4 : size_t{4} * rest[1];
        if (length == 0 || length > rest.size()) {
            return false;
        }
        const size_t header = type >= 128 ? 1 : 2;
        ReadExtension(type, rest.subspan(header, length - header), packet);
        rest = rest.subspan(length);
    }
    return true;
}

}  // namespace

bool ParseLct(Bytes datagram, LctPacket& packet) {
    packet = LctPacket{};
    if (datagram.size() < 8 || datagram[0] >> 4 != 1) {
        return false;
    }
    const uint8_t flags = datagram[1];
    const size_t half = (flags & 0x10) != 0 ? 2 : 0;
    const size_t cciBytes = size_t{4} * (((datagram[0] >> 2) & 3) + 1U);
    const size_t tsiBytes = ((flags & 0x80) != 0 ? 4U : 0U) + half;
    const size_t toiBytes = size_t{4} * ((flags >> 5) & 3) + half;
    // RFC 3451's T and R bits each announce a word after the TOI; RFC 5651 made them reserved.
    const size_t legacyBytes = ((flags & 0x08) != 0 ? 4U : 0U) + ((flags & 0x04) != 0 ? 4U : 0U);
    const size_t headerBytes = size_t{4} * datagram[2];
    size_t offset = 4 + cciBytes;
    if (headerBytes > datagram.size() || offset + tsiBytes + toiBytes + legacyBytes > headerBytes) {
        return false;
    }
    packet.closeSession = (flags & 0x02) != 0;
    packet.closeObject = (flags & 0x01) != 0;
    packet.codepoint = datagram[3];
    packet.tsi = ReadBigEndian(datagram.subspan(offset, tsiBytes));
    offset += tsiBytes;
    packet.hasToi = toiBytes > 0;
    const Bytes toi = datagram.subspan(offset, toiBytes);
    const size_t lowBytes = toiBytes < 8 ? toiBytes : 8;
    packet.toi = {ReadBigEndian(toi.first(toiBytes - lowBytes)), ReadBigEndian(toi.last(lowBytes))};
    offset += toiBytes + legacyBytes;
    packet.payload = datagram.subspan(headerBytes);
    return ReadExtensions(datagram.subspan(offset, headerBytes - offset), packet);
}

}  // namespace streamverse::flute
