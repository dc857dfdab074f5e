// Builds FLUTE datagrams byte by byte, independently of the sender's code.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

namespace streamverse::flute::test {

using Octets = std::vector<uint8_t>;

inline void Append(Octets& to, uint64_t value, size_t size) {
    for (size_t at = size; at > 0; --at) {
        to.push_back(static_cast<uint8_t>(at > 8 ? 0 : value >> (8 * (at - 1))));
    }
}

struct PacketShape {
    uint64_t tsi = 1;
    uint64_t toi = 0;
    bool halfWord = true;   // H
    unsigned toiWords = 0;  // O
    bool tsiWord = false;   // S
    unsigned cciWords = 1;  // C + 1
    uint8_t flags = 0;      // T 8, R 4, A 2, B 1
    uint8_t codepoint = 0;
    Octets extensions{};
};

inline Octets BuildPacket(const PacketShape& shape, uint32_t payloadId, const Octets& symbols,
                          bool hasPayload = true) {
    const size_t half = shape.halfWord ? 2 : 0;
    Octets packet{static_cast<uint8_t>(0x10 | ((shape.cciWords - 1) << 2)),
                  static_cast<uint8_t>((shape.tsiWord ? 0x80 : 0) | (shape.toiWords << 5) |
                                       (shape.halfWord ? 0x10 : 0) | shape.flags),
                  0, shape.codepoint};
    Append(packet, 0, shape.cciWords * 4);
    Append(packet, shape.tsi, (shape.tsiWord ? 4U : 0U) + half);
    Append(packet, shape.toi, shape.toiWords * size_t{4} + half);
    Append(packet, 0, ((shape.flags & 8) != 0 ? 4U : 0U) + ((shape.flags & 4) != 0 ? 4U : 0U));
    packet.insert(packet.end(), shape.extensions.begin(), shape.extensions.end());
    packet[2] = static_cast<uint8_t>(packet.size() / 4);
    if (hasPayload) {
        Append(packet, payloadId, 4);
        packet.insert(packet.end(), symbols.begin(), symbols.end());
    }
    return packet;
}

inline Octets ExtFdt(uint32_t instanceId, uint32_t version = 1) {
    Octets bytes{192};
    Append(bytes, version << 20 | instanceId, 3);
    return bytes;
}

inline Octets ExtCenc(uint8_t encoding) {
    return {193, encoding, 0, 0};
}

inline Octets ExtFti(uint8_t encodingId, uint64_t length, uint32_t symbolBytes, uint32_t blockMax) {
    Octets bytes{64, static_cast<uint8_t>(encodingId == 5 ? 3 : 4)};
    Append(bytes, length, 6);
    if (encodingId == 5) {
        Append(bytes, symbolBytes, 2);
        Append(bytes, blockMax, 1);
        Append(bytes, 255, 1);
    } else {
        Append(bytes, 0, 2);
        Append(bytes, symbolBytes, 2);
        Append(bytes, blockMax, 4);
    }
    return bytes;
}

inline Octets Join(std::initializer_list<Octets> parts) {
    Octets all;
    for (const Octets& part : parts) {
        all.insert(all.end(), part.begin(), part.end());
    }
    return all;
}

// One datagram that carries a whole FDT instance.
// EXT_TIME with a Sender Current Time of whole seconds.
inline Octets ExtTime(int64_t unixMs) {
    Octets bytes{2, 2, 0x80, 0x00};
    Append(bytes, static_cast<uint64_t>(unixMs / 1000 + 2208988800LL), 4);
    return bytes;
}

inline Octets BuildFdt(std::string_view body, uint32_t instanceId, uint8_t encoding = 0, uint64_t tsi = 1) {
    PacketShape shape;
    shape.tsi = tsi;
    shape.extensions = Join({ExtFdt(instanceId), ExtFti(0, body.size(), 65000, 64)});
    if (encoding != 0) {
        shape.extensions = Join({shape.extensions, ExtCenc(encoding)});
    }
    return BuildPacket(shape, 0, Octets(body.begin(), body.end()));
}

inline Octets BuildTimedFdt(std::string_view body, uint32_t instanceId, int64_t unixMs) {
    PacketShape shape;
    shape.extensions = Join({ExtFdt(instanceId), ExtFti(0, body.size(), 65000, 64), ExtTime(unixMs)});
    return BuildPacket(shape, 0, Octets(body.begin(), body.end()));
}

}  // namespace streamverse::flute::test
