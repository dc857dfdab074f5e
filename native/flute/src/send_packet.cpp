#include "flute/src/send_packet.hpp"

#include <cstring>

namespace streamverse::flute {
namespace {

constexpr uint8_t kExtensionTime = 2;
constexpr uint8_t kExtensionFti = 64;
constexpr uint8_t kExtensionFdt = 192;
constexpr uint8_t kExtensionCenc = 193;
constexpr uint8_t kCloseSession = 0x02;
constexpr uint8_t kCloseObject = 0x01;
constexpr size_t kPayloadIdLength = 4;
// SCT-High and SCT-Low are present (RFC 5651 section 5.2.2).
constexpr uint16_t kSenderTimeBoth = 0xC000;
constexpr int64_t kNtpUnixOffsetSeconds = 2'208'988'800;
constexpr int64_t kSecondNs = 1'000'000'000;

void PutAt(uint8_t* target, uint64_t value, size_t bytes) {
    for (size_t index = 0; index < bytes; ++index) {
        target[index] = static_cast<uint8_t>(value >> (8 * (bytes - 1 - index)));
    }
}

// S, O and H of the second byte: TSI is 4*S+2*H bytes, TOI 4*O+2*H.
uint8_t WidthFlags(unsigned widthBits) {
    switch (widthBits) {
        case 16:
            return 0x10;
        case 48:
            return 0xB0;
        default:
            return 0xA0;
    }
}

}  // namespace

PacketHeader::PacketHeader(const PacketFields& fields) : encodingId_(fields.fec.encodingId) {
    const size_t width = fields.widthBits / 8;
    Put(0x10, 1);  // LCT version 1, a congestion control word of 32 bits
    Put(WidthFlags(fields.widthBits), 1);
    Put(0, 1);                      // header length, below
    Put(fields.fec.encodingId, 1);  // FLUTE's codepoint is the FEC Encoding ID (RFC 3926 section 5.1)
    Put(0, 4);                      // congestion control: unused where the rate is fixed
    Put(fields.tsi, width);
    Put(fields.toi, width);
    if (fields.fdt) {
        Put(kExtensionFdt, 1);
        Put(static_cast<uint64_t>(fields.fdt->version) << 20 | fields.fdt->instanceId, 3);
    }
    if (fields.fti || fields.fdt) {
        PutFti(fields);
    }
    if (fields.contentEncoding != ContentEncoding::kNone) {
        Put(kExtensionCenc, 1);
        Put(static_cast<uint64_t>(fields.contentEncoding), 1);
        Put(0, 2);
    }
    if (fields.senderTime) {
        Put(kExtensionTime, 1);
        Put(3, 1);
        Put(kSenderTimeBoth, 2);
        senderTimeAt_ = length_;
        Put(0, 8);
    }
    bytes_[2] = static_cast<uint8_t>(length_ / 4);
    length_ += kPayloadIdLength;
}

void PacketHeader::Put(uint64_t value, size_t bytes) {
    PutAt(bytes_.data() + length_, value, bytes);
    length_ += bytes;
}

// RFC 5445 section 4.2.4 for id 0, RFC 5510 section 5.2.4.1 for id 5.
void PacketHeader::PutFti(const PacketFields& fields) {
    const bool reedSolomon = fields.fec.encodingId == 5;
    Put(kExtensionFti, 1);
    Put(reedSolomon ? 3 : 4, 1);
    Put(fields.transferLength, 6);
    if (reedSolomon) {
        Put(fields.fec.symbolBytes, 2);
        Put(fields.fec.sourceBlockSymbolsMax, 1);
        Put(fields.fec.symbolsMax(), 1);
    } else {
        Put(0, 2);
        Put(fields.fec.symbolBytes, 2);
        Put(fields.fec.sourceBlockSymbolsMax, 4);
    }
}

void PacketHeader::Write(uint8_t* packet, uint32_t block, uint32_t symbol) const {
    std::memcpy(packet, bytes_.data(), length_ - kPayloadIdLength);
    // id 0: SBN16 ESI16; id 5: SBN24 ESI8.
    const uint32_t id = encodingId_ == 5 ? block << 8 | symbol : block << 16 | symbol;
    PutAt(packet + length_ - kPayloadIdLength, id, kPayloadIdLength);
}

void PacketHeader::SetCloseFlags(uint8_t* packet, bool session, bool object) {
    packet[1] = static_cast<uint8_t>(packet[1] | (session ? kCloseSession : 0) | (object ? kCloseObject : 0));
}

void PacketHeader::SetSenderTime(uint8_t* packet, int64_t unixNs) const {
    if (senderTimeAt_ == 0) {
        return;
    }
    const int64_t seconds = unixNs / kSecondNs + kNtpUnixOffsetSeconds;
    const auto fraction = (static_cast<uint64_t>(unixNs % kSecondNs) << 32) / kSecondNs;
    PutAt(packet + senderTimeAt_, static_cast<uint64_t>(seconds), 4);
    PutAt(packet + senderTimeAt_ + 4, fraction, 4);
}

}  // namespace streamverse::flute
