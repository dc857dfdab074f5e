#include "link/src/bb_frame.hpp"

#include <algorithm>
#include <stdexcept>

#include "link/src/crc.hpp"

namespace streamverse::link {

namespace {

constexpr uint8_t kHighEfficiencyMask = 1;  // its CRC-8 is sent changed (EN 302 307-2, 5.1.7)
constexpr uint8_t kAlternating = 3;
constexpr unsigned kBitsMax = 65535;

uint8_t HighByte(uint16_t value) {
    return static_cast<uint8_t>(value >> 8);
}
uint8_t LowByte(uint16_t value) {
    return static_cast<uint8_t>(value & 0xFF);
}
uint16_t Pair(uint8_t high, uint8_t low) {
    return static_cast<uint16_t>(high << 8 | low);
}

uint8_t HeaderCrc(const uint8_t* bytes, BbStream stream) {
    const uint8_t crc = Crc8(bytes, kBbHeaderBytes - 1);
    return stream == BbStream::kGseHighEfficiency ? crc ^ kHighEfficiencyMask : crc;
}

}  // namespace

std::array<uint8_t, kBbHeaderBytes> FormatBbHeader(const BbHeader& header) {
    const unsigned type = static_cast<unsigned>(header.stream) << 6 | (header.isSingleStream ? 1u : 0u) << 5 |
                          (header.isConstantCoding ? 1u : 0u) << 4 | (header.hasIssy ? 1u : 0u) << 3 |
                          (header.deletesNulls ? 1u : 0u) << 2 | (header.rollOff & 3u);
    std::array<uint8_t, kBbHeaderBytes> bytes = {static_cast<uint8_t>(type),
                                                 header.isSingleStream ? uint8_t{0} : header.isi,
                                                 HighByte(header.userPacketBits),
                                                 LowByte(header.userPacketBits),
                                                 HighByte(header.dataFieldBits),
                                                 LowByte(header.dataFieldBits),
                                                 header.sync,
                                                 HighByte(header.syncDistance),
                                                 LowByte(header.syncDistance)};
    bytes.back() = HeaderCrc(bytes.data(), header.stream);
    return bytes;
}

std::optional<BbHeader> ParseBbHeader(std::span<const uint8_t, kBbHeaderBytes> bytes) {
    BbHeader header;
    header.stream = static_cast<BbStream>(bytes[0] >> 6);
    if (HeaderCrc(bytes.data(), header.stream) != bytes[kBbHeaderBytes - 1]) {
        return std::nullopt;
    }
    header.isSingleStream = (bytes[0] & 0x20) != 0;
    header.isConstantCoding = (bytes[0] & 0x10) != 0;
    header.hasIssy = (bytes[0] & 0x08) != 0;
    header.deletesNulls = (bytes[0] & 0x04) != 0;
    header.rollOff = bytes[0] & 3;
    header.isi = bytes[1];
    header.userPacketBits = Pair(bytes[2], bytes[3]);
    header.dataFieldBits = Pair(bytes[4], bytes[5]);
    header.sync = bytes[6];
    header.syncDistance = Pair(bytes[7], bytes[8]);
    return header;
}

TransportSlicer::TransportSlicer(uint32_t kbch, const BbHeader& header, bool alternatesRollOff)
    : frameBytes_(kbch / 8), header_(header), alternatesRollOff_(alternatesRollOff) {
    if (kbch % 8 != 0 || frameBytes_ <= kBbHeaderBytes || kbch - 8 * kBbHeaderBytes > kBitsMax) {
        throw std::invalid_argument(
            "a BBFRAME of a transport stream has whole bytes, of which ten are its header");
    }
    header_.stream = BbStream::kTransport;
    header_.userPacketBits = kTsPacketBytes * 8;
    header_.sync = kTsSync;
}

void TransportSlicer::Append(std::span<const uint8_t> packets, std::vector<uint8_t>& frames) {
    if (packets.size() % kTsPacketBytes != 0) {
        throw std::invalid_argument("a transport stream is cut into packets of 188 bytes");
    }
    for (size_t at = 0; at < packets.size(); at += kTsPacketBytes) {
        if (packets[at] != kTsSync) {
            throw std::invalid_argument("a packet of a transport stream begins with 0x47");
        }
        data_.push_back(crc_);
        const auto payload = packets.subspan(at + 1, kTsPacketBytes - 1);
        data_.insert(data_.end(), payload.begin(), payload.end());
        crc_ = Crc8(payload.data(), payload.size());
        const size_t whole = frameBytes_ - kBbHeaderBytes;
        while (data_.size() >= whole) {
            WriteFrame(whole, frames);
        }
    }
}

void TransportSlicer::Finish(std::vector<uint8_t>& frames) {
    if (!data_.empty()) {
        WriteFrame(data_.size(), frames);
    }
}

void TransportSlicer::WriteFrame(size_t dataBytes, std::vector<uint8_t>& frames) {
    BbHeader header = header_;
    const size_t distance = (kTsPacketBytes - packetOffset_) % kTsPacketBytes;
    header.dataFieldBits = static_cast<uint16_t>(dataBytes * 8);
    header.syncDistance = distance < dataBytes ? static_cast<uint16_t>(distance * 8) : kNoUserPacket;
    if (alternatesRollOff_ && frames_ % 2 == 0) {
        header.rollOff = kAlternating;
    }
    const auto bytes = FormatBbHeader(header);
    const size_t end = frames.size() + frameBytes_;
    frames.insert(frames.end(), bytes.begin(), bytes.end());
    frames.insert(frames.end(), data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(dataBytes));
    frames.resize(end, 0);
    data_.erase(data_.begin(), data_.begin() + static_cast<std::ptrdiff_t>(dataBytes));
    packetOffset_ = (packetOffset_ + dataBytes) % kTsPacketBytes;
    ++frames_;
}

}  // namespace streamverse::link
