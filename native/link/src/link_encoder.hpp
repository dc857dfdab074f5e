// From IP datagrams to the units of a carrier of constant rate: TS packets, or BBFRAMEs of either.
#pragma once

#include <optional>
#include <vector>

#include "link/src/bb_frame.hpp"
#include "link/src/gse_writer.hpp"
#include "link/src/link_rate.hpp"
#include "link/src/transport_multiplex.hpp"

namespace streamverse::link {

struct FrameOptions {
    uint8_t pls = 0;
    uint32_t bits = 0;  // Kbch
    BbHeader header;    // what does not change from frame to frame
    bool alternatesRollOff = false;
};

struct EncoderOptions {
    // A transport stream, or GSE.
    std::optional<TransportStream> transport;
    Encapsulation encapsulation = Encapsulation::kMpe;
    LabelRule label = LabelRule::kMac;
    bool isLite = false;
    std::optional<FrameOptions> frames;
    LinkRate rate;  // of units
    size_t queueBytesMax = 0;
    int64_t startUtcMs = 0;
};

enum class Pushed : uint8_t { kTaken, kDropped, kRefused };

// One thread, or a lock around it.
class LinkEncoder {
 public:
    // Throws std::invalid_argument.
    explicit LinkEncoder(const EncoderOptions& options);

    // To a service of the transport stream (0: the first).
    Pushed Push(uint16_t serviceId, Bytes datagram);

    // The next units, to where there is room for them.
    void Write(size_t units, uint8_t* output);

    size_t unitBytes() const { return unitBytes_; }
    bool hasFrames() const { return frames_.has_value(); }
    uint8_t pls() const { return frames_.has_value() ? frames_->pls : 0; }
    LayerTotals totals() const;
    size_t queuedBytes() const;

 private:
    std::optional<FrameOptions> frames_;
    size_t unitBytes_ = kTsPacketBytes;
    std::optional<TransportMultiplex> transport_;
    std::optional<TransportSlicer> slicer_;
    std::optional<GseWriter> gse_;
    std::vector<uint8_t> sliced_;  // frames that packets filled
    std::vector<uint8_t> packets_;
    LayerTotals totals_;  // of frames
    uint64_t units_ = 0;

    void WriteSlicedFrame(uint8_t* output);
    void WriteGseFrame(std::span<uint8_t> frame);
};

}  // namespace streamverse::link
