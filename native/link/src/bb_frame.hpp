// BBFRAMEs: their header, and transport streams sliced into them (EN 302 307-1, 5.1; EN 302 307-2, 5.1).
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace streamverse::link {

inline constexpr unsigned kBbHeaderBytes = 10;
inline constexpr unsigned kTsPacketBytes = 188;
inline constexpr uint8_t kTsSync = 0x47;
inline constexpr uint16_t kNoUserPacket = 65535;  // SYNCD when none begins in the data field

enum class BbStream : uint8_t {
    kGenericPacketized = 0,
    kGenericContinuous = 1,
    kGseHighEfficiency = 2,
    kTransport = 3
};

struct BbHeader {
    BbStream stream = BbStream::kTransport;
    bool isSingleStream = true;    // SIS; else `isi` tells which
    bool isConstantCoding = true;  // CCM, else ACM or VCM
    bool hasIssy = false;
    bool deletesNulls = false;  // of a transport stream; GSE-Lite for GSE
    uint8_t rollOff = 0;        // the field's two bits
    uint8_t isi = 0;
    uint16_t userPacketBits = 0;  // UPL; not sent in GSE-HEM
    uint16_t dataFieldBits = 0;   // DFL
    uint8_t sync = 0;
    uint16_t syncDistance = 0;  // SYNCD, bits
};

std::array<uint8_t, kBbHeaderBytes> FormatBbHeader(const BbHeader& header);

// None when the CRC-8 is wrong.
std::optional<BbHeader> ParseBbHeader(std::span<const uint8_t, kBbHeaderBytes> bytes);

// Slices a transport stream into the data fields of BBFRAMEs, each sync byte replaced by the CRC-8 of the
// packet before it.
class TransportSlicer {
 public:
    // Frames of `kbch` bits (whole bytes); `header` gives what does not change from frame to frame. S2X's low
    // roll-offs alternate with 11, the first frame's. Throws std::invalid_argument when no header fits.
    TransportSlicer(uint32_t kbch, const BbHeader& header, bool alternatesRollOff);

    // Whole packets; throws std::invalid_argument unless each begins with 0x47. Appends every frame that is
    // full.
    void Append(std::span<const uint8_t> packets, std::vector<uint8_t>& frames);

    // What is left, in a frame with a shorter data field and padding; nothing when nothing is.
    void Finish(std::vector<uint8_t>& frames);

    size_t frameBytes() const { return frameBytes_; }

 private:
    size_t frameBytes_;
    BbHeader header_;
    bool alternatesRollOff_;
    uint8_t crc_ = 0;  // of the last packet; the very first has none before it
    uint64_t frames_ = 0;
    size_t packetOffset_ = 0;  // of the first byte of data_ within its packet
    std::vector<uint8_t> data_;

    void WriteFrame(size_t dataBytes, std::vector<uint8_t>& frames);
};

}  // namespace streamverse::link
