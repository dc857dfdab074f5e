// From the carrier, whatever it is, to IP datagrams: UDP payloads or a stream of bytes in, events out.
#pragma once

#include <optional>

#include "link/src/frame_reader.hpp"
#include "link/src/pseudo_transport.hpp"
#include "link/src/stream_sync.hpp"
#include "link/src/transport_demux.hpp"

namespace streamverse::link {

// One thread.
class LinkDecoder final : private UnitListener {
 public:
    // `listener` outlives it. `frameBytes` of a stream of BBFRAMEs where it is known, else 0.
    LinkDecoder(Listener& listener, Selection selection, size_t frameBytes);

    // One UDP payload: TS packets, RTP with TS packets, or a BBFRAME by mode adaptation L.3.
    void OnDatagram(Bytes datagram);
    // The next bytes of a stream of TS packets or BBFRAMEs.
    void OnBytes(Bytes bytes);

    const DecoderTotals& totals() const { return context_.totals; }
    // Of a transport stream that came bare; it may be empty.
    const TransportDemux& transport() const { return transport_; }
    const FrameReader& frames() const { return frames_; }

    enum class Content : uint8_t { kUnknown, kTransport, kPseudoTransport, kFrames };
    Content content() const { return content_; }

 private:
    const Selection selection_;
    ReceiveContext context_;
    TransportDemux transport_;
    FrameReader frames_;
    PseudoTransportReader pseudo_;
    StreamSync sync_;
    Content content_ = Content::kUnknown;
    std::optional<uint16_t> rtpNext_;
    std::optional<uint8_t> frameNext_;

    void OnPacket(Bytes packet) override;
    void OnFrame(Bytes frame) override;
    void OnGap() override;
    void ReadPackets(Bytes packets);
    void ReadRtp(Bytes datagram);
    void ReadModeAdaptation(Bytes datagram);
};

// The byte that tells the modulator how to send a frame (mode adaptation L.3), and back.
uint8_t ModeAdaptationCommand(uint8_t pls);
uint8_t PlsOfCommand(uint8_t command);

inline constexpr uint8_t kModeAdaptationSync = 0xB8;
inline constexpr size_t kModeAdaptationBytes = 4;
inline constexpr size_t kRtpBytes = 12;
inline constexpr uint8_t kRtpTransportType = 33;

}  // namespace streamverse::link
