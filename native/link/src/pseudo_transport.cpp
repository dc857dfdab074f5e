#include "link/src/pseudo_transport.hpp"

#include <algorithm>

namespace streamverse::link {

namespace {

constexpr uint16_t kBridgePid = 270;
constexpr uint16_t kDemodulatorPid = 280;
constexpr uint8_t kTable = 0x80;
constexpr uint8_t kFirst = 0xB8;
constexpr size_t kHeadBytes = 8;  // header, pointer field, table_id and length
constexpr size_t kContentBytesMax = kTsPacketBytes - kHeadBytes;

}  // namespace

bool PseudoTransportReader::Read(std::span<const uint8_t, kTsPacketBytes> packet, ReceiveContext& context,
                                 FrameReader& frames) {
    const uint16_t pid = Read16(packet.data() + 1) & 0x1FFF;
    if ((pid != kBridgePid && pid != kDemodulatorPid) || (packet[1] & 0x40) == 0 || packet[4] != 0 ||
        packet[5] != kTable || (packet[6] & 0x0F) != 0 || packet[7] == 0 || packet[7] > kContentBytesMax) {
        return false;
    }
    const Bytes content = packet.subspan(kHeadBytes, packet[7]);
    if (content[0] == kFirst) {
        // A section of somebody else's on this PID has no such header.
        if (content.size() < 1 + kBbHeaderBytes ||
            (!isKnown_ &&
             !ParseBbHeader(std::span<const uint8_t, kBbHeaderBytes>(content.data() + 1, kBbHeaderBytes)))) {
            return false;
        }
        isKnown_ = true;
        Begin(content.subspan(1), context, frames);
        return true;
    }
    if (!isKnown_) {
        return false;
    }
    if (need_ > 0 && content[0] != static_cast<uint8_t>(number_ + 1)) {
        context.Report({pid, kNowhere}, Damage::kFrameGap);
        need_ = 0;
    }
    if (need_ > 0) {
        ++number_;
        Append(content.subspan(1), frames);
    }
    return true;
}

void PseudoTransportReader::Begin(Bytes content, ReceiveContext& context, FrameReader& frames) {
    if (need_ > 0) {
        context.Report({}, Damage::kFrameCut);
    }
    need_ = 0;
    frame_.clear();
    number_ = 0;
    const auto header =
        ParseBbHeader(std::span<const uint8_t, kBbHeaderBytes>(content.data(), kBbHeaderBytes));
    if (!header.has_value()) {
        context.Report({}, Damage::kFrameCrc);
        return;
    }
    need_ = kBbHeaderBytes + (header->dataFieldBits + 7u) / 8u;
    Append(content, frames);
}

// What is behind the data field is padding.
void PseudoTransportReader::Append(Bytes content, FrameReader& frames) {
    const Bytes now = content.first(std::min(content.size(), need_ - frame_.size()));
    frame_.insert(frame_.end(), now.begin(), now.end());
    if (frame_.size() == need_) {
        need_ = 0;
        frames.Read(frame_, std::nullopt);
    }
}

}  // namespace streamverse::link
