// Writes ALC packets: the LCT header of RFC 5651 with FLUTE's extensions and the FEC payload id.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace streamverse::flute {

enum class ContentEncoding : uint8_t { kNone = 0, kZlib = 1, kDeflate = 2, kGzip = 3 };

struct FecParameters {
    uint8_t encodingId = 0;  // 0 or 5
    uint16_t symbolBytes = 0;
    uint32_t sourceBlockSymbolsMax = 0;
    uint32_t repairSymbolsPerBlock = 0;  // of a block of A_large symbols

    // max_n of RFC 5510 section 5.2.3.
    uint32_t symbolsMax() const { return sourceBlockSymbolsMax + repairSymbolsPerBlock; }
};

struct PacketFields {
    unsigned widthBits = 32;  // of TSI and of TOI: 16, 32 or 48
    uint64_t tsi = 0;
    uint64_t toi = 0;
    FecParameters fec;
    uint64_t transferLength = 0;
    struct Fdt {
        uint32_t instanceId = 0;  // 20 bits
        uint8_t version = 1;
    };
    std::optional<Fdt> fdt;
    bool fti = false;
    ContentEncoding contentEncoding = ContentEncoding::kNone;
    bool senderTime = false;
};

inline constexpr size_t kPacketHeaderBytesMax = 64;

// What all packets of one transmission share; made once, copied before every symbol.
class PacketHeader {
 public:
    PacketHeader() = default;
    explicit PacketHeader(const PacketFields& fields);

    // Of the LCT header and the FEC payload id.
    size_t length() const { return length_; }

    // Writes length() bytes.
    void Write(uint8_t* packet, uint32_t block, uint32_t symbol) const;

    // Both change bytes of a packet that Write has begun.
    static void SetCloseFlags(uint8_t* packet, bool session, bool object);
    void SetSenderTime(uint8_t* packet, int64_t unixNs) const;

 private:
    void Put(uint64_t value, size_t bytes);
    void PutFti(const PacketFields& fields);

    std::array<uint8_t, kPacketHeaderBytesMax> bytes_{};
    size_t length_ = 0;
    size_t senderTimeAt_ = 0;  // 0: none
    uint8_t encodingId_ = 0;
};

}  // namespace streamverse::flute
