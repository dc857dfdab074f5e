#include "link/src/link_decoder.hpp"

namespace streamverse::link {

namespace {

constexpr uint8_t kFirstOfS2x = 128;

}  // namespace

// S2: short frames, pilots and the MODCOD's five bits; S2X: the PLS as it is.
uint8_t ModeAdaptationCommand(uint8_t pls) {
    return pls >= kFirstOfS2x ? pls : static_cast<uint8_t>((pls >> 2) | (pls & 1) << 5 | (pls & 2) << 5);
}

uint8_t PlsOfCommand(uint8_t command) {
    return command >= kFirstOfS2x
               ? command
               : static_cast<uint8_t>((command & 31) << 2 | (command >> 5 & 1) | (command >> 5 & 2));
}

LinkDecoder::LinkDecoder(Listener& listener, Selection selection, size_t frameBytes)
    : selection_(std::move(selection)),
      context_{listener, {}},
      transport_(context_, selection_, kNowhere),
      frames_(context_, selection_),
      sync_(context_, *this, frameBytes) {}

void LinkDecoder::OnBytes(Bytes bytes) {
    context_.totals.carrierBytes += bytes.size();
    sync_.Write(bytes);
}

void LinkDecoder::OnPacket(Bytes packet) {
    const std::span<const uint8_t, kTsPacketBytes> whole(packet.data(), kTsPacketBytes);
    if (pseudo_.Read(whole, context_, frames_)) {
        content_ = Content::kPseudoTransport;
        return;
    }
    if (content_ == Content::kUnknown) {
        content_ = Content::kTransport;
    }
    transport_.Read(whole);
}

void LinkDecoder::OnFrame(Bytes frame) {
    content_ = Content::kFrames;
    frames_.Read(frame, std::nullopt);
}

void LinkDecoder::OnGap() {
    // Continuity counters tell of the packets that are missing; frames say where packets begin.
}

void LinkDecoder::ReadPackets(Bytes packets) {
    for (size_t at = 0; at < packets.size(); at += kTsPacketBytes) {
        if (packets[at] == kTsSync) {
            OnPacket(packets.subspan(at, kTsPacketBytes));
        } else {
            context_.Report({}, Damage::kSyncLoss);
        }
    }
}

void LinkDecoder::OnDatagram(Bytes datagram) {
    context_.totals.carrierBytes += datagram.size();
    if (!datagram.empty() && datagram[0] == kTsSync && datagram.size() % kTsPacketBytes == 0) {
        ReadPackets(datagram);
    } else if (datagram.size() > kModeAdaptationBytes && datagram[0] == kModeAdaptationSync) {
        ReadModeAdaptation(datagram);
    } else if (datagram.size() > kRtpBytes && datagram[0] >> 6 == 2 &&
               (datagram[1] & 0x7F) == kRtpTransportType) {
        ReadRtp(datagram);
    } else {
        context_.Report({}, Damage::kForeignDatagram);
    }
}

void LinkDecoder::ReadRtp(Bytes datagram) {
    const uint16_t number = Read16(datagram.data() + 2);
    if (rtpNext_.has_value() && *rtpNext_ != number) {
        context_.Report({}, Damage::kRtpGap);
    }
    rtpNext_ = static_cast<uint16_t>(number + 1);
    size_t head = kRtpBytes + 4u * (datagram[0] & 15u);
    if ((datagram[0] & 0x10) != 0) {
        head += head + 4 <= datagram.size() ? 4 + 4u * Read16(datagram.data() + head + 2) : datagram.size();
    }
    const size_t padding = (datagram[0] & 0x20) != 0 ? datagram.back() : 0;
    if (head + padding >= datagram.size() || (datagram.size() - head - padding) % kTsPacketBytes != 0) {
        context_.Report({}, Damage::kForeignDatagram);
        return;
    }
    ReadPackets(datagram.subspan(head, datagram.size() - head - padding));
}

void LinkDecoder::ReadModeAdaptation(Bytes datagram) {
    const uint8_t number = datagram[3];
    if (frameNext_.has_value() && *frameNext_ != number) {
        context_.Report({}, Damage::kFrameGap);
    }
    frameNext_ = static_cast<uint8_t>(number + 1);
    content_ = Content::kFrames;
    frames_.Read(datagram.subspan(kModeAdaptationBytes), PlsOfCommand(datagram[1]));
}

}  // namespace streamverse::link
