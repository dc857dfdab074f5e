// IP datagrams out of the GSE packets of one input stream's BBFRAMEs (TS 102 606-1, 4.2).
#pragma once

#include <array>
#include <vector>

#include "link/src/damage.hpp"

namespace streamverse::link {

inline constexpr uint64_t kReassemblyFrames = 256;  // within which a PDU's last fragment comes
inline constexpr size_t kReassemblyBytesMax = size_t{1} << 20;

class GseReader {
 public:
    // One data field.
    void Read(Bytes field, const Origin& origin, ReceiveContext& context);

 private:
    // What TotalLength counts, from the type on, as far as it has come; its CRC covers TotalLength too, which
    // stands in front.
    struct Partial {
        std::vector<uint8_t> bytes;
        size_t total = 0;  // 0: none is under way
        size_t labelBytes = 0;
        uint64_t frame = 0;
    };
    // The fixed part of a packet.
    struct Head {
        bool starts;
        bool ends;
        unsigned labelType;
    };

    std::array<Partial, 256> partials_;  // by FragID
    size_t partialBytes_ = 0;
    uint64_t frames_ = 0;
    size_t underWay_ = 0;
    bool hasLabel_ = false;  // in this data field, for re-use
    size_t labelBytes_ = 0;

    bool TakeLabelBytes(unsigned labelType, Bytes label, const Origin& origin, ReceiveContext& context,
                        size_t& labelBytes);
    void ReadPacket(const Head& head, Bytes packet, const Origin& origin, ReceiveContext& context);
    void ReadWhole(const Head& head, Bytes packet, const Origin& origin, ReceiveContext& context);
    void ReadFirst(const Head& head, Bytes packet, const Origin& origin, ReceiveContext& context);
    void ReadLater(const Head& head, Bytes packet, const Origin& origin, ReceiveContext& context);
    void Finish(Partial& partial, uint32_t crc, const Origin& origin, ReceiveContext& context);
    void Clear(Partial& partial);
    void Expire(const Origin& origin, ReceiveContext& context);
};

}  // namespace streamverse::link
