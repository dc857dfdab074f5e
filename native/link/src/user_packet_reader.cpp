#include "link/src/user_packet_reader.hpp"

#include <algorithm>
#include <array>

#include "link/src/crc.hpp"

namespace streamverse::link {

namespace {

// A packet, and behind it up to three bytes of ISSY and one that counts deleted null packets.
constexpr unsigned kUserPacketBytesMax = kTsPacketBytes + 4;

}  // namespace

void UserPacketReader::Read(const BbHeader& header, Bytes field, const Origin& origin,
                            ReceiveContext& context, TransportDemux& demux) {
    const size_t bytes = header.userPacketBits / 8u;
    if (bytes < kTsPacketBytes || bytes > kUserPacketBytesMax || header.userPacketBits % 8 != 0 ||
        (header.syncDistance != kNoUserPacket && header.syncDistance % 8 != 0)) {
        context.Report(origin, Damage::kFrameKind);
        return;
    }
    const size_t first = header.syncDistance == kNoUserPacket ? field.size() : header.syncDistance / 8u;
    if (first > field.size()) {
        context.Report(origin, Damage::kFrameSync);
        isStarted_ = false;
        return;
    }
    if (isStarted_) {
        partial_.insert(partial_.end(), field.begin(), field.begin() + static_cast<std::ptrdiff_t>(first));
        const bool mayGoOn = header.syncDistance == kNoUserPacket && partial_.size() < bytes;
        if (partial_.size() == bytes) {
            ReadPacket(partial_, origin, context, demux);
            partial_.clear();
        } else if (!mayGoOn && !partial_.empty()) {
            context.Report(origin, Damage::kFrameSync);
            partial_.clear();
            hasCrc_ = false;
            demux.Drop();
        }
        if (mayGoOn) {
            return;
        }
    }
    if (header.syncDistance == kNoUserPacket) {
        return;
    }
    isStarted_ = true;
    Bytes rest = field.subspan(first);
    for (; rest.size() >= bytes; rest = rest.subspan(bytes)) {
        ReadPacket(rest.first(bytes), origin, context, demux);
    }
    partial_.assign(rest.begin(), rest.end());
}

void UserPacketReader::ReadPacket(Bytes packet, const Origin& origin, ReceiveContext& context,
                                  TransportDemux& demux) {
    // Where the sync byte was stands the CRC-8 of the packet before.
    if (hasCrc_ && packet[0] != crc_) {
        context.Report(origin, Damage::kUserPacketCrc);
    }
    const size_t bytes = packet.size();
    crc_ = Crc8(packet.data() + 1, bytes - 1);
    hasCrc_ = true;
    std::array<uint8_t, kTsPacketBytes> restored;
    std::copy(packet.begin(), packet.begin() + kTsPacketBytes, restored.begin());
    restored[0] = kTsSync;
    demux.Read(restored);
}

}  // namespace streamverse::link
